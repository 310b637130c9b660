//go:build unix

package browser_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/adteco/docarchive/internal/testserver/browser"
)

// What a page asks for and says is heard, and it sees the screen it was promised.
func TestBrowser(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!DOCTYPE html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
			<img src="/missing.png"><script>console.warn("odd"); nobody()</script>`))
	}))
	defer site.Close()
	p := browser.Open(t).Show(site.URL+"/", browser.Dark, 360, 700)
	if got := browser.Evaluate[bool](p, `innerWidth === 360 && matchMedia("(prefers-color-scheme: dark)").matches`); !got {
		t.Error("the page does not see a dark phone")
	}
	if got := p.Requests(); !slices.Contains(got, site.URL+"/missing.png") {
		t.Errorf("requests %q", got)
	}
	messages := strings.Join(p.Messages(), "\n")
	for _, want := range []string{"warning", "Uncaught", "404"} {
		if !strings.Contains(messages, want) {
			t.Errorf("the browser said %q, which lacks %q", messages, want)
		}
	}
	p.Print()
	if !browser.Evaluate[bool](p, `matchMedia("print").matches`) {
		t.Error("the page does not see paper")
	}
	if picture := p.Screenshot(); !strings.HasPrefix(string(picture), "\x89PNG") {
		t.Errorf("a picture begins with %.8q", picture)
	}
}
