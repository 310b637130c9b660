package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

// Where there is no terminal, progress is a line of the log now and then.
func TestProgressWithoutTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		a := &app{
			system: system{stderr: &stderr}, screen: &screen{below: &stderr},
			log: slog.New(slog.NewJSONHandler(&stderr, nil)),
		}
		p := a.newProgress(&workplace{budget: docextract.NewBudget(0, docextract.Clock{})})
		now := pipeline.Progress{Pipeline: "jobs", Windows: 60}
		for range 60 {
			<-time.After(time.Second)
			now.Done++
			now.Read += 10
			now.New += 9
			p.update(now)
		}
		p.stop()
		var messages []map[string]any
		for line := range strings.Lines(stderr.String()) {
			var message map[string]any
			if err := json.Unmarshal([]byte(line), &message); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			messages = append(messages, message)
		}
		if len(messages) != 2 || messages[0]["windows"] != "30/60" || messages[1]["windows"] != "60/60" || messages[1]["new"] != 540.0 {
			t.Errorf("in a minute there is logged %v, want a line every half minute", messages)
		}
	})
}

// A run in a pipe or a file draws nothing.
func TestNoBarsWithoutTerminal(t *testing.T) {
	s := newShell(t)
	s.serve(s.sim.Handler())
	if r := s.want(exitDone, "jobs archived", "run"); r.stderr != "" {
		t.Errorf("standard error has %q", r.stderr)
	}
}
