package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/adteco/docarchive/docextract"
)

// FailedError is what keeps a pipeline from being done.
type FailedError struct {
	Pipeline string
	Err      error
}

func (e *FailedError) Error() string { return fmt.Sprintf("pipeline %s: %v", e.Pipeline, e.Err) }

func (e *FailedError) Unwrap() error { return e.Err }

// WindowError is what keeps one window from being brought up to date.
type WindowError struct {
	Window string // its name
	Err    error
}

func (e *WindowError) Error() string { return fmt.Sprintf("window %s: %v", e.Window, e.Err) }

func (e *WindowError) Unwrap() error { return e.Err }

// progressKept reports whether what was read before the error may be committed.
func progressKept(ctx context.Context, err error) bool {
	var unavailable *docextract.UnavailableError
	return ctx.Err() == nil && errors.As(err, &unavailable)
}
