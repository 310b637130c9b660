package docextract_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/adteco/docarchive/docextract"
)

// rates are rate headers; an empty value stands for no header.
func rates(limit, remaining, reset, retryAfter string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{
		"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset, "Retry-After": retryAfter,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

// unix is a moment of the tests' clocks in Unix seconds.
func unix(after time.Duration) string { return strconv.FormatInt(start.Add(after).Unix(), 10) }

// pace is a budget on a clock of its own.
type pace struct {
	t *testing.T
	*docextract.Budget
	clock *fakeClock
}

func newPace(t *testing.T, perMinute int) *pace {
	clock := newClock()
	return &pace{t, docextract.NewBudget(perMinute, clock.clock()), clock}
}

// wait takes a request and returns how long that took.
func (p *pace) wait() time.Duration {
	p.t.Helper()
	before := p.clock.Now()
	if err := p.Wait(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	return p.clock.Now().Sub(before)
}

// ask is a request that is answered at once.
func (p *pace) ask(status int, h http.Header) time.Duration {
	p.t.Helper()
	d := p.wait()
	p.Observe(status, h)
	return d
}

// within reports whether d is a pause of w, jitter included.
func within(d, w time.Duration) bool { return d >= w && d <= w+w/10+time.Millisecond }

func TestBudgetSpendsWhatIsLeft(t *testing.T) {
	p := newPace(t, 0)
	p.ask(200, rates("3", "2", unix(20*time.Second), ""))
	if a, b := p.wait(), p.wait(); a != 0 || b != 0 {
		t.Errorf("waited %v and %v though two were left", a, b)
	}
	if left, limit, ok := p.Left(); left != 2 || limit != 3 || !ok {
		t.Errorf("left %d of %d, %v", left, limit, ok)
	}
	if !stuck(p) {
		t.Error("a third request went out though two were left, and two in flight")
	}
	p.Observe(200, rates("3", "0", unix(20*time.Second), ""))
	p.Observe(200, rates("3", "1", unix(20*time.Second), ""))
	if d := p.wait(); d != 20*time.Second-25*time.Millisecond {
		t.Errorf("waited %v, want until the reset", d)
	}
}

func TestBudgetIsObeyedOn429(t *testing.T) {
	date := func(after time.Duration) string { return start.Add(after).Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		header http.Header
		pause  time.Duration
	}{
		"Retry-After":            {rates("", "", "", "7"), 7 * time.Second},
		"Retry-After as a date":  {rates("", "", "", date(9*time.Second)), 9 * time.Second},
		"a date that is over":    {rates("", "", "", date(-time.Hour)), 100 * time.Millisecond},
		"zero":                   {rates("", "", "", "0"), 100 * time.Millisecond},
		"the reset":              {rates("10", "5", unix(11*time.Second), ""), 11 * time.Second},
		"the reset, as a delta":  {rates("10", "5", "12", ""), 12 * time.Second},
		"nothing":                {rates("", "", "", ""), time.Second},
		"negative":               {rates("-1", "-1", "-1", "-1"), time.Second},
		"text":                   {rates("many", "none", "tomorrow", "soon"), time.Second},
		"more than there can be": {rates("1", "9", "9223372036854775807", "9223372036854775807"), time.Second},
		"an hour":                {rates("", "", "", "3600"), 2 * time.Minute},
		"a year":                 {rates("", "", unix(365*24*time.Hour), "31536000"), time.Second},
	} {
		p := newPace(t, 0)
		p.ask(429, c.header)
		if d := p.wait(); !within(d, c.pause) {
			t.Errorf("%s: waited %v, want %v", name, d, c.pause)
		}
	}
}

// TestBudgetCountsLostRequests: one without an answer may have been counted.
func TestBudgetCountsLostRequests(t *testing.T) {
	p := newPace(t, 0)
	p.ask(200, rates("3", "2", unix(20*time.Second), ""))
	p.wait()
	p.Failed()
	p.wait()
	p.Failed()
	if d := p.wait(); d != 20*time.Second {
		t.Errorf("waited %v, want 20s", d)
	}
}

func TestBudgetBacksOffFromBare429s(t *testing.T) {
	p := newPace(t, 0)
	p.ask(429, nil)
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 120, 120} {
		if d := p.ask(429, nil); !within(d, pause*time.Second) {
			t.Errorf("waited %v, want %vs", d, int(pause))
		}
	}
	p.ask(200, nil)
	p.ask(429, nil)
	if d := p.wait(); !within(d, time.Second) {
		t.Errorf("after a success waited %v, want 1s", d)
	}
}

// TestBudgetSpreadsThePauses: those who were refused together must not come back
// as one.
func TestBudgetSpreadsThePauses(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 20 {
		p := newPace(t, 0)
		p.ask(429, rates("", "", "", "10"))
		seen[p.wait()] = true
	}
	if len(seen) < 15 {
		t.Errorf("%d different pauses of 20", len(seen))
	}
}

// TestBudgetTakesABurstOf429sForOne: what was in flight together fails together.
func TestBudgetTakesABurstOf429sForOne(t *testing.T) {
	p := newPace(t, 0)
	p.ask(200, nil)
	for range 8 {
		p.wait()
	}
	for range 8 {
		p.Observe(429, nil)
	}
	if d := p.wait(); !within(d, time.Second) {
		t.Errorf("waited %v, want 1s", d)
	}
}

func TestBudgetWithAnswersOutOfOrder(t *testing.T) {
	reset := unix(50 * time.Second)
	p := newPace(t, 0)
	p.ask(200, rates("10", "9", reset, ""))
	for range 4 {
		p.wait()
	}
	// The fourth answer comes first; the earlier ones come late and by a slow
	// way, with their remainders larger.
	p.Observe(200, rates("10", "5", reset, ""))
	p.clock.Advance(5 * time.Second)
	for _, remaining := range []string{"8", "7", "6"} {
		p.Observe(200, rates("10", remaining, reset, ""))
	}
	for i := range 5 {
		if stuck(p) {
			t.Fatalf("only %d requests went out, of 5 that are left", i)
		}
	}
	if !stuck(p) {
		t.Error("a sixth request went out")
	}
}

// TestBudgetTellsWindowsApartBySlowAnswers: an answer that took long makes the
// reset look later than it is, were it counted from its arrival.
func TestBudgetTellsWindowsApartBySlowAnswers(t *testing.T) {
	for name, reset := range map[string]func(sent time.Duration) string{
		"Unix":  func(time.Duration) string { return unix(50 * time.Second) },
		"delta": func(sent time.Duration) string { return strconv.Itoa(int((50*time.Second - sent) / time.Second)) },
	} {
		p := newPace(t, 0)
		answer := func(remaining string, sent time.Duration) http.Header {
			h := rates("10", remaining, reset(sent), "")
			h.Set("Date", start.Add(sent).Format(http.TimeFormat))
			return h
		}
		p.ask(200, answer("9", 0))
		p.wait()
		p.wait()
		p.Observe(200, answer("1", time.Second))
		p.clock.Advance(10 * time.Second)
		p.Observe(200, answer("8", 0))
		if left, _, _ := p.Left(); left > 1 {
			t.Errorf("%s: left %d, a late answer was taken for a new window", name, left)
		}
	}
}

func TestBudgetObeysAShorterWindow(t *testing.T) {
	p := newPace(t, 0)
	p.ask(200, rates("1000", "500", unix(50*time.Minute), ""))
	p.wait()
	p.Observe(200, rates("60", "0", unix(30*time.Second), ""))
	if d := p.wait(); d != 30*time.Second {
		t.Errorf("waited %v, want 30s", d)
	}
}

func TestBudgetProbesWhatItDoesNotKnow(t *testing.T) {
	p := newPace(t, 0)
	p.wait()
	if !stuck(p) {
		t.Error("a second request went out before the server was heard")
	}
	p.Failed()
	if stuck(p) {
		t.Error("a request that failed holds up the next")
	}
	p.Observe(200, rates("5", "4", unix(10*time.Second), ""))
	p.clock.Advance(11 * time.Second)
	for i := range 5 {
		if stuck(p) {
			t.Fatalf("only %d requests at once in a new window of five", i)
		}
	}
	if !stuck(p) {
		t.Error("more requests are in flight than the last window held")
	}
}

// stuck reports whether a request has to wait for another one's answer.
func stuck(p *pace) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p.clock.onSleep = cancel
	defer func() { p.clock.onSleep = nil }()
	return errors.Is(p.Wait(ctx), context.Canceled)
}

func TestBudgetOfAFixedRate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		perMinute := rapid.IntRange(1, 400).Draw(rt, "per minute")
		p := newPace(t, perMinute)
		var at []time.Time
		for range min(3*perMinute, 500) {
			p.ask(200, nil)
			at = append(at, p.clock.Now())
			p.clock.Advance(time.Duration(rapid.IntRange(0, 100).Draw(rt, "ms")) * time.Millisecond)
		}
		for first, last := 0, 0; last < len(at); last++ {
			for at[last].Sub(at[first]) >= time.Minute-time.Microsecond {
				first++
			}
			if n := last - first + 1; n > perMinute {
				rt.Fatalf("%d requests in a minute, allowed are %d", n, perMinute)
			}
		}
	})
}

