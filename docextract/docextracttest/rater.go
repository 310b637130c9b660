package docextracttest

import (
	"strconv"
	"sync"

	"github.com/adteco/docarchive/internal/rawjson"
)

// rating is the confidence in a job, in ten thousandths.
type rating struct {
	sum, n uint32
	low    uint16
}

func (r *rating) add(c int) {
	r.sum += uint32(c)
	r.n++
	r.low = min(r.low, uint16(c))
}

// reaches compares with min_confidence.
func (r *rating) reaches(least float64, lowest bool) bool {
	if lowest {
		return float64(r.low) >= least*10_000
	}
	return r.mean() >= least
}

func (r *rating) mean() float64 { return float64(r.sum) / float64(r.n) / 10_000 }

// rater knows the confidence in every job. It finds it by rendering the job,
// once, because the confidence depends on which fields there are.
type rater struct {
	press *press

	mu    sync.Mutex
	known []rating // of generated jobs, by number; n is 0 where not known yet
}

// rate returns the confidence in a job; ok is false if it has none.
func (r *rater) rate(it *item, c clock) (_ rating, ok bool) {
	switch {
	case it.special != nil && it.special.raw != nil:
		return ratingOf(member(it.special.raw, "confidence"))
	case it.status(c) != completed:
		return rating{}, false
	case it.special != nil:
		return r.compute(it), true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := int(it.ref)
	if n >= len(r.known) {
		r.known = append(r.known, make([]rating, max(r.press.plan.jobs, n+1024)-len(r.known))...)
	}
	if r.known[n].n == 0 {
		r.known[n] = r.compute(it)
	}
	return r.known[n], true
}

func (r *rater) compute(it *item) rating {
	w := r.press.writer()
	defer r.press.writers.Put(w)
	w.b = w.scratch[:0]
	rated := r.press.renderData(w, it, it.number())
	w.scratch, w.b = w.b, nil
	return rated
}

// ratingOf reads the confidences of a job inserted by hand.
func ratingOf(raw []byte) (r rating, ok bool) {
	r.low = 10_000
	s := rawjson.NewScanner(raw)
	if s.Peek() != rawjson.Object {
		return r, false
	}
	err := s.Object(func([]byte) error {
		value, err := s.Value()
		if c, bad := strconv.ParseFloat(string(value), 64); bad == nil && c >= 0 && c <= 1 {
			r.add(int(c*10_000 + 0.5))
		}
		return err
	})
	return r, err == nil && r.n > 0
}

// member returns the raw value of an object's member; nil if there is none. Of
// twins the last counts.
func member(raw []byte, name string) []byte {
	s := rawjson.NewScanner(raw)
	if s.Peek() != rawjson.Object {
		return nil
	}
	var found []byte
	err := s.Object(func(key []byte) error {
		value, err := s.Value()
		if text, _ := rawjson.Text(key); text == name {
			found = value
		}
		return err
	})
	if err != nil {
		return nil
	}
	return found
}
