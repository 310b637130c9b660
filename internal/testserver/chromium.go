//go:build unix

package testserver

import "testing"

// Chromium is the path of a browser for [browser.Open], or ends the test.
//
// [browser.Open]: https://pkg.go.dev/github.com/adteco/docarchive/internal/testserver/browser#Open
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found := findBinary(name, systemDirs()...); found != "" {
			return found
		}
	}
	return systemBinary(t, "chromium-headless-shell", "chromium-headless-shell")
}
