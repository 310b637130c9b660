package docextract

import (
	"errors"
	"fmt"
	"net/url"
)

// GoneError means that a document cannot be had at this URL any more: it was
// deleted, or the URL has expired and the job may have a new one.
type GoneError struct {
	Host, Path string
	Status     int // 403, 404 or 410
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("download %s%s: the host answered %d: the document is gone or its URL has expired", e.Host, e.Path, e.Status)
}

// UnsafeURLError means that a document is somewhere where none is fetched.
// Asking again is of no use.
type UnsafeURLError struct {
	Host, Path string // of the URL that is refused, which a redirect may have named
	Reason     string
}

func (e *UnsafeURLError) Error() string {
	return fmt.Sprintf("download %s%s is refused: %s", e.Host, e.Path, e.Reason)
}

// DownloadError means that a document could not be fetched, or not whole.
type DownloadError struct {
	Host, Path string
	Status     int // of the answer; 0 if none came
	Err        error
	retryable  bool
}

func (e *DownloadError) Error() string {
	return fmt.Sprintf("download %s%s: %v", e.Host, e.Path, e.Err)
}

func (e *DownloadError) Unwrap() error { return e.Err }

// Retryable reports whether the same download may succeed later.
func (e *DownloadError) Retryable() bool { return e.retryable }

// addressError means that an address must not be dialled.
type addressError struct{ objection string }

func (e *addressError) Error() string { return "its address is " + e.objection }

func unsafe(target *url.URL, reason string) *UnsafeURLError {
	return &UnsafeURLError{Host: shownHost(target), Path: shownPath(target), Reason: reason}
}

// failed words the failure of a download, without what is secret in its URL.
func failed(target *url.URL, status int, retryable bool, err error) error {
	var address *addressError
	if errors.As(err, &address) {
		return unsafe(target, address.Error()+"; if it is meant, list the host in api.document_hosts")
	}
	for _, values := range target.Query() {
		for _, value := range values {
			err = longSecret(value).redact(err)
		}
	}
	return &DownloadError{
		Host: shownHost(target), Path: shownPath(target), Status: status, retryable: retryable,
		Err: longSecret(target.RawQuery).redact(err),
	}
}

// longSecret is a text as a secret, unless it is so short that it may be found
// anywhere.
func longSecret(text string) secret {
	if len(text) < 6 {
		return ""
	}
	return secret(text)
}

func shownHost(target *url.URL) string { return secret("").printable(target.Host, 100) }

func shownPath(target *url.URL) string { return secret("").printable(target.EscapedPath(), 200) }
