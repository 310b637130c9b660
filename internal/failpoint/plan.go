//go:build failpoint && unix

package failpoint

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// plan says which hits act, and how.
type plan struct {
	log *os.File // nil: none

	mu    sync.Mutex
	rules []*rule
}

// rule is one NAME=ACTION:N.
type rule struct {
	name        string // or *
	action      string
	hits        int
	nth         int     // acts at this hit; 0: by probability
	probability float64 // of each hit
}

const anyName = "*"

// parsePlan reads the text of the environment; empty is a plan by which nothing
// happens.
func parsePlan(text string) (*plan, error) {
	p := &plan{}
	if text == "" {
		return p, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		r, err := parseRule(part)
		if err != nil {
			return nil, err
		}
		p.rules = append(p.rules, r)
	}
	return p, nil
}

func parseRule(text string) (*rule, error) {
	name, rest, _ := strings.Cut(text, "=")
	action, when, has := strings.Cut(rest, ":")
	r := &rule{name: name, action: action, nth: 1}
	if name != anyName && !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("there is no failpoint %q", name)
	}
	if !slices.Contains([]string{"kill", "term", "stop", "error", "sleep"}, action) {
		return nil, fmt.Errorf("there is no action %q", action)
	}
	if !has {
		return r, nil
	}
	var err error
	if strings.Contains(when, ".") {
		r.nth = 0
		r.probability, err = strconv.ParseFloat(when, 64)
	} else {
		r.nth, err = strconv.Atoi(when)
	}
	if err != nil || r.nth < 0 || r.nth == 0 && (r.probability <= 0 || r.probability > 1) {
		return nil, fmt.Errorf("%q is neither the number of a hit nor a probability", when)
	}
	return r, nil
}

// hit counts a hit and returns the action that is due, or nothing.
func (p *plan) hit(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rules {
		if r.name != name && r.name != anyName {
			continue
		}
		r.hits++
		if r.hits == r.nth || r.nth == 0 && rand.Float64() < r.probability {
			return r.action
		}
	}
	return ""
}
