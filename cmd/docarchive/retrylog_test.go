package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := newRetryLog(slog.New(slog.NewTextHandler(&out, nil)))
		lines := func(want int) {
			t.Helper()
			if got := strings.Count(out.String(), "msg=retrying"); got != want {
				t.Errorf("%d lines, want %d:\n%s", got, want, &out)
			}
		}
		r.retrying(1, errors.New("a hiccup"), time.Second)
		lines(0)
		r.retrying(2, errors.New("an outage"), 1500*time.Millisecond)
		lines(1)
		if !strings.Contains(out.String(), `level=INFO msg=retrying failures=2 reason="an outage" pause=1.5s`) {
			t.Errorf("the line is %s", &out)
		}
		<-time.After(retryLogEvery - 1)
		r.retrying(3, errors.New("an outage"), time.Second)
		lines(1)
		<-time.After(1)
		r.retrying(2, errors.New("an outage"), time.Second)
		lines(2)
	})
}
