package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// planned is a pipeline's outlook and whose requests it takes.
type planned struct {
	pipeline.Outlook
	Key string `json:"key,omitempty"` // the name of the API key; empty: the default one
}

// demand is what a run asks of one API key. The key's rate limit is what a run
// waits for, however many workers share it.
type demand struct {
	Key       string   `json:"key,omitempty"`
	Pipelines []string `json:"pipelines"`
	Requests  int64    `json:"requests"`
	PerMinute float64  `json:"requests_per_minute,omitempty"` // that it allows in the long run; 0: nothing says
	Hours     float64  `json:"hours,omitempty"`               // that the requests take at least
}

// demands adds up what the pipelines ask of each key.
func (w *workplace) demands(all []planned) []demand {
	var each []demand
	at := map[string]int{}
	for _, p := range all {
		i, has := at[p.Key]
		if !has {
			i = len(each)
			at[p.Key], each = i, append(each, demand{Key: p.Key, PerMinute: w.accounts[p.Key].pace()})
		}
		each[i].Pipelines = append(each[i].Pipelines, p.Pipeline)
		each[i].Requests += p.Requests
		if each[i].PerMinute > 0 {
			each[i].Hours = float64(each[i].Requests) / each[i].PerMinute / 60
		}
	}
	return each
}

// pace is how many requests a minute the account may make; 0 if nothing says.
func (acc *account) pace() float64 {
	own := float64(acc.RequestsPerMinute)
	told, ok := acc.budget.Pace()
	switch {
	case !ok:
		return own
	case own > 0:
		return min(own, told)
	}
	return told
}

// plan is what plan prints for machines.
type plan struct {
	Pipelines []planned `json:"pipelines"`
	Keys      []demand  `json:"keys"`
	Hours     float64   `json:"hours"`          // of the slowest key: they are used at once
	Useful    int       `json:"useful_workers"` // more than these cannot go faster, as far as rate limits are what a run waits for
}

func (a *app) printPlan(out io.Writer, all []planned, keys []demand) error {
	out = a.hide.writer(out)
	var total int64
	whole := plan{Pipelines: all, Keys: keys, Useful: len(keys)}
	for _, k := range keys {
		total += k.Requests
		whole.Hours = max(whole.Hours, k.Hours)
	}
	if a.json() {
		return printJSON(out, whole)
	}
	t := newTable("pipeline", "windows", "new", "in part", "to audit", "last call", "sealed", "open jobs", "jobs to list", "requests", "time")
	right(t, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	paces := map[string]float64{}
	for _, k := range keys {
		paces[k.Key] = k.PerMinute
	}
	for _, o := range all {
		jobs := fmt.Sprint(o.Jobs)
		if o.Jobs < 0 {
			jobs = "unknown"
		}
		t.AppendRow([]any{
			o.Pipeline, o.Windows, o.Fresh, o.Partial, o.Audits, o.Last, o.Sealed, o.Open, jobs, o.Requests, timeFor(o.Requests, paces[o.Key]),
		})
	}
	text := t.Render()
	if len(keys) > 1 {
		text += "\n\n" + keyTable(keys)
	}
	_, err := fmt.Fprintf(out, "%s\n\n%s, %s; nothing was changed\n%s\n", text, words.Count(total, "request"), slowest(keys), workersAdvice(keys))
	return err
}

// keyTable is what each key has to bear.
func keyTable(keys []demand) string {
	t := newTable("API key", "pipelines", "requests", "a minute", "time")
	right(t, 3, 4, 5)
	for _, k := range keys {
		name, pace := k.Key, "unknown"
		if name == "" {
			name = "(api.key)"
		}
		if k.PerMinute > 0 {
			pace = fmt.Sprintf("%.4g", k.PerMinute)
		}
		t.AppendRow([]any{name, strings.Join(k.Pipelines, ", "), k.Requests, pace, timeFor(k.Requests, k.PerMinute)})
	}
	return t.Render()
}

// slowest is the time of the key that takes longest: keys are used at once.
func slowest(keys []demand) string {
	var last demand
	for _, k := range keys {
		if k.PerMinute <= 0 {
			return timeFor(k.Requests, 0)
		}
		if k.Hours >= last.Hours {
			last = k
		}
	}
	return timeFor(last.Requests, last.PerMinute)
}

// workersAdvice says how many workers are of use.
func workersAdvice(keys []demand) string {
	if len(keys) == 1 {
		return "one API key: more than one worker at a time cannot go faster, where the rate limit is what a run waits for"
	}
	return fmt.Sprintf("%d API keys: more than %d workers at a time cannot go faster, where the rate limits are what a run waits for", len(keys), len(keys))
}

func timeFor(requests int64, perMinute float64) string {
	if perMinute <= 0 {
		return "no rate limit known"
	}
	d := time.Duration(float64(requests) / perMinute * float64(time.Minute))
	if d < time.Minute {
		return "under a minute"
	}
	return "about " + words.Duration(d.Round(time.Minute))
}
