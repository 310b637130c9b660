//go:build unix

package testserver

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
)

// Pushgateway starts a Prometheus Pushgateway of the test's own, without
// anything pushed, and returns its URL. It ends with the test.
func Pushgateway(t testing.TB) string {
	t.Helper()
	binary := systemBinary(t, "prometheus-pushgateway", "prometheus-pushgateway")
	s, err := start(program{
		name: "pushgateway",
		quit: syscall.SIGTERM,
		command: func(s *server) []string {
			return []string{binary, "--web.listen-address=" + s.address(), "--log.level=warn"}
		},
		ready: func(ctx context.Context, address string) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/-/ready", nil)
			if err != nil {
				return err
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			if resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("it is not ready: %s", resp.Status)
			}
			if closed := resp.Body.Close(); err == nil {
				err = closed
			}
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	s.explain(t)
	return "http://" + s.address()
}
