//go:build unix

// Package browser gives tests a real browser without a screen, to look at pages
// as a reader would. It stands apart from its parent so that only its users link
// the driver.
package browser

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/adteco/docarchive/internal/testserver"
)

// limit bounds a browser's life, whatever hangs.
const limit = 90 * time.Second

// Scheme is what prefers-color-scheme says to a page.
type Scheme string

// The schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// Browser is a browser of one test. Its pages are opened one after another by
// the test's own goroutine.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Open starts a browser that ends with the test, with all its processes.
func Open(t testing.TB) *Browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(testserver.Chromium(t)), chromedp.UserDataDir(t.TempDir()),
	)
	if os.Getuid() == 0 { // the sandbox refuses root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit)
	ctx, release := chromedp.NewExecAllocator(ctx, options...)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		// Cancel waits until the browser has ended; release, until its folder is free.
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("end the browser: %v", err)
		}
		release()
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return &Browser{t: t, ctx: ctx}
}

// Page is a page that a browser shows.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	requests []string
	messages []string
}

// Show opens a page in a tab of its own, which stays until the test ends. Width
// and height are those of the screen, in CSS pixels; a narrow one is a phone's.
func (b *Browser) Show(url string, scheme Scheme, width, height int64) *Page {
	b.t.Helper()
	p := &Page{t: b.t}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithListener(p.hear))
	b.t.Cleanup(cancel)
	p.ctx = ctx
	check(p, chromedp.Do(ctx)) // the tab
	call(p, network.Enable, network.EnableParams{})
	call(p, log.Enable, cdp.Empty{})
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 2, Mobile: width < 500,
	})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: string(scheme)}},
	})
	check(p, chromedp.Do(ctx, chromedp.Navigate(url)))
	return p
}

// hear notes what a page asks for, and what the browser says of it.
func (p *Page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *runtime.EventConsoleAPICalled:
		p.messages = append(p.messages, string(e.Type))
	case *runtime.EventExceptionThrown:
		p.messages = append(p.messages, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		p.messages = append(p.messages, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	}
}

// Requests lists the URLs that the page has asked for, its own first.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}

// Messages lists what the browser has written to the page's console.
func (p *Page) Messages() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.messages...)
}

// Evaluate returns what a JavaScript expression comes to. The page's own policy
// does not bind it.
func Evaluate[T any](p *Page, expression string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	check(p, err)
	return value
}

// Print makes the page believe to be on paper.
func (p *Page) Print() {
	p.t.Helper()
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
}

// Screenshot is a picture of the whole page, as PNG.
func (p *Page) Screenshot() []byte {
	p.t.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	check(p, err)
	return picture
}

func call[P, R any](p *Page, command cdp.Command[P, R], params P) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, command, params)
	check(p, err)
}

func check(p *Page, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("browser: %v; it said: %s", err, strings.Join(p.Messages(), "; "))
	}
}
