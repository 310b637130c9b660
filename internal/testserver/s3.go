//go:build unix

package testserver

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const (
	s3Account = "docarchive"
	s3Secret  = "docarchive-secret"
)

// S3 gives a test a fresh bucket on an S3 gateway and returns its gocloud URL
// (s3://…). It sets the credentials in the test's environment, so the test must
// not be parallel.
func S3(t testing.TB) string {
	t.Helper()
	s := shared(t, s3Program(tool(t, "bin", "versitygw")))
	t.Setenv("AWS_ACCESS_KEY_ID", s3Account)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3Secret)
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_PROFILE", "")
	// The gateway takes every folder below its root for a bucket of its root account.
	name := freshName()
	if err := os.Mkdir(filepath.Join(s.dir, "buckets", name), 0o755); err != nil {
		t.Fatalf("create bucket: %v", err)
	}
	query := url.Values{
		"region":                       {"us-east-1"},
		"endpoint":                     {"http://" + s.address()},
		"use_path_style":               {"true"},
		"response_checksum_validation": {"when_required"},
	}
	return "s3://" + name + "?" + query.Encode()
}

func s3Program(binary string) program {
	return program{
		name: "versitygw",
		quit: syscall.SIGTERM,
		prepare: func(s *server) error {
			for _, dir := range []string{"buckets", "attributes"} {
				if err := os.Mkdir(filepath.Join(s.dir, dir), 0o755); err != nil {
					return err
				}
			}
			return nil
		},
		command: func(s *server) []string {
			// Attributes beside the objects: a temporary file system may have none of its own.
			return []string{
				binary, "--port", s.address(), "--access", s3Account, "--secret", s3Secret, "--quiet",
				"posix", "--sidecar", filepath.Join(s.dir, "attributes"), filepath.Join(s.dir, "buckets"),
			}
		},
		ready: httpReady,
	}
}

// httpReady is content with any answer at all.
func httpReady(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return err
	}
	// A transport of its own, so that no idle connection outlives the question.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask for /: %w", err)
	}
	return response.Body.Close()
}
