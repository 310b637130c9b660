package main

import (
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// submitProgress shows how far a batch has come: beside a spinner on a
// terminal, by a log line now and then elsewhere. It is used by one goroutine
// at a time.
type submitProgress struct {
	app    *app
	text   atomic.Pointer[string] // the spinner is drawn by a goroutine of its own
	bars   *mpb.Progress          // nil: no terminal
	bar    *mpb.Bar
	logged time.Time
}

func (a *app) newSubmitProgress() *submitProgress {
	p := &submitProgress{app: a, logged: time.Now()}
	nothing := ""
	p.text.Store(&nothing)
	if terminal(a.stderr) && !a.flags.quiet {
		p.bars = mpb.New(mpb.WithOutput(a.screen.below), mpb.WithWidth(3), mpb.WithRefreshRate(150*time.Millisecond))
		a.screen.show(p.bars)
		p.bar = p.bars.New(0, mpb.SpinnerStyle(), mpb.AppendDecorators(
			decor.Any(func(decor.Statistics) string { return *p.text.Load() }),
		))
	}
	return p
}

func (p *submitProgress) update(text string) {
	p.text.Store(&text)
	if p.bars == nil && time.Since(p.logged) >= logEvery {
		p.logged = time.Now()
		p.app.log.Info("progress", "documents", text)
	}
}

// stop removes the spinner.
func (p *submitProgress) stop() {
	if p.bars != nil {
		p.app.screen.show(nil)
		p.bar.Abort(true)
		p.bars.Wait()
	}
}
