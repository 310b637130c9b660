package docextract

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Error is an answer of the API that is not a success.
type Error struct {
	Status     int    // HTTP status
	Code       string // the API's own code, such as rate_limit_exceeded; empty from a gateway
	Message    string
	Suggestion string
	RequestID  string
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the API answered %d", e.Status)
	if e.Code != "" {
		fmt.Fprintf(&b, " %s", e.Code)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.Suggestion != "" {
		fmt.Fprintf(&b, " (%s)", e.Suggestion)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", e.RequestID)
	}
	return b.String()
}

// Retryable reports whether the same GET may succeed later.
func (e *Error) Retryable() bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusRequestTimeout || e.Status >= 500
}

// Refused reports whether the key was refused: unknown, or without the scope.
func (e *Error) Refused() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// RedirectError means that the API's address answered with a redirect, which is
// never followed: the key must not reach another host.
type RedirectError struct {
	Host string // where the redirect points
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("the API redirects to host %q, which is refused: check api.base_url", e.Host)
}

// MalformedError means that an answer with a success status was not what the
// API promises.
type MalformedError struct {
	Prefix string // the first bytes of the body, printable; empty if it could not be decompressed
	Err    error
}

func (e *MalformedError) Error() string {
	if e.Prefix == "" {
		return fmt.Sprintf("malformed answer: %v", e.Err)
	}
	return fmt.Sprintf("malformed answer: %v; it begins %q", e.Err, e.Prefix)
}

func (e *MalformedError) Unwrap() error { return e.Err }

// UnavailableError means that the API could not be reached, or not be
// understood, within the client's patience. The work can be repeated later.
type UnavailableError struct {
	Attempts int
	Err      error // what the last attempt met
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("gave up after %d attempts: %v", e.Attempts, e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// NotFound reports whether err is the API's answer that it has no such thing.
func NotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// KeyRefused reports whether an answer of the API, among all the errors that
// err is made of, refused the key.
func KeyRefused(err error) bool {
	if api, ok := err.(*Error); ok {
		return api.Refused()
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return KeyRefused(err.Unwrap())
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(err.Unwrap(), KeyRefused)
	}
	return false
}

// parseError reads an answer as the API's error. A body of another form yields
// an Error with the status alone.
func (e *endpoint) parseError(a *answer) *Error {
	var body struct {
		Error struct {
			Code       string `json:"code"`
			Message    string `json:"message"`
			Suggestion string `json:"suggestion"`
			RequestID  string `json:"request_id"`
		} `json:"error"`
	}
	// What could be read counts: nothing if it is not JSON, all but the fields
	// that are not of their type otherwise.
	_ = json.Unmarshal(a.body, &body)
	in := &body.Error
	return &Error{
		Status:     a.status,
		Code:       e.key.printable(in.Code, 80),
		Message:    e.key.printable(orElse(in.Message, http.StatusText(a.status)), 300),
		Suggestion: e.key.printable(in.Suggestion, 300),
		RequestID:  e.key.printable(orElse(in.RequestID, a.header.Get("X-Request-Id")), 80),
	}
}
