package pipeline

import (
	"context"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// Outlook is what a run would have to do for one pipeline.
type Outlook struct {
	Pipeline string    `json:"pipeline"`
	Windows  int       `json:"windows"` // due in all
	Fresh    int       `json:"fresh"`   // of which nothing is archived yet
	Partial  int       `json:"partial"` // read in part
	Audits   int       `json:"audits"`  // complete, to be counted once
	Last     int       `json:"last_calls"`
	Sealed   int       `json:"sealed"`
	Open     int       `json:"open"`     // jobs to be asked for
	Jobs     int64     `json:"jobs"`     // to be listed, as the server counts; UnknownTotal if it does not
	Requests int64     `json:"requests"` // estimated
	From     time.Time `json:"from"`     // of what is to be listed; zero: nothing
	To       time.Time `json:"to"`
}

// Plan says what [Runner.Run] would do for a pipeline. It makes two requests
// and changes nothing.
func (r *Runner) Plan(ctx context.Context, spec Spec) (Outlook, error) {
	base, _, err := r.cutoffBase(ctx)
	if err != nil {
		return Outlook{}, err
	}
	p := &pipelineRun{Runner: r, Spec: spec, base: base, warned: map[string]bool{}}
	p.prover = NewProver(r.Source, spec.Filter.ExtractorID, r.Paging.Size, r.Paging.InFlight)
	o := Outlook{Pipeline: spec.Name, To: base.Add(-spec.Settle)}
	for _, w := range p.due() {
		h, err := r.Stores.Ledger.Load(ctx, spec.Name, w)
		if err != nil {
			return o, err
		}
		o.add(h, base, o.To)
	}
	if o.From.IsZero() {
		o.Requests = int64(o.Open + o.Audits)
		return o, nil
	}
	page, err := p.prover.count(ctx, Window{Start: o.From, End: o.To})
	if err != nil {
		return o, err
	}
	o.Jobs = page.Total
	o.Requests = ReadingRequests(o.Fresh+o.Partial+o.Last, o.Jobs, r.Paging.Size) + int64(o.Open+o.Audits)
	return o, nil
}

// ReadingRequests estimates how many requests it takes to read so many windows
// that hold so many jobs in all, which may be [docextract.UnknownTotal].
func ReadingRequests(windows int, jobs int64, pageSize int) int64 {
	if jobs == docextract.UnknownTotal {
		return int64(windows)
	}
	return int64(windows) + jobs/int64(max(1, pageSize))
}

func (o *Outlook) add(h *History, base, settled time.Time) {
	o.Windows++
	list := func() {
		from := h.CoveredTo()
		if o.From.IsZero() || from.Before(o.From) {
			o.From = from
		}
	}
	switch {
	case h.Sealed():
		o.Sealed++
	case base.Sub(h.Window.End) >= lastCallAge:
		o.Last++
		o.From = h.Window.Start
	case h.Head == nil:
		o.Fresh++
		list()
	case h.CoveredTo().Before(h.Window.End) && h.CoveredTo().Before(settled):
		o.Partial++
		o.Open += len(h.Open())
		list()
	default:
		o.Audits++
		o.Open += len(h.Open())
	}
}
