//go:build unix

package store_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/testserver"
)

// answering is a service that gives every request the same answer.
func answering(t *testing.T, status int, code string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("x-ms-error-code", code)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>`+code+`</Code><Message>no</Message></Error>`)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// addressed makes a cloud's URL with a service at the address, and the
// environment in which it can be opened.
func addressed(t *testing.T, cloud, address string) string {
	t.Helper()
	switch cloud {
	case "s3":
		t.Setenv("AWS_ACCESS_KEY_ID", "id")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
		t.Setenv("AWS_MAX_ATTEMPTS", "1")
		return "s3://bucket?region=us-east-1&use_path_style=true&endpoint=http://" + address
	case "azure":
		testserver.Azure(t) // for its credentials, which the driver reads once in a process
		return "azblob://container?protocol=http&localemu=true&domain=" + address
	default:
		t.Setenv("STORAGE_EMULATOR_HOST", address)
		return "gs://bucket?anonymous=true"
	}
}

// brief is a store that gives up soon.
func brief(t *testing.T, url string) *store.Store {
	t.Helper()
	o := quick()
	o.Attempts, o.Timeout, o.Grace = 2, 300*time.Millisecond, 300*time.Millisecond
	s, err := store.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// check compares an error with its kind; nil stands for an error of no kind.
func check(t *testing.T, what string, err, want error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, kind := range []error{
		store.ErrNotExist, store.ErrExists, store.ErrNoBucket, store.ErrNoConditionalWrites, store.ErrDenied, store.ErrLocal,
	} {
		if errors.Is(err, kind) != (kind == want) {
			t.Errorf("%s: %v; want %v", what, err, want)
		}
	}
	if want == store.ErrTemporary != store.Temporary(err) {
		t.Errorf("%s: %v; want %v", what, err, want)
	}
	if text := err.Error(); strings.Contains(text, "canary") || strings.ContainsAny(text, "\n\t<") {
		t.Errorf("%s: %q", what, text)
	}
}

// What a service answers decides, not what the driver makes of it: it says
// NotFound of a refusal on one cloud, of a redirect on another.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		cloud  string
		status int
		code   string
		read   error // of a Get
		create error // of a PutIfAbsent
	}{
		{"s3", 403, "AccessDenied", store.ErrDenied, store.ErrDenied},
		{"s3", 400, "InvalidArgument", nil, nil},
		{"s3", 404, "NoSuchKey", store.ErrNotExist, store.ErrNotExist},
		{"s3", 404, "NoSuchBucket", store.ErrNoBucket, store.ErrNoBucket},
		{"s3", 301, "PermanentRedirect", nil, nil},
		{"s3", 409, "ConditionalRequestConflict", store.ErrTemporary, store.ErrTemporary},
		{"s3", 501, "NotImplemented", store.ErrNoConditionalWrites, store.ErrNoConditionalWrites},
		{"s3", 503, "SlowDown", store.ErrTemporary, store.ErrTemporary},
		{"azure", 403, "AuthorizationFailure", store.ErrDenied, store.ErrDenied},
		{"azure", 404, "BlobNotFound", store.ErrNotExist, store.ErrNotExist},
		{"azure", 404, "ContainerNotFound", store.ErrNoBucket, store.ErrNoBucket},
		{"gcs", 403, "forbidden", store.ErrDenied, store.ErrDenied},
		{"gcs", 404, "notFound", store.ErrNotExist, store.ErrNotExist},
		{"gcs", 503, "backendError", store.ErrTemporary, store.ErrTemporary},
	} {
		t.Run(fmt.Sprintf("%s %d %s", c.cloud, c.status, c.code), func(t *testing.T) {
			s := brief(t, addressed(t, c.cloud, answering(t, c.status, c.code)))
			_, err := s.Get(t.Context(), "a/b", 10)
			check(t, "get", err, c.read)
			check(t, "create", s.PutIfAbsent(t.Context(), "a/b", []byte("x")), c.create)
		})
	}
}

func TestServiceIsAway(t *testing.T) {
	server := httptest.NewServer(nil)
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	for name, c := range map[string]struct{ cloud, address string }{
		"s3": {"s3", address}, "azure": {"azure", address}, "gcs": {"gcs", address},
		"unknown host": {"azure", "blob.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := brief(t, addressed(t, c.cloud, c.address)).Get(t.Context(), "a", 10)
			check(t, "get", err, store.ErrTemporary)
		})
	}
}
