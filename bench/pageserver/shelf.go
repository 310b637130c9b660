// Package pageserver answers listings of a workload from memory: the jobs are
// made once, and a page is a few slices of what was made. It speaks as much of
// the API as an archive run needs, so that what is measured against it is the
// client.
package pageserver

import (
	"bufio"
	"io"
	"math"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/bench/workload"
)

// chunkJobs is how many jobs stand in one piece of memory.
const chunkJobs = 4096

// Shelf holds the bytes of all jobs, in order of creation. It does not change,
// so it may be read by many at once.
type Shelf struct {
	spec    workload.Spec
	chunks  []chunk
	created []int64 // Unix microseconds
	kind    []uint8 // extractor
	failed  []bool
}

// chunk is the jobs that stand together, each followed by a comma.
type chunk struct {
	bytes  []byte
	begins []uint32 // of each job, and the end
}

// Fill makes all jobs of the workload. It holds them in memory: about 1.5 kB
// each.
func Fill(spec workload.Spec) *Shelf {
	n := spec.Jobs
	s := &Shelf{
		spec: spec, chunks: make([]chunk, (n+chunkJobs-1)/chunkJobs),
		created: make([]int64, n), kind: make([]uint8, n), failed: make([]bool, n),
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for c := range s.chunks {
		group.Go(func() error {
			s.fill(c)
			return nil
		})
	}
	_ = group.Wait() // no chunk fails
	return s
}

func (s *Shelf) fill(c int) {
	first, last := c*chunkJobs, min((c+1)*chunkJobs, s.spec.Jobs)
	var scratch []byte
	begins := make([]uint32, 0, last-first+1)
	for i := first; i < last; i++ {
		begins = append(begins, uint32(len(scratch)))
		scratch = append(s.spec.Append(scratch, i), ',')
		s.created[i] = s.spec.CreatedAt(i).UnixMicro()
		s.kind[i] = uint8(s.spec.Extractor(i))
		s.failed[i] = s.spec.Status(i) == "failed"
	}
	exact := make([]byte, len(scratch)) // the scratch has room to spare
	copy(exact, scratch)
	s.chunks[c] = chunk{exact, append(begins, uint32(len(exact)))}
}

// WriteLines writes all jobs as JSON lines.
func (s *Shelf) WriteLines(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<20)
	for i := range s.spec.Jobs {
		if _, err := out.Write(s.job(i)); err != nil {
			return err
		}
		if err := out.WriteByte('\n'); err != nil {
			return err
		}
	}
	return out.Flush()
}

// job is the JSON of job i.
func (s *Shelf) job(i int) []byte { return s.span(i, i+1) }

// span is the JSON of the jobs [i, j) of one chunk, with commas between them.
func (s *Shelf) span(i, j int) []byte {
	c := &s.chunks[i/chunkJobs]
	at := i % chunkJobs
	return c.bytes[c.begins[at] : c.begins[at+j-i]-1]
}

// find returns the number of the job with the id.
func (s *Shelf) find(id string) (i int, ok bool) {
	const digits = 8 // the number stands at the end, in hexadecimal
	n, err := strconv.ParseInt(id[max(0, len(id)-digits):], 16, 64)
	if err != nil || n < 0 || n >= int64(s.spec.Jobs) {
		return 0, false
	}
	return int(n), strings.Contains(string(s.job(int(n))[:64]), `"`+id+`"`)
}

// filter says which jobs are wanted.
type filter struct {
	after, before time.Time // both included; zero: no bound
	extractor     string
	status        string
}

// selection is the numbers of the jobs that a filter lets through: all of
// [lo, hi), or those that are listed.
type selection struct {
	lo, hi int
	listed []int // used if some is set
	some   bool
}

func (s selection) total() int {
	if s.some {
		return len(s.listed)
	}
	return s.hi - s.lo
}

func (s *Shelf) choose(f filter) selection {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !f.after.IsZero() {
		// A bound between two microseconds includes the later one only.
		from = f.after.Add(time.Microsecond - time.Nanosecond).UnixMicro()
	}
	if !f.before.IsZero() {
		to = f.before.UnixMicro()
	}
	sel := selection{
		lo: sort.Search(len(s.created), func(i int) bool { return s.created[i] >= from }),
		hi: sort.Search(len(s.created), func(i int) bool { return s.created[i] > to }),
	}
	sel.hi = max(sel.lo, sel.hi)
	if f.extractor == "" && f.status == "" {
		return sel
	}
	sel.some = true
	ids := s.spec.ExtractorIDs()
	for i := sel.lo; i < sel.hi; i++ {
		status := "completed"
		if s.failed[i] {
			status = "failed"
		}
		if (f.extractor == "" || f.extractor == ids[s.kind[i]]) && (f.status == "" || f.status == status) {
			sel.listed = append(sel.listed, i)
		}
	}
	return sel
}

// page returns the JSON of the selection's jobs [offset, offset+limit), without
// commas between the pieces, and their number.
func (s *Shelf) page(sel selection, offset, limit int) (pieces [][]byte, items int) {
	offset = min(offset, sel.total())
	end := min(offset+limit, sel.total())
	if sel.some {
		for _, i := range sel.listed[offset:end] {
			pieces = append(pieces, s.job(i))
		}
		return pieces, end - offset
	}
	for i, last := sel.lo+offset, sel.lo+end; i < last; {
		next := min(last, (i/chunkJobs+1)*chunkJobs)
		pieces = append(pieces, s.span(i, next))
		i = next
	}
	return pieces, end - offset
}
