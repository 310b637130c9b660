package submission_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/pipeline/submission"
)

func open(t *testing.T, path string) *submission.Journal {
	t.Helper()
	j, err := submission.OpenJournal(path, func() time.Time { return testTime })
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func shut(t *testing.T, j *submission.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestJournalRemembers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "journal.jsonl")
	key := func(n byte) submission.Key { return submission.Key{Extractor: extractor, SHA256: [32]byte{n}} }
	ends := []func(*submission.Journal, submission.Intent) error{
		func(j *submission.Journal, in submission.Intent) error { return j.Done(in, "job_1") },
		func(j *submission.Journal, in submission.Intent) error { return j.Void(in, "no") },
		func(j *submission.Journal, in submission.Intent) error { return j.Doubt(in, "who knows") },
		func(*submission.Journal, submission.Intent) error { return nil }, // the process dies
	}
	j := open(t, path)
	for n, end := range ends {
		in, prior, err := j.Begin(key(byte(n)), "f.pdf", false)
		if err != nil || prior.State != submission.StateNew {
			t.Fatalf("%d: %+v, %v", n, prior, err)
		}
		if busy := j.Prior(key(byte(n))); busy.State != submission.StateBusy {
			t.Errorf("%d: under way it is %+v", n, busy)
		}
		if err := end(j, in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := submission.OpenJournal(path, nil); !errors.Is(err, submission.ErrInUse) {
		t.Errorf("a second process gets %v", err)
	}
	shut(t, j)
	j = open(t, path)
	defer shut(t, j)
	for n, want := range []submission.State{
		submission.StateDone, submission.StateNew, submission.StateDoubt, submission.StateDoubt, submission.StateNew,
	} {
		if got := j.Prior(key(byte(n))); got.State != want {
			t.Errorf("%d is %+v, want state %d", n, got, want)
		}
	}
	if n := len(j.Doubts(extractor)); n != 2 {
		t.Errorf("%d doubts, want 2", n)
	}
	// A rejected second submission does not make the first one's doubt go away.
	again, _, err := j.Begin(key(2), "f.pdf", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Void(again, "no"); err != nil {
		t.Fatal(err)
	}
	if got := j.Prior(key(2)); got.State != submission.StateDoubt {
		t.Errorf("after a void attempt: %+v", got)
	}
}

func TestJournalIsDamaged(t *testing.T) {
	t.Parallel()
	intent := `{"event":"intent","id":"a","extractor":"e","sha256":"` + strings.Repeat("00", 32) + `"}` + "\n"
	for name, c := range map[string]struct {
		text string
		line int // 0: not damaged
	}{
		"empty":       {"", 0},
		"torn end":    {intent + `{"event":"do`, 0},
		"torn start":  {`{"event"`, 0},
		"not JSON":    {intent + "garbage\n" + intent, 2},
		"no intent":   {intent + `{"event":"done","id":"b"}` + "\n", 2},
		"unknown":     {intent + `{"event":"paid","id":"a"}` + "\n", 2},
		"half intent": {`{"event":"intent","id":"a"}` + "\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.jsonl")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := submission.OpenJournal(path, nil)
			var damaged *submission.DamagedError
			switch {
			case c.line > 0:
				if !errors.As(err, &damaged) || damaged.Line != c.line {
					t.Errorf("got %v, want damage in line %d", err, c.line)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			if _, _, err := j.Begin(submission.Key{Extractor: "e", SHA256: [32]byte{9}}, "f", false); err != nil {
				t.Fatal(err)
			}
			shut(t, j)
			shut(t, open(t, path)) // what followed a torn line can be read
		})
	}
}
