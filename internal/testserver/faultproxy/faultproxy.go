// Package faultproxy puts a TCP proxy between a test and a server, and makes
// the network between them fail.
package faultproxy

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

// Proxy stands in front of one server. It has one fault at a time: each method
// that makes one heals the last first. Its methods end the test when they fail
// and are called by one goroutine at a time.
type Proxy struct {
	Addr string // HOST:PORT to connect to instead of the server's; it never changes

	t     testing.TB
	proxy *toxiproxy.Proxy
}

// New starts a proxy, without a fault, in front of the server at upstream
// (HOST:PORT). It ends with the test.
func New(t testing.TB, upstream string) *Proxy {
	t.Helper()
	toxics.Register(cutType, new(cut)) // again for every proxy: it is idempotent
	metrics := toxiproxy.NewMetricsContainer(nil)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(metrics, zerolog.Nop()), "fault", "127.0.0.1:0", upstream)
	if err := proxy.Start(); err != nil {
		t.Fatalf("start the fault proxy: %v", err)
	}
	t.Cleanup(proxy.Stop)
	return &Proxy{Addr: proxy.Listen, t: t, proxy: proxy}
}

// Leftovers exempts from a goleak check what the proxy's library cannot end: when a
// connection breaks while data for its other side is on the way, whoever holds
// that data in the proxy stays blocked until the test binary ends.
func Leftovers() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/stream.(*ChanWriter).Write"),
	}
}

// Down closes every connection and refuses new ones, as if the server had died.
func (p *Proxy) Down() {
	p.t.Helper()
	p.heal()
	p.proxy.Stop()
}

// Up removes the fault. Connections that a fault has broken stay broken.
func (p *Proxy) Up() {
	p.t.Helper()
	p.heal()
	if p.proxy.Enabled {
		return
	}
	if err := p.proxy.Start(); err != nil {
		p.t.Fatalf("start the fault proxy on %s again: %v", p.Addr, err)
	}
}

// Hang keeps connections open and accepts new ones, and swallows all data in
// both directions. When it is healed, connections that were hung are closed.
func (p *Proxy) Hang() {
	p.t.Helper()
	p.Up()
	p.add("timeout", "upstream", `{"timeout": 0}`)
	p.add("timeout", "downstream", `{"timeout": 0}`)
}

// Latency delays every answer by d, in whole milliseconds.
func (p *Proxy) Latency(d time.Duration) {
	p.t.Helper()
	p.Up()
	p.add("latency", "downstream", fmt.Sprintf(`{"latency": %d}`, d.Milliseconds()))
}

// ResetPeer lets a request through to the server and breaks the connection
// instead of passing on the answer: with a reset on connections made from now
// on, with an end of file on those that stand. The client cannot know whether
// its request was carried out.
func (p *Proxy) ResetPeer() {
	p.t.Helper()
	p.Up()
	p.add(cutType, "downstream", `{"bytes": 0}`)
	// Behind the cut nothing arrives but its end, which this turns into a reset.
	p.add("reset_peer", "downstream", `{"timeout": 0}`)
}

// LimitData closes each connection after that many bytes of answers, counted
// from now on: the answer is cut short.
func (p *Proxy) LimitData(bytes int64) {
	p.t.Helper()
	p.Up()
	p.add(cutType, "downstream", fmt.Sprintf(`{"bytes": %d}`, bytes))
}

func (p *Proxy) heal() {
	p.proxy.Toxics.ResetToxics(context.Background())
}

func (p *Proxy) add(kind, direction, attributes string) {
	p.t.Helper()
	fault := fmt.Sprintf(`{"type": %q, "stream": %q, "attributes": %s}`, kind, direction, attributes)
	if _, err := p.proxy.Toxics.AddToxicJson(strings.NewReader(fault)); err != nil {
		p.t.Fatalf("make the fault proxy fail with %s: %v", kind, err)
	}
}
