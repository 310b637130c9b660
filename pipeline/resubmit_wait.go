package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// patienceStep is how long new jobs are left alone before they are asked for
// again.
const patienceStep = 5 * time.Second

// waitForAll asks for the jobs that were submitted until all are final, and
// reports how they ended.
func (r *resubmission) waitForAll(ctx context.Context) error {
	for {
		waiting := 0
		for i := range r.report.Jobs {
			j := &r.report.Jobs[i]
			if j.JobID == "" || docextract.Status(j.Status).Final() {
				continue
			}
			job, err := r.Source.Job(ctx, j.JobID)
			switch {
			case docextract.NotFound(err): // it may not be visible yet
			case err != nil:
				return fmt.Errorf("wait for the new jobs, all of which are recorded: %w", err)
			default:
				j.Status = string(job.Status)
			}
			if !docextract.Status(j.Status).Final() {
				waiting++
			}
		}
		if waiting == 0 {
			return nil
		}
		if r.told() {
			return ErrStopped
		}
		if err := r.Sleep(ctx, patienceStep); err != nil {
			return err
		}
	}
}
