//go:build linux

package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/failpoint"
)

// killLoop kills runs, one after another, at failpoints and at any time.
type killLoop struct {
	*crashWorld
	rng    *rand.Rand
	due    []string       // failpoints whose turn comes next
	deaths map[string]int // failpoint → runs that it killed
	counts struct{ rounds, kills, anytime, stops, terms, errors, peaceful, archives int }
}

const (
	roundsPerRun     = 6  // before a run in peace
	roundsPerArchive = 24 // before a new archive
	arrivalsPerRound = 5
)

// testKilled kills so many runs; more by KILLS.
func testKilled(t *testing.T, binary string) {
	kills := fromEnvironment(t, "KILLS", 40)
	seed := uint64(fromEnvironment(t, "SEED", int(time.Now().UnixNano()%1e6)))
	t.Logf("SEED=%d", seed)
	step := max(time.Second, (lag / time.Duration(2*kills)).Truncate(time.Second))
	l := &killLoop{
		crashWorld: newCrashWorld(t, binary, docextracttest.Config{
			Seed: seed, Jobs: 400, Open: 40, Span: 3 * 24 * time.Hour, Arrivals: arrivalsPerRound / step.Minutes(),
		}),
		rng: rand.New(rand.NewPCG(seed, 1)), deaths: map[string]int{},
	}
	start := time.Now()
	for l.counts.kills < kills || len(l.deaths) < len(failpoint.Names()) {
		l.counts.rounds++
		if l.counts.rounds > 5*kills+500 {
			t.Fatalf("%d rounds, and not killed by %v", l.counts.rounds, l.spared())
		}
		l.turn(step)
		l.round()
		l.sound()
		if l.counts.rounds%roundsPerRun == 0 {
			l.finish()
		}
		if l.counts.rounds%roundsPerArchive == 0 {
			l.compareAll()
			l.begin()
			l.counts.archives++
		}
	}
	l.finish()
	l.compareAll()
	t.Logf("%+v in %v, %d jobs at the end", l.counts, time.Since(start).Round(time.Second), len(l.truth(crashSettle)))
	for _, name := range slices.Sorted(maps.Keys(l.deaths)) {
		t.Logf("%-15s killed %d", name, l.deaths[name])
	}
}

// round lets one run end badly, or stand still for a while.
func (l *killLoop) round() {
	l.t.Helper()
	switch l.rng.IntN(10) {
	case 0:
		l.killAnytime()
	case 1:
		l.interrupt(l.name())
	case 2:
		l.freeze(l.name())
	case 3:
		l.mislead(l.name())
	default:
		l.killAt(l.name())
	}
}

// name is the next failpoint: each has its turn.
func (l *killLoop) name() string {
	if len(l.due) == 0 {
		l.due = failpoint.Names()
		l.rng.Shuffle(len(l.due), func(i, j int) { l.due[i], l.due[j] = l.due[j], l.due[i] })
	}
	name := l.due[0]
	l.due = l.due[1:]
	return name
}

// plan is the first hit mostly, or one of the next.
func (l *killLoop) plan(name, action string) string {
	if l.deaths[name] == 0 || l.rng.IntN(3) > 0 {
		return fmt.Sprintf("%s=%s", name, action)
	}
	return fmt.Sprintf("%s=%s:%d", name, action, 2+l.rng.IntN(12))
}

func (l *killLoop) killAt(name string) {
	l.t.Helper()
	p := l.start(l.plan(name, "kill"), "run")
	switch status := p.end(); {
	case status == -int(syscall.SIGKILL) && p.acted(name+"=kill"):
		l.counts.kills++
		l.deaths[name]++
	case status == exitDone:
		l.counts.peaceful++ // it came to the failpoint less often
	default:
		l.fail(p, status)
	}
}

// killAnytime kills a run wherever it is.
func (l *killLoop) killAnytime() {
	l.t.Helper()
	p := l.start("", "run")
	select {
	case <-time.After(time.Duration(l.rng.IntN(150)) * time.Millisecond):
		p.signal(syscall.SIGKILL)
	case <-p.done:
	}
	switch status := p.end(); status {
	case -int(syscall.SIGKILL):
		l.counts.kills++
		l.counts.anytime++
	case exitDone:
		l.counts.peaceful++
	default:
		l.fail(p, status)
	}
}

// interrupt asks a run to end.
func (l *killLoop) interrupt(name string) {
	l.t.Helper()
	p := l.start(l.plan(name, "term"), "run")
	switch status := p.end(); {
	case status == exitTerminated && p.acted(name+"=term"):
		l.counts.terms++
	case status == exitDone:
		l.counts.peaceful++
	default:
		l.fail(p, status)
	}
}

// mislead lets a step fail, or be said to have failed though it is done.
func (l *killLoop) mislead(name string) {
	l.t.Helper()
	p := l.start(fmt.Sprintf("%s=error,*=sleep:0.02", name), "run")
	switch status := p.end(); {
	case status == exitFailed && p.acted(name+"=error"):
		l.counts.errors++
	case status == exitDone: // the step was looked at again, or none of it came
		l.counts.peaceful++
	default:
		l.fail(p, status)
	}
}

// freeze stops a run and lets it go on after another was killed.
func (l *killLoop) freeze(name string) {
	l.t.Helper()
	p := l.start(l.plan(name, "stop"), "run")
	if p.stopped() {
		l.counts.stops++
		l.killAt(l.name())
		l.sound()
		p.signal(syscall.SIGCONT)
	}
	if status := p.end(); status != exitDone {
		l.fail(p, status)
	}
}

func (l *killLoop) fail(p *process, status int) {
	l.t.Helper()
	l.t.Fatalf("exit %d\n%s\n%s", status, p.stderr.String(), strings.Join(p.hits(), " "))
}

// spared lists the failpoints that have killed nothing yet.
func (l *killLoop) spared() []string {
	return slices.DeleteFunc(failpoint.Names(), func(name string) bool { return l.deaths[name] > 0 })
}
