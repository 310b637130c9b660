package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/docextract"
)

// spooled finishes the lines and returns the part and the text in it.
func spooled(t *testing.T, l *lines) (Part, string) {
	t.Helper()
	part, err := l.finish(KindRaw, "_archive/raw/x")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(part.Spool)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(packed)
	if part.SHA256 != hex.EncodeToString(sum[:]) || part.Size != int64(len(packed)) {
		t.Errorf("the part says %s, %d bytes; the file has %x, %d", part.SHA256, part.Size, sum, len(packed))
	}
	zr, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer zr.Close()
	text, err := zr.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return part, string(text)
}

func TestRawLines(t *testing.T) {
	l, err := newLines(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{`{"a":"\n","n":1.50}`, "{\r\n  \"a\" : \"\xff\"\n}", "{\"b\":\"\u2028\"}"} {
		if err := l.job([]byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	part, text := spooled(t, l)
	want := `{"a":"\n","n":1.50}` + "\n" + "{    \"a\" : \"\xff\" }\n" + "{\"b\":\"\u2028\"}\n"
	if text != want || part.Rows != 3 || part.Kind != KindRaw || part.Path != "_archive/raw/x" {
		t.Errorf("got %q, %+v; want %q", text, part, want)
	}
}

func TestLongRawLine(t *testing.T) {
	l, err := newLines(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	raw := `{"a":"` + strings.Repeat("x", 5<<20) + `"}`
	if err := l.job([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	if _, text := spooled(t, l); text != raw+"\n" {
		t.Error("a long line came back changed")
	}
}

func TestMalformedLines(t *testing.T) {
	l, err := newLines(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.malformed(docextract.Malformed{Raw: []byte("{\"id\":\n\"\xff\u0000\"}"), Reason: `id is "odd"`}); err != nil {
		t.Fatal(err)
	}
	_, text := spooled(t, l)
	var line struct{ Reason, Raw string }
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if line.Reason != `id is "odd"` || line.Raw != "{\"id\":\n\"\\udcff\x00\"}" || strings.Count(text, "\n") != 1 {
		t.Errorf("got %+v from %q", line, text)
	}
}

func TestSpoolFails(t *testing.T) {
	var failed *SpoolError
	if _, err := newLines(filepath.Join(t.TempDir(), "missing")); !errors.As(err, &failed) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	dir := t.TempDir()
	l, err := newLines(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.job([]byte("{}")); err != nil {
		t.Fatal(err) // the line waits in the encoder
	}
	if _, err := l.finish(KindRaw, "x"); !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	noFiles(t, dir)
}

func TestAbortLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	l, err := newLines(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.job([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	l.abort()
	noFiles(t, dir)
}

func noFiles(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("the spool holds %v, %v", entries, err)
	}
}

func TestPathsOfTheRawLayer(t *testing.T) {
	d := Destination{Pipeline: "invoices", Window: WindowAt(at("2026-11-22T07:00:00Z"), day), Seq: 7}
	if got := RawPath(d); got != "_archive/raw/invoices/20261122-000007.jsonl.zst" {
		t.Errorf("got %s", got)
	}
	if got := QuarantinePath(d); got != "_archive/quarantine/invoices/20261122-000007.jsonl.zst" {
		t.Errorf("got %s", got)
	}
}
