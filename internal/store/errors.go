package store

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The kinds of failure that callers act upon; test for them with errors.Is.
// An error of no kind is permanent, and its cause unknown to this package.
var (
	// ErrNotExist means that the service says there is no such object.
	ErrNotExist = errors.New("no such object")
	// ErrExists means that other bytes stand under the key.
	ErrExists = errors.New("object exists already")
	// ErrNoBucket means that the bucket or container itself is missing.
	ErrNoBucket = errors.New("no such bucket; create it or correct the archive's URL")
	// ErrNoConditionalWrites means that the storage cannot refuse to overwrite,
	// so that two runs at once could destroy each other's work.
	ErrNoConditionalWrites = errors.New("the storage does not honour conditional writes; use one that does")
	// ErrTooLarge means that an object is larger than the caller allows.
	ErrTooLarge = errors.New("object is too large")
	// ErrKey means that a key is not one that every storage can hold.
	ErrKey = errors.New("unusable object key")
	// ErrUnknown means that a write was sent and nobody could say whether it
	// took place. It may still take place later.
	ErrUnknown = errors.New("it is not known whether the write took place")

	// ErrTemporary marks failures that may pass: the service is away or busy.
	ErrTemporary = errors.New("storage is temporarily not available")
	// ErrDenied marks a refusal: wrong credentials or missing permission.
	ErrDenied = errors.New("storage refuses access; check credentials and permissions")
	// ErrLocal marks failures of the local disk.
	ErrLocal = errors.New("local file error")
)

// Temporary reports whether the same call may succeed later.
func Temporary(err error) bool { return errors.Is(err, ErrTemporary) }

// Denied reports whether the service refused access.
func Denied(err error) bool { return errors.Is(err, ErrDenied) }

// Local reports whether the local disk failed; errors.Is with syscall.ENOSPC
// tells a full one.
func Local(err error) bool { return errors.Is(err, ErrLocal) }

// opError says what failed on which object of which store.
type opError struct {
	op, key, where string
	err            error
}

func (e *opError) Error() string {
	return fmt.Sprintf("%s %s in %s: %v", e.op, e.key, e.where, e.err)
}

func (e *opError) Unwrap() error { return e.err }

// remark is a driver's error made fit for a log: one line, no query of a URL,
// for that is where signatures and tokens stand.
type remark struct{ err error }

var queryOfURL = regexp.MustCompile(`(://[^\s"'?]*)\?[^\s"']*`)

func (r *remark) Error() string {
	const longest = 500
	text := strings.Join(strings.Fields(plain(r.err)), " ")
	text = queryOfURL.ReplaceAllString(text, "$1?…")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

func (r *remark) Unwrap() error { return r.err }

// classified gives an error one of the kinds above; kind may be nil.
func classified(kind, err error) error {
	if kind == nil {
		return &remark{err}
	}
	return fmt.Errorf("%w: %w", kind, &remark{err})
}