func TestBudgetHeedsTheContext(t *testing.T) {
	p := newPace(t, 1)
	p.ask(200, nil)
	cause := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if err := p.Wait(ctx); !errors.Is(err, cause) {
		t.Errorf("%v, want the context's cause", err)
	}
}

// FuzzRateHeaders: whatever the headers say, no request waits for more than the
// longest window, and the budget comes to rest.
func FuzzRateHeaders(f *testing.F) {
	for _, seed := range [][5]string{
		{"100", "0", "60", "", ""},
		{"-1", "-100", "-7", "-3", ""},
		{"1000000000000000000000", "1e18", "9999999999999", "9999999999", "x"},
		{"many", "none", "tomorrow", "soon", ""},
		{"100", "0", unix(50 * 365 * 24 * time.Hour), "", start.Format(http.TimeFormat)},
		{"1", "-0", "+5", " 7 ", "Mon, 01 Jan 0001 00:00:00 GMT"},
		{"9223372036854775807", "9223372036854775807", "86400", "86400", ""},
		{"0", "0", "0", "0", "Fri, 31 Dec 9999 23:59:59 GMT"},
		{"5", "0", unix(time.Hour), "Fri, 31 Dec 9999 23:59:59 GMT", ""},
	} {
		for _, status := range []int{200, 429} {
			f.Add(status, seed[0], seed[1], seed[2], seed[3], seed[4])
		}
	}
	f.Fuzz(func(t *testing.T, status int, limit, remaining, reset, retryAfter, date string) {
		p := newPace(t, 0)
		h := rates(limit, remaining, reset, retryAfter)
		h.Set("Date", date)
		for range 3 {
			if d := p.ask(status, h); d > 70*time.Minute || d < 0 {
				t.Fatalf("waited %v", d)
			}
		}
		if left, _, _ := p.Left(); left < 0 {
			t.Fatalf("left %d", left)
		}
	})
}
