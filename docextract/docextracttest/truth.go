package docextracttest

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/adteco/docarchive/internal/rawjson"
)

// TruthJob is a job as the server would answer it now, whether or not it still
// would.
type TruthJob struct {
	ID          string // empty if a job inserted by hand has none
	ExtractorID string
	Status      string
	CreatedAt   time.Time // as it is sent; for a job inserted by hand, where it was inserted
	Final       bool
	Expired     bool   // past retention
	Removed     bool   // by [Simulator.Remove]
	Malformed   bool   // inserted by hand, and not a job
	Raw         []byte // the bytes that a listing and GET send; good until the function returns
}

// Truth calls f for every job ever created, in the order of created_at, those
// removed last. It ends with f's first error. Faults do not touch it.
func (s *Simulator) Truth(f func(TruthJob) error) error {
	set := s.knobs.load()
	v := s.view(set)
	press := s.press(set)
	items, removed := s.store.snapshot()
	var raw []byte
	for i := range items {
		it := &items[i]
		if it.created > v.now {
			continue
		}
		raw = press.append(raw[:0], it, v.clock)
		job := TruthJob{
			Expired: it.created < v.oldest,
			Removed: i >= len(items)-removed,
			Raw:     raw,
		}
		s.describe(&job, it, &v, set)
		if err := f(job); err != nil {
			return err
		}
	}
	return nil
}

func (s *Simulator) describe(job *TruthJob, it *item, v *view, set *settings) {
	st := it.status(v.clock)
	job.Final = st.final()
	job.CreatedAt = time.UnixMicro(it.created).UTC().Truncate(set.look.resolution)
	if it.special == nil || it.special.raw == nil {
		job.ID, job.ExtractorID, job.Status = s.store.plan.id(it.number()), kindIDs[it.kind], statusNames[st]
		return
	}
	job.ID, job.ExtractorID, job.Malformed = it.special.id, it.special.label, it.special.problem
	job.Status = textMember(it.special.raw, "status")
	job.CreatedAt = time.UnixMicro(it.created).UTC()
	job.Final = job.Final && !job.Malformed
}

// WriteTruth writes every job ever created as a line of JSON, in the order of
// [Simulator.Truth].
func (s *Simulator) WriteTruth(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	err := s.Truth(func(job TruthJob) error {
		if _, err := out.Write(job.Raw); err != nil {
			return err
		}
		return out.WriteByte('\n')
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	return nil
}

// AddRaw inserts a listing's element made by hand, which need not be a job. It
// stands where a job created at createdAt would, and is sent as it is; filters
// read what they can of it. A raw that is not JSON breaks every page it is on.
func (s *Simulator) AddRaw(createdAt time.Time, raw []byte) {
	sp, e := handMade(raw)
	e.created = createdAt.UnixMicro()
	e.finish = e.created
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.addLocked(e, sp)
}

// Replace puts a job made by hand in the place of the job of that id, as if the
// server had changed it. It reports whether there was one.
func (s *Simulator) Replace(id string, raw []byte) bool {
	sp, e := handMade(raw)
	return s.store.replace(id, sp, e.outcome, e.kind)
}

// Remove deletes the job of that id, as if somebody had. It reports whether
// there was one.
func (s *Simulator) Remove(id string) bool { return s.store.remove(id) }

func handMade(raw []byte) (*special, entry) {
	sp := &special{raw: append([]byte(nil), raw...)}
	sp.id = textMember(sp.raw, "id")
	sp.label = textMember(sp.raw, "extractor_id")
	created, err := time.Parse(time.RFC3339Nano, textMember(sp.raw, "created_at"))
	sp.problem = sp.id == "" || textMember(sp.raw, "status") == "" || err != nil ||
		created.UTC().Year() < 2000 || created.UTC().Year() >= 2200 || hasTwins(sp.raw)
	return sp, entry{outcome: statusNamed(textMember(sp.raw, "status")), kind: kindOf(sp.label)}
}

// textMember is the string that an object has under that name; empty if it has
// none.
func textMember(raw []byte, name string) string {
	value := member(raw, name)
	if len(value) == 0 || value[0] != '"' {
		return ""
	}
	text, exact := rawjson.Text(value)
	if !exact {
		return ""
	}
	return text
}

// hasTwins reports whether a key that identifies the job stands twice.
func hasTwins(raw []byte) bool {
	seen := map[string]bool{}
	s := rawjson.NewScanner(raw)
	twins := false
	// raw was read once before: if it is no object, it has no id either.
	_ = s.Object(func(key []byte) error {
		name, _ := rawjson.Text(key)
		switch name {
		case "id", "extractor_id", "status", "created_at":
			twins = twins || seen[name]
			seen[name] = true
		}
		_, err := s.Value()
		return err
	})
	return twins
}
