//go:build unix

package store_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/adteco/docarchive/internal/store"
)

// A disk that takes no more, here for a process that may write no larger files,
// leaves nothing visible and the reason known.
func TestFolderFull(t *testing.T) {
	const small = 1 << 16
	if dir := os.Getenv("STORE_TEST_FULL"); dir != "" {
		limit := syscall.Rlimit{Cur: small, Max: small}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		s := open(t, "file://"+dir)
		large := []byte(strings.Repeat("x", 4*small))
		for what, err := range map[string]error{
			"put": s.Put(t.Context(), "d/put", large), "create": s.PutIfAbsent(t.Context(), "d/create", large),
		} {
			if !store.Local(err) || !errors.Is(err, syscall.EFBIG) {
				t.Errorf("%s: %v", what, err)
			}
		}
		return
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFolderFull$", "-test.v")
	child.Env = append(os.Environ(), "STORE_TEST_FULL="+dir)
	if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestFolderFull") {
		t.Fatalf("%v\n%s", err, out)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "d"))
	if err != nil || len(entries) > 0 {
		t.Error("left behind:", entries, err)
	}
}
