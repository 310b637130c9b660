package docextracttest

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// statistics is the answer of GET /v1/documents/stats.
type statistics struct {
	Period      string           `json:"period"`
	Total       int              `json:"total_jobs"`
	Completed   int              `json:"completed_jobs"`
	Failed      int              `json:"failed_jobs"`
	SuccessRate float64          `json:"success_rate"`
	AvgTime     int64            `json:"avg_processing_time_ms"`
	AvgConf     float64          `json:"avg_confidence"`
	Credits     int              `json:"total_credits_used"`
	ByExtractor []extractorStats `json:"by_extractor"`
	ByStatus    map[string]int   `json:"by_status"`
}

type extractorStats struct {
	ID          string  `json:"extractor_id"`
	Name        string  `json:"extractor_name"`
	Jobs        int     `json:"job_count"`
	SuccessRate float64 `json:"success_rate"`
}

// stats answers the statistics of a period up to now.
func (x *exchange) stats() answer {
	period := x.request.URL.Query().Get("period")
	if period == "" {
		period = "30d"
	}
	length, ok := parsePeriod(period)
	if !ok {
		return x.refuse(badParameter("period", "a number of hours or days, such as 24h or 30d"))
	}
	v := x.sim.view(x.set)
	v.oldest = max(v.oldest, v.now-length.Microseconds())
	c := counts{sim: x.sim, view: &v}
	c.count()
	return x.json(http.StatusOK, c.statistics(period))
}

func parsePeriod(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	unit := map[byte]time.Duration{'h': time.Hour, 'd': day}[text[len(text)-1]]
	n, err := strconv.Atoi(text[:len(text)-1])
	return time.Duration(n) * unit, err == nil && unit > 0 && n > 0 && n <= 100_000
}

// counts sums up jobs.
type counts struct {
	sim  *Simulator
	view *view

	byStatus   [otherStatus + 1]int
	byKind     [kindCount][otherStatus + 1]int
	work       int64
	rated      int
	confidence float64
	credits    int
}

func (c *counts) count() {
	s := c.sim.store
	s.mu.RLock()
	defer s.mu.RUnlock()
	sel := s.selectLocked(filter{status: anyStatus, from: math.MinInt64, to: never}, c.view)
	for i := range sel.n {
		it := s.itemLocked(sel.index(i))
		st := it.status(c.view.clock)
		c.byStatus[st]++
		if it.kind != noKind {
			c.byKind[it.kind][st]++
		}
		if st.final() {
			c.work += int64(it.work)
		}
		if r, ok := c.view.rater.rate(&it, c.view.clock); ok {
			c.confidence += r.mean()
			c.rated++
		}
		switch {
		case it.special == nil:
			c.credits += creditsFor(s.plan.pages(it.number()))
		case it.special.document != nil:
			c.credits += it.special.document.credits
		}
	}
}

func (c *counts) statistics(period string) statistics {
	done := c.byStatus[completed] + c.byStatus[failed]
	out := statistics{
		Period: period, Completed: c.byStatus[completed], Failed: c.byStatus[failed],
		SuccessRate: ratio(c.byStatus[completed], done), Credits: c.credits,
		ByStatus: map[string]int{},
	}
	for st, name := range statusNames {
		out.ByStatus[name] = c.byStatus[st]
	}
	for _, n := range c.byStatus {
		out.Total += n
	}
	if done > 0 {
		out.AvgTime = c.work / int64(done)
	}
	if c.rated > 0 {
		out.AvgConf = round(c.confidence / float64(c.rated))
	}
	out.ByExtractor = []extractorStats{}
	for i, byStatus := range c.byKind {
		jobs := 0
		for _, n := range byStatus {
			jobs += n
		}
		if jobs > 0 {
			out.ByExtractor = append(out.ByExtractor, extractorStats{
				ID: kindIDs[i], Name: c.sim.kinds[i].name, Jobs: jobs,
				SuccessRate: ratio(byStatus[completed], byStatus[completed]+byStatus[failed]),
			})
		}
	}
	return out
}

// ratio is n of all; 0 of none is 0.
func ratio(n, all int) float64 { return round(float64(n) / float64(max(1, all))) }

func round(x float64) float64 { return math.Round(x*10_000) / 10_000 }
