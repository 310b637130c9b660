package docextracttest

import (
	"slices"
	"sync"
	"time"
)

// Submission is a document that the API took, and charged for.
type Submission struct {
	JobID       string
	ExtractorID string
	SHA256      string // of the document, in hex
	Metadata    []byte // JSON object
	At          time.Time
	Credits     int
}

// account is what was submitted and paid.
type account struct {
	mu          sync.Mutex
	submissions []Submission
	used        int
	documents   map[string][]byte // by job id
	kept        []string          // the ids in documents, oldest first
	keptBytes   int
}

// maxKept bounds the submitted documents that are kept: the oldest are
// forgotten first, and not found from then on.
const maxKept = 256 << 20

// charge takes the credits if they are there.
func (a *account) charge(credits int, bought int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if int64(a.used+credits) > bought {
		return false
	}
	a.used += credits
	return true
}

func (a *account) add(s Submission, document []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.submissions = append(a.submissions, s)
	if a.documents == nil {
		a.documents = map[string][]byte{}
	}
	a.documents[s.JobID] = document
	a.kept = append(a.kept, s.JobID)
	a.keptBytes += len(document)
	for a.keptBytes > maxKept && len(a.kept) > 1 {
		a.keptBytes -= len(a.documents[a.kept[0]])
		delete(a.documents, a.kept[0])
		a.kept = a.kept[1:]
	}
}

func (a *account) document(id string) ([]byte, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, ok := a.documents[id]
	return d, ok
}

// Submissions lists what the API took, in order, also where the submitter never
// got the answer.
func (s *Simulator) Submissions() []Submission {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return slices.Clone(s.account.submissions)
}

// Charges sums the credits charged by the SHA-256 of the document, in hex. A
// document that is charged more than its price was submitted more than once.
func (s *Simulator) Charges() map[string]int {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	charges := map[string]int{}
	for _, sub := range s.account.submissions {
		charges[sub.SHA256] += sub.Credits
	}
	return charges
}

// CreditsUsed is the sum of all charges.
func (s *Simulator) CreditsUsed() int {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.account.used
}
