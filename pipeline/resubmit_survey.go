package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// child is a job that says that it is a resubmission of another.
type child struct {
	id    string // empty for what is no readable job
	token string
}

// survey is what is known of failed jobs and of what was made of them.
type survey struct {
	choice   *Choice
	children map[string][]child // original's id → jobs made from it
	origin   map[string]link    // job's id → what it was made from
	failed   map[string]failedJob
	covered  []Window // read completely from the raw layer
	gaps     []Window // could not be read completely
	problems []Problem
}

func newSurvey(c *Choice) *survey {
	return &survey{choice: c, children: map[string][]child{}, origin: map[string]link{}, failed: map[string]failedJob{}}
}

// note takes notice of an element of a listing or of the raw layer. id is empty
// if it is no job.
func (s *survey) note(id string, raw []byte) {
	l := linkOf(raw)
	if l.from == "" {
		return
	}
	c := child{id: id, token: l.token}
	if !slices.Contains(s.children[l.from], c) {
		s.children[l.from] = append(s.children[l.from], c)
	}
	if id != "" {
		s.origin[id] = l
	}
}

// candidate takes notice of a job that may be chosen.
func (s *survey) candidate(job docextract.Job) {
	if !s.choice.matches(&job) {
		return
	}
	job.Raw = slices.Clone(job.Raw)
	if f := readFailed(job); s.choice.wants(&f) {
		s.failed[job.ID] = f
	}
}

// generation is how many resubmissions a job goes back to, itself included: as
// many as can be followed, or more where one of them says so.
func (s *survey) generation(f *failedJob) int {
	length, most := 0, f.generation
	seen := map[string]bool{}
	for l := f.link; l.from != "" && !seen[l.from]; l = s.origin[l.from] {
		most = max(most, length+l.generation)
		length++
		seen[l.from] = true
	}
	return max(length, most)
}

// byToken returns the job that an intent has led to.
func (s *survey) byToken(in *Intent) (c child, found bool) {
	for _, c := range s.children[in.Original] {
		if c.token == in.Token {
			return c, true
		}
	}
	return child{}, false
}

// oldest returns the candidates in the order in which they expire.
func (s *survey) oldest() []failedJob {
	all := make([]failedJob, 0, len(s.failed))
	for _, f := range s.failed {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b failedJob) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return all
}

// doubtful reports whether a resubmission of the job may have been overlooked.
func (s *survey) doubtful(f *failedJob) bool {
	return slices.ContainsFunc(s.gaps, func(w Window) bool { return w.End.After(f.CreatedAt) })
}

// readArchive reads the raw layer from the choice's first window on.
func (s *survey) readArchive(ctx context.Context, lib Library) error {
	names, err := lib.Windows(ctx, s.choice.Pipeline)
	if err != nil {
		return err
	}
	for _, name := range names {
		w, err := ParseWindow(name, s.choice.Window)
		if err != nil {
			return err
		}
		if !w.End.After(s.choice.Since) {
			continue
		}
		if err := s.readWindow(ctx, lib, w); err != nil {
			return fmt.Errorf("window %s: %w", name, err)
		}
	}
	return nil
}

// readWindow reads a window's jobs. It counts as covered as far as all jobs in
// it are in the raw layer.
func (s *survey) readWindow(ctx context.Context, lib Library, w Window) error {
	var head *Record
	whole := true
	err := lib.Records(ctx, s.choice.Pipeline, w, func(r *Record) error {
		head = r
		whole = whole && len(r.Rejected) == 0
		if r.Rows == 0 {
			return nil
		}
		err := RawJobs(ctx, lib, r, func(job docextract.Job) error {
			s.note(job.ID, job.Raw)
			if !s.choice.FromAPI {
				s.candidate(job)
			}
			return nil
		})
		if errors.Is(err, ErrNoRaw) {
			whole = false
			s.problems = append(s.problems, Problem{r.Window, err.Error() + "; --from api finds failed jobs without it"})
			return nil
		}
		if err != nil {
			return err
		}
		return s.noteKept(ctx, lib, r)
	})
	if err != nil || head == nil {
		return err
	}
	if whole && head.Excluded == 0 && len(head.Open) == 0 && len(head.Unfinished) == 0 {
		s.covered = append(s.covered, Window{Start: w.Start, End: head.CoveredTo})
	}
	return nil
}

// noteKept notes of the candidates among a record's jobs which document they
// have in the archive.
func (s *survey) noteKept(ctx context.Context, lib Library, r *Record) error {
	return recordDocuments(ctx, lib, r, func(d KeptDocument) error {
		if f, is := s.failed[d.ID]; is && d.SHA256 != "" {
			f.kept = &d
			s.failed[d.ID] = f
		}
		return nil
	})
}

// uncovered returns the parts of [from, to) that were not read.
func (s *survey) uncovered(from, to time.Time) []Window {
	covered := slices.Clone(s.covered)
	slices.SortFunc(covered, func(a, b Window) int { return a.Start.Compare(b.Start) })
	var left []Window
	for _, w := range covered {
		if !w.Start.Before(to) || !w.End.After(from) {
			continue
		}
		if w.Start.After(from) {
			left = append(left, Window{Start: from, End: w.Start})
		}
		from = w.End
	}
	if from.Before(to) {
		left = append(left, Window{Start: from, End: to})
	}
	return left
}

// listed reads a slice of the API's listing into a survey.
type listed struct {
	*survey
	candidates bool // the failed jobs in it may be chosen
}

// visit implements visitor.
func (l listed) visit(page *docextract.Page) error {
	for i := range page.Jobs {
		l.note(page.Jobs[i].ID, page.Jobs[i].Raw)
		if l.candidates {
			l.candidate(page.Jobs[i])
		}
	}
	for _, m := range page.Malformed {
		l.note("", m.Raw)
	}
	return nil
}

// proven implements visitor.
func (listed) proven(time.Time, Proof) error { return nil }

// prove reads a slice of the listing, and reports whether nothing was missed.
func (s *survey) prove(ctx context.Context, p *Prover, w Window, candidates bool) (proven bool, err error) {
	if w.Empty() {
		return true, nil
	}
	out, err := p.prove(ctx, w, listed{s, candidates})
	return err == nil && len(out.gaps) == 0, err
}
