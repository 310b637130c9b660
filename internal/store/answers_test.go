package store_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/store"
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

// What a service answers decides, not what the driver makes of it: it says
// NotFound of a refusal on one cloud, of a redirect on another.
func TestAnswers(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "key-canary")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AZURE_STORAGE_ACCOUNT", "account")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sv=2024&sig=token-canary")
	urls := map[string]func(address string) string{
		"s3": func(address string) string {
			return "s3://bucket?region=us-east-1&use_path_style=true&endpoint=http://" + address
		},
		"azure": func(address string) string {
			t.Setenv("AZURE_STORAGE_PROTOCOL", "http")
			t.Setenv("AZURE_STORAGE_DOMAIN", address)
			return "azblob://container"
		},
		"gcs": func(address string) string {
			t.Setenv("STORAGE_EMULATOR_HOST", address)
			return "gs://bucket?anonymous=true"
		},
	}
	for _, c := range []struct {
		cloud  string
		status int
		code   string
		read   error // of a Get
		create error // of a PutIfAbsent
	}{
		{"s3", 403, "AccessDenied", store.ErrDenied, store.ErrDenied},
		{"s3", 400, "InvalidArgument", nil, nil},
		{"s3", 404, "NoSuchKey", store.ErrNotExist, nil},
		{"s3", 404, "NoSuchBucket", store.ErrNoBucket, store.ErrNoBucket},
		{"s3", 301, "PermanentRedirect", nil, nil},
		{"s3", 409, "ConditionalRequestConflict", store.ErrTemporary, store.ErrUnknown},
		{"s3", 501, "NotImplemented", nil, store.ErrNoConditionalWrites},
		{"s3", 503, "SlowDown", store.ErrTemporary, store.ErrTemporary},
		{"azure", 403, "AuthorizationFailure", store.ErrDenied, store.ErrDenied},
		{"azure", 404, "BlobNotFound", store.ErrNotExist, nil},
		{"azure", 404, "ContainerNotFound", store.ErrNoBucket, store.ErrNoBucket},
		{"gcs", 403, "forbidden", store.ErrDenied, store.ErrDenied},
		{"gcs", 404, "notFound", store.ErrNotExist, nil},
		{"gcs", 503, "backendError", store.ErrTemporary, store.ErrTemporary},
	} {
		o := quick()
		o.Attempts, o.Timeout, o.Grace = 2, 300*time.Millisecond, 300*time.Millisecond
		s, err := store.Open(t.Context(), urls[c.cloud](answering(t, c.status, c.code)), o)
		if err != nil {
			t.Fatal(err)
		}
		_, readErr := s.Get(t.Context(), "a/b", 10)
		createErr := s.PutIfAbsent(t.Context(), "a/b", []byte("x"))
		for what, check := range map[string]struct{ got, want error }{"get": {readErr, c.read}, "create": {createErr, c.create}} {
			if check.got == nil || check.want != nil && !errors.Is(check.got, check.want) ||
				check.want != store.ErrNotExist && errors.Is(check.got, store.ErrNotExist) && what == "get" {
				t.Errorf("%s answers %d %s to %s: %v; want %v", c.cloud, c.status, c.code, what, check.got, check.want)
			}
			if text := check.got.Error(); strings.Contains(text, "canary") || strings.Contains(text, "\n") {
				t.Errorf("%s of %s: %q", what, c.cloud, text)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestServiceIsAway(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "key")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AZURE_STORAGE_ACCOUNT", "account")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sv=2024&sig=token-canary")
	server := httptest.NewServer(nil)
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	for _, url := range []string{
		"s3://bucket?region=us-east-1&use_path_style=true&endpoint=http://" + address,
		"azblob://container?protocol=http&domain=" + address,
		"azblob://container?protocol=http&domain=blob.invalid", // no such host
	} {
		o := quick()
		o.Attempts, o.Timeout = 2, 300*time.Millisecond
		s, err := store.Open(t.Context(), url, o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Get(t.Context(), "a", 10)
		if !store.Temporary(err) || errors.Is(err, store.ErrNotExist) {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && (strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
