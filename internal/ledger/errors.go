package ledger

import (
	"errors"
	"fmt"
	"time"

	"github.com/adteco/docarchive/internal/words"
)

// ErrNoArchive means that the bucket holds no archive.
var ErrNoArchive = errors.New("there is no archive yet; `run` makes one, or correct the archive's URL")

// DamageError means that the archive contradicts itself. Nothing is written on
// top of it.
type DamageError struct {
	Key    string // of the object
	Reason string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("the archive is damaged at %s: %s; restore this object, `verify` lists all findings", e.Key, e.Reason)
}

func damaged(key, format string, args ...any) error {
	return &DamageError{Key: key, Reason: fmt.Sprintf(format, args...)}
}

// VersionError means that a newer version of this program wrote the archive.
type VersionError struct {
	Key          string
	Found, Known int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has format version %d, and this program knows %d; use a newer one", e.Key, e.Found, e.Known)
}

// IdentityError means that the archive was exchanged while it was in use, for
// example because the bucket was emptied or another folder was mounted.
type IdentityError struct{ Was, Is string }

func (e *IdentityError) Error() string {
	return fmt.Sprintf("archive %s has become archive %s under this run; check what is mounted there", e.Was, e.Is)
}

// SettingsError means that a pipeline's settings contradict what its archive
// was begun with.
type SettingsError struct {
	Pipeline string
	Was, Is  Settings
}

func (e *SettingsError) Error() string {
	return fmt.Sprintf("pipeline %s was begun with windows of %s and cannot go on with %s; set window: %s again, or give the pipeline a new name",
		e.Pipeline, words.Duration(e.Was.Window), words.Duration(e.Is.Window), words.Duration(e.Was.Window))
}

// StaleError means that a part was staged so long ago that garbage collection
// could take it away before its record exists.
type StaleError struct {
	Path string
	Age  time.Duration // zero if this process did not stage it
}

func (e *StaleError) Error() string {
	if e.Age == 0 {
		return fmt.Sprintf("%s was not staged by this run; stage it and append again", e.Path)
	}
	return fmt.Sprintf("%s was staged %s ago, too long to be committed; stage it and append again", e.Path, words.Duration(e.Age.Round(time.Second)))
}
