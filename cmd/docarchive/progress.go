package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

// logEvery is how often progress is logged where there is no terminal.
const logEvery = 30 * time.Second

// progress shows how far a run has come: a bar for each pipeline on a terminal,
// a log line now and then elsewhere.
type progress struct {
	app    *app
	budget func(pipeline string) *docextract.Budget
	unit   string // of what is counted

	mu     sync.Mutex
	bars   *mpb.Progress // nil: no terminal
	byName map[string]*bar
	logged time.Time
}

// bar is drawn by a goroutine of its own, which must not wait for update.
type bar struct {
	*mpb.Bar
	last atomic.Pointer[pipeline.Progress]
}

func (a *app) newProgress(w *workplace) *progress {
	p := &progress{app: a, budget: w.budgetOf, unit: "windows", byName: map[string]*bar{}, logged: time.Now()}
	if terminal(a.stderr) && !a.flags.quiet {
		// The bars hold no secret, and must see that they draw on a terminal.
		p.bars = mpb.New(mpb.WithOutput(a.screen.below), mpb.WithWidth(30), mpb.WithRefreshRate(150*time.Millisecond))
		a.screen.show(p.bars)
	}
	return p
}

func (p *progress) update(now pipeline.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bars == nil {
		if time.Since(p.logged) >= logEvery {
			p.logged = time.Now()
			p.app.log.Info("progress", "pipeline", now.Pipeline, p.unit, fmt.Sprintf("%d/%d", now.Done, now.Windows),
				"read", now.Read, "new", now.New)
		}
		return
	}
	b := p.byName[now.Pipeline]
	if b == nil {
		b = &bar{}
		b.last.Store(&now)
		b.Bar = p.bars.AddBar(int64(now.Windows), mpb.PrependDecorators(
			decor.Name(now.Pipeline, decor.WCSyncSpaceR), decor.CountersNoUnit("%d/%d "+p.unit, decor.WCSyncSpace),
		), mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.text(b) })))
		p.byName[now.Pipeline] = b
	}
	b.last.Store(&now)
	b.SetCurrent(int64(now.Done))
}

// text is what stands behind a bar.
func (p *progress) text(b *bar) string {
	last := b.last.Load()
	if p.unit == "files" {
		return " " + bytesText(last.Read) + " read"
	}
	budget := p.budget(last.Pipeline)
	if budget == nil { // nothing is asked of the API, and nothing is new
		return fmt.Sprintf(" %d jobs", last.Read)
	}
	line := fmt.Sprintf(" %d jobs, %d new", last.Read, last.New)
	if left, limit, ok := budget.Left(); ok {
		line += fmt.Sprintf(", %d of %d requests left", left, limit)
	}
	return line
}

// stop draws the bars for the last time.
func (p *progress) stop() {
	p.mu.Lock()
	bars := p.bars
	for _, b := range p.byName {
		b.Abort(false)
	}
	p.mu.Unlock()
	if bars != nil {
		p.app.screen.show(nil)
		bars.Wait()
	}
}
