package docextract

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
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
	Prefix string // the first bytes of the body, printable
	Err    error
}

func (e *MalformedError) Error() string {
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

// parseError reads an answer's body as the API's error. A body of another form
// yields an Error with the status alone.
func (c *Client) parseError(status int, body []byte) *Error {
	var answer struct {
		Error struct {
			Code       string `json:"code"`
			Message    string `json:"message"`
			Suggestion string `json:"suggestion"`
			RequestID  string `json:"request_id"`
		} `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return &Error{Status: status, Message: http.StatusText(status)}
	}
	e := answer.Error
	return &Error{
		Status: status, Code: c.printable(e.Code, 80), Message: c.printable(e.Message, 300),
		Suggestion: c.printable(e.Suggestion, 300), RequestID: c.printable(e.RequestID, 80),
	}
}

// printable makes a server's text fit to be printed: one line, no control
// characters, bounded, and without the key should the server echo it.
func (c *Client) printable(text string, limit int) string {
	if c.key != "" {
		text = strings.ReplaceAll(text, c.key, "[redacted]")
	}
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(clean); len(runes) > limit {
		clean = string(runes[:limit]) + "…"
	}
	return clean
}
