package submission

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/adteco/docarchive/pipeline"
)

// Key is what must not be submitted twice: a content, to an extractor.
type Key struct {
	Extractor string
	SHA256    [sha256.Size]byte
}

// Intent is one submission as it was intended.
type Intent struct {
	Key
	ID   string // unique; the job carries it in its metadata
	File string // as it was named
	At   time.Time
}

// State is what is known of a content at an extractor.
type State int

// The states. Only a content in StateNew may be submitted without further ado.
const (
	StateNew   State = iota
	StateDone        // it made a job
	StateDoubt       // it may have made one
	StateBusy        // it is being submitted by this process
)

// Prior is what stands against a submission.
type Prior struct {
	State State
	Job   string // of StateDone
	File  string // as it was named then; may be empty
	At    time.Time
}

// DamagedError means that a journal holds what no journal does.
type DamagedError struct {
	Path   string
	Line   int
	Reason string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s:%d: the submission journal is damaged (%s); without it documents may be submitted twice: restore it, or move it away to begin anew", e.Path, e.Line, e.Reason)
}

// ErrInUse means that another process submits with the same journal.
var ErrInUse = errors.New("another submission is under way with this journal; wait for its end")

// The events of a journal's lines.
const (
	eventIntent = "intent"
	eventDone   = "done"
	eventVoid   = "void"  // made no job
	eventDoubt  = "doubt" // may have made one
)

// line is one line of the file. An intent has the fields from Extractor to
// File, a result Job or Reason.
type line struct {
	Event     string    `json:"event"`
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Extractor string    `json:"extractor,omitempty"`
	SHA256    string    `json:"sha256,omitempty"`
	File      string    `json:"file,omitempty"`
	Job       string    `json:"job,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// Journal remembers submissions in a local file of JSON lines, each of which is
// on the disk before anything is done that depends on it. It is safe for
// concurrent use; other processes are kept out while it is open.
type Journal struct {
	path string
	now  func() time.Time

	mu     sync.Mutex
	file   *os.File
	done   map[Key]Prior
	open   map[string]Intent // without a result, by id
	live   map[string]bool   // of this process, being submitted
	failed error             // of a write, after which nothing more is written: a line may be half there
}

// OpenJournal opens the journal at path, and makes it and its folder if there
// is none. now is the time, time.Now if nil. The error is ErrInUse, a
// *DamagedError or a *pipeline.SpoolError.
func OpenJournal(path string, now func() time.Time) (j *Journal, err error) {
	if now == nil {
		now = time.Now
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, journalError(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, journalError(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	taken, err := lock(file)
	switch {
	case err != nil:
		return nil, journalError(err)
	case taken:
		return nil, fmt.Errorf("%s: %w", path, ErrInUse)
	}
	j = &Journal{
		path: path, now: now, file: file,
		done: map[Key]Prior{}, open: map[string]Intent{}, live: map[string]bool{},
	}
	if err := j.load(); err != nil {
		return nil, err
	}
	return j, syncFolder(filepath.Dir(path))
}

func journalError(err error) error {
	return &pipeline.SpoolError{Err: fmt.Errorf("submission journal: %w", err)}
}

// load reads the file. A last line without its end was never relied on, and is
// cut off.
func (j *Journal) load() error {
	r := bufio.NewReader(j.file)
	var whole int64
	for n := 1; ; n++ {
		text, err := r.ReadBytes('\n')
		if err == io.EOF {
			if len(text) == 0 {
				return nil
			}
			if err := j.file.Truncate(whole); err != nil {
				return journalError(err)
			}
			return nil
		}
		if err != nil {
			return journalError(err)
		}
		whole += int64(len(text))
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return &DamagedError{j.path, n, "not a JSON object"}
		}
		if reason := j.apply(&l); reason != "" {
			return &DamagedError{j.path, n, reason}
		}
	}
}

// apply takes a line into the state, or says why it cannot be.
func (j *Journal) apply(l *line) string {
	if l.Event == eventIntent {
		in := Intent{Key: Key{Extractor: l.Extractor}, ID: l.ID, File: l.File, At: l.At}
		sum, err := hex.DecodeString(l.SHA256)
		if err != nil || len(sum) != sha256.Size || l.ID == "" || l.Extractor == "" {
			return "an intent lacks what it needs"
		}
		copy(in.SHA256[:], sum)
		j.open[l.ID] = in
		return ""
	}
	in, known := j.open[l.ID]
	if !known {
		return "a result has no intent"
	}
	switch l.Event {
	case eventDone:
		j.done[in.Key] = Prior{State: StateDone, Job: l.Job, File: in.File, At: in.At}
		delete(j.open, l.ID)
	case eventVoid:
		delete(j.open, l.ID)
	case eventDoubt:
	default:
		return fmt.Sprintf("unknown event %.40q", l.Event)
	}
	return ""
}

// write makes a line durable and then takes it into the state.
func (j *Journal) write(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if j.failed != nil {
		return j.failed
	}
	_, err = j.file.Write(append(text, '\n'))
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.failed = journalError(err)
		return j.failed
	}
	j.apply(&l)
	return nil
}

// Begin notes the intent to submit a content, unless something stands against
// it: then prior says what, and there is no intent. again overrules all that.
func (j *Journal) Begin(key Key, file string, again bool) (in Intent, prior Prior, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if prior = j.prior(key); prior.State != StateNew && !again {
		return Intent{}, prior, nil
	}
	var id [8]byte
	rand.Read(id[:]) // never fails
	in = Intent{Key: key, ID: hex.EncodeToString(id[:]), File: file, At: j.now().UTC()}
	err = j.write(line{
		Event: eventIntent, ID: in.ID, At: in.At, Extractor: key.Extractor, SHA256: hex.EncodeToString(key.SHA256[:]), File: file,
	})
	if err != nil {
		return Intent{}, Prior{}, err
	}
	j.live[in.ID] = true
	return in, Prior{}, nil
}

// Prior is what stands against submitting a content.
func (j *Journal) Prior(key Key) Prior {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.prior(key)
}

func (j *Journal) prior(key Key) Prior {
	if prior, ok := j.done[key]; ok {
		return prior
	}
	for id, in := range j.open { // there are few
		if in.Key == key {
			state := StateDoubt
			if j.live[id] {
				state = StateBusy
			}
			return Prior{State: state, File: in.File, At: in.At}
		}
	}
	return Prior{}
}

// Done notes the job that an intent made.
func (j *Journal) Done(in Intent, job string) error {
	return j.result(in, line{Event: eventDone, Job: job})
}

// Void notes that an intent made no job.
func (j *Journal) Void(in Intent, reason string) error {
	return j.result(in, line{Event: eventVoid, Reason: reason})
}

// Doubt notes that an intent may have made a job.
func (j *Journal) Doubt(in Intent, reason string) error {
	return j.result(in, line{Event: eventDoubt, Reason: reason})
}

func (j *Journal) result(in Intent, l line) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.live, in.ID)
	l.ID, l.At = in.ID, j.now().UTC()
	return j.write(l)
}

// Doubts returns the intents for an extractor of which it is not known whether
// they made a job.
func (j *Journal) Doubts(extractor string) []Intent {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []Intent
	for id, in := range j.open {
		if in.Extractor == extractor && !j.live[id] {
			all = append(all, in)
		}
	}
	return all
}

// Close lets other processes have the journal.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.file.Close(); err != nil {
		return journalError(err)
	}
	return nil
}
