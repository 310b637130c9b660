package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/adteco/docarchive/internal/testserver"
)

// tidy fails a run of tests that leaves goroutines behind.
type tidy struct{ *testing.M }

func (m tidy) Run() int {
	status := testserver.Run(m.M.Run)
	if status != 0 {
		return status
	}
	// The GCS emulator links a package that starts a goroutine when it is loaded.
	if err := goleak.Find(goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start")); err != nil {
		fmt.Fprintf(os.Stderr, "goroutines are left: %v\n", err)
		return 1
	}
	return 0
}

// TestMain lets scripts execute docarchive as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(tidy{m}, map[string]func(){"docarchive": main})
}

// TestScripts drives the command as a shell does. Beside testscript's own
// commands there are those of [scriptCommands].
func TestScripts(t *testing.T) {
	shipped, err := filepath.Abs("../../jobs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	small, err := filepath.Abs("testdata/script/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                scriptCommands(),
		Condition:           scriptCondition,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SHIPPED", shipped)
			env.Setenv("SMALL", small)
			env.Setenv("DOCARCHIVE_CACHE_DIR", filepath.Join(env.WorkDir, ".cache"))
			spool := filepath.Join(env.WorkDir, ".spool")
			env.Setenv("DOCARCHIVE_SPOOL", spool)
			env.Values[scriptStateKey{}] = &scriptState{}
			if runtime.GOOS == "windows" {
				return errors.New("the scripts are written for unix")
			}
			return os.Mkdir(spool, 0o700)
		},
	})
}

// scriptCondition knows root, whom no permission stops, and slow, for what
// waits out the client's whole patience.
func scriptCondition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "slow":
		return !testing.Short(), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}
