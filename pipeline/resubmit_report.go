package pipeline

// ResubmitReport is what a resubmission did, or would do.
type ResubmitReport struct {
	Pipeline string        `json:"pipeline"`
	RunID    string        `json:"run_id"`
	DryRun   bool          `json:"dry_run,omitempty"`
	Counts   ResubmitCount `json:"jobs"`
	Credits  float64       `json:"credits"`           // at most, for the jobs due in a dry run, else for those submitted
	Balance  *float64      `json:"balance,omitempty"` // before; absent if it could not be read
	Jobs     []Resubmitted `json:"attempts"`
	Stopped  string        `json:"stopped,omitempty"` // why jobs that were due are left
	Problems []Problem     `json:"problems,omitempty"`

	broken bool // it was not a limit that stopped it
}

// ResubmitCount counts failed jobs.
type ResubmitCount struct {
	Failed    int `json:"failed"`    // chosen
	Done      int `json:"done"`      // submitted again before, by whomever
	Refused   int `json:"refused"`   // whose document is known not to be taken
	Exhausted int `json:"exhausted"` // as often as is allowed
	Due       int `json:"due"`       // to be submitted now
	Submitted int `json:"submitted"` // now
	Held      int `json:"held"`      // not decided, or not to be repeated
	Left      int `json:"left"`      // due, and not attempted
}

// ResubmitState is what became of one job in a resubmission.
type ResubmitState string

// The states of a job beside the outcomes of an attempt.
const (
	StateDue     ResubmitState = "due"     // in a dry run
	StateHeld    ResubmitState = "held"    // an attempt may have been charged, or nothing could be proven
	StateFetch   ResubmitState = "unread"  // its document could not be fetched; nothing was recorded
	StateTaken   ResubmitState = "taken"   // another run attempts it, or it is not failed any more
	StateTrouble ResubmitState = "trouble" // the archive could not record the attempt
)

// Resubmitted is what became of one job.
type Resubmitted struct {
	Original string        `json:"original"`
	Code     string        `json:"code,omitempty"` // of the original's error
	Attempt  int           `json:"attempt,omitempty"`
	State    ResubmitState `json:"state"` // or an [Outcome]
	JobID    string        `json:"job_id,omitempty"`
	Credits  float64       `json:"credits,omitempty"`
	Status   string        `json:"status,omitempty"` // of the new job, if it was waited for
	Reason   string        `json:"reason,omitempty"`
}

// Partly reports whether something was left that a person should look at.
func (r *ResubmitReport) Partly() bool {
	if r.Counts.Held > 0 || r.broken || len(r.Problems) > 0 {
		return true
	}
	for _, j := range r.Jobs {
		switch j.State {
		case StateFetch, StateTrouble, ResubmitState(OutcomeUnsent):
			return true
		}
	}
	return false
}

// finish notes why the run ended early.
func (r *ResubmitReport) finish(halted error) {
	if halted != nil {
		r.Stopped, r.broken = halted.Error(), true
	}
}
