package iceberg

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/adteco/docarchive/pipeline"
)

// model is an archive whose files hold numbered rows, and a table of it.
type model struct {
	want contents
	have held
	rows map[string][]int // by file
	next int
	gone []string // files that were replaced
}

func newModel() *model {
	return &model{
		want: contents{current: map[string]pipeline.File{}, swapped: map[string]bool{}},
		have: held{files: map[string]bool{}, commits: map[string]bool{}},
		rows: map[string][]int{},
	}
}

// commit adds a record of one or two files, with a row in each.
func (m *model) commit(t *rapid.T) {
	c := commit{id: fmt.Sprintf("p/w/%d", m.next), nonce: "n"}
	for range rapid.IntRange(1, 2).Draw(t, "files") {
		key := fmt.Sprintf("p/%03d.parquet", m.next)
		m.rows[key] = []int{m.next}
		m.want.current[key], m.want.swapped[key] = pipeline.File{Path: key, Rows: 1}, false
		c.files = append(c.files, key)
		m.next++
	}
	m.want.commits = append(m.want.commits, c)
}

// swap merges some of the current files.
func (m *model) swap(t *rapid.T) {
	var keys []string
	for key := range m.want.current {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if len(keys) == 0 {
		return
	}
	m.want.swap++
	merged := fmt.Sprintf("p/compact-%03d.parquet", m.want.swap)
	from := rapid.IntRange(0, len(keys)-1).Draw(t, "from")
	to := rapid.IntRange(from+1, len(keys)).Draw(t, "to")
	for _, key := range keys[from:to] {
		m.rows[merged] = append(m.rows[merged], m.rows[key]...)
		m.gone = append(m.gone, key)
		delete(m.want.current, key)
		delete(m.want.swapped, key)
	}
	m.want.current[merged], m.want.swapped[merged] = pipeline.File{Path: merged}, true
}

// take does what a step says, as a table would.
func (m *model) take(t *rapid.T, s step) {
	for _, key := range s.remove {
		if !m.have.files[key] {
			t.Fatalf("%s is removed and not there", key)
		}
		delete(m.have.files, key)
	}
	for _, key := range s.add {
		if m.have.files[key] || slices.Contains(m.gone, key) {
			t.Fatalf("%s is added and there, or gone", key)
		}
		m.have.files[key] = true
	}
	if id := s.properties[propCommit]; id != "" {
		m.have.commits[id] = true
	} else {
		m.have.swap = m.want.swap
	}
	seen := map[int]bool{}
	for key := range m.have.files {
		for _, row := range m.rows[key] {
			if seen[row] {
				t.Fatalf("row %d is there twice after %+v", row, s)
			}
			seen[row] = true
		}
	}
}

// However commits, swaps, and syncs that stop midway follow one another, no row
// is ever there twice, no file that is gone is added, and a sync that ends has
// made the table what the archive is.
func TestPlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		sync := func(stop int) {
			steps, err := plan(&m.want, m.have)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range steps[:min(len(steps), stop)] {
				m.take(t, s)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"commit":  m.commit,
			"swap":    m.swap,
			"stopped": func(t *rapid.T) { sync(rapid.IntRange(0, 3).Draw(t, "steps")) },
			"sync": func(t *rapid.T) {
				sync(1 << 30)
				if steps, err := plan(&m.want, m.have); err != nil || len(steps) > 0 {
					t.Fatalf("something is left to do: %v, %v", steps, err)
				}
				for key := range m.want.current {
					if !m.have.files[key] {
						t.Fatalf("%s is missing", key)
					}
				}
				if len(m.have.files) != len(m.want.current) {
					t.Fatal("the table has more than the archive")
				}
			},
		})
	})
}

// A file that is neither the archive's nor replaced by a new swap, and one that
// was registered and is gone, are another's doing.
func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*held){
		"a foreign file": func(h *held) { h.files["p/x.parquet"] = true },
		"a missing file": func(h *held) { delete(h.files, "p/a.parquet") },
	} {
		want := contents{
			commits: []commit{{id: "p/w/1", files: []string{"p/a.parquet"}}},
			current: map[string]pipeline.File{"p/a.parquet": {}}, swapped: map[string]bool{},
		}
		have := held{files: map[string]bool{"p/a.parquet": true}, commits: map[string]bool{"p/w/1": true}}
		change(&have)
		if steps, err := plan(&want, have); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v, %v", name, steps, err)
		}
	}
}
