package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are the commands that the scripts have beside testscript's own.
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits":     scriptExits,
		"is-json":   scriptIsJSON,
		"flip":      scriptFlip,
		"damage":    scriptDamage,
		"unchanged": scriptUnchanged,
		"unpack":    scriptUnpack,
		"simulate":  scriptSimulate,
		"turn":      scriptTurn,
		"insert":    scriptInsert,
		"requests":  scriptRequests,
		"signal":    scriptSignal,
		"receive":   scriptReceive,
	}
}

// scriptExits executes a program that must end with a status:
//
//	exits 78 docarchive run
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARGUMENT…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// scriptIsJSON checks that a stream or file is one JSON value or, with -lines,
// at least one line and every line a JSON object:
//
//	is-json stdout
//	is-json -lines stderr
func scriptIsJSON(ts *testscript.TestScript, neg bool, args []string) {
	lines := len(args) == 2 && args[0] == "-lines"
	if neg || len(args) != 1 && !lines {
		ts.Fatalf("usage: is-json [-lines] FILE")
	}
	text := ts.ReadFile(args[len(args)-1])
	if !lines {
		if !json.Valid([]byte(text)) {
			ts.Fatalf("not a JSON value")
		}
		return
	}
	if text == "" {
		ts.Fatalf("there are no lines")
	}
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%q is not a JSON object: %v", line, err)
		}
	}
}

// scriptFlip inverts the byte in the middle of the first file that a pattern
// matches, and sets $DAMAGED to the file's path below the archive:
//
//	flip archive/invoices/*/*.parquet
func scriptFlip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip PATTERN")
	}
	name := firstMatch(ts, args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	data[len(data)/2] ^= 0xff
	ts.Check(os.WriteFile(name, data, 0o600))
	noteDamage(ts, name)
}

// scriptDamage removes the first file that a pattern matches, and sets $DAMAGED
// as flip does.
func scriptDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage PATTERN")
	}
	name := firstMatch(ts, args[0])
	ts.Check(os.Remove(name))
	noteDamage(ts, name)
}

func noteDamage(ts *testscript.TestScript, name string) {
	below, err := filepath.Rel(ts.MkAbs("archive"), name)
	ts.Check(err)
	ts.Setenv("DAMAGED", filepath.ToSlash(below))
}

func firstMatch(ts *testscript.TestScript, pattern string) string {
	names, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("no file matches %s", pattern)
	}
	return names[0]
}

// scriptUnpack decompresses all files that a pattern matches into one:
//
//	unpack archive/_archive/raw/jobs/*.zst jobs.jsonl
func scriptUnpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unpack PATTERN FILE")
	}
	firstMatch(ts, args[0])
	names, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	d, err := zstd.NewReader(nil)
	ts.Check(err)
	defer d.Close()
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		ts.Check(err)
		all, err = d.DecodeAll(data, all)
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), all, 0o600))
}

// scriptUnchanged notes what a folder holds when it is called for the first
// time, and later checks that it holds the same, byte for byte. Files whose
// path begins with one of the further arguments do not count:
//
//	unchanged archive _archive/runs
func scriptUnchanged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: unchanged FOLDER [EXCEPT…]")
	}
	now := contentsOf(ts, ts.MkAbs(args[0]), args[1:])
	was := stateOf(ts).listing
	if was == "" {
		stateOf(ts).listing = now
	} else if was != now {
		ts.Fatalf("%s has changed:\n%s\nwas:\n%s", args[0], now, was)
	}
}

func contentsOf(ts *testscript.TestScript, dir string, except []string) string {
	var b bytes.Buffer
	ts.Check(filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		below, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(except, func(prefix string) bool { return strings.HasPrefix(below, prefix) }) {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		b.WriteString(below + " " + fingerprint(data) + "\n")
		return nil
	}))
	return b.String()
}
