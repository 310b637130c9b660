package main

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

const (
	// skewNoted and skewMost are what a run warns of, and what it refuses.
	skewNoted = 5 * time.Minute
	skewMost  = time.Hour
	// certificateNotice is how long before its end a certificate is noted.
	certificateNotice = 14 * 24 * time.Hour
)

// accounts examines every API key.
func (d *doctor) accounts(ctx context.Context) {
	keys := append([]config.APIKey{d.cfg.Account(&config.Pipeline{})}, d.cfg.API.Keys...)
	for _, key := range keys {
		area := "api"
		if key.Name != "" {
			area += " " + key.Name
		}
		acc, err := d.openAccount(key, nil, 1)
		if err != nil {
			d.fail(area, "address", "correct api.base_url", err)
			continue
		}
		d.account(ctx, area, acc)
		acc.client.CloseIdle()
	}
}

// account examines one API key.
func (d *doctor) account(ctx context.Context, area string, acc *account) {
	var state atomic.Pointer[tls.ConnectionState]
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeDone: func(s tls.ConnectionState, err error) {
			if err == nil {
				state.Store(&s)
			}
		},
	})
	page, err := acc.client.List(traced, docextract.Query{Limit: 1})
	if err != nil {
		d.fail(area, "listing", "the key must be valid and have the scope documents:read, and the API must be reachable from here", err)
		return
	}
	d.ok(area, "listing", "the key may list jobs at %s", acc.BaseURL)
	d.encryption(area, acc.BaseURL, state.Load())
	d.clock(area, page.Date)
	d.total(ctx, area, acc, page)
	_, err = acc.client.Extractors(ctx)
	d.scope(area, "extractors", "types are then taken from what is seen, not from what is declared", err)
	_, err = acc.client.Stats(ctx, "24h")
	d.scope(area, "stats", "only docarchive stats needs it", err)
	_, err = acc.client.Credits(ctx)
	d.scope(area, "credits", "only docarchive credits needs it", err)
	if pace := acc.pace(); pace > 0 {
		left, limit, _ := acc.budget.Left()
		d.ok(area, "rate limit", "%.4g requests a minute; %d of %d are left of the present window", pace, left, limit)
	} else {
		d.warn(area, "rate limit", "set requests_per_minute to what your plan allows", "the API does not tell its rate limit")
	}
}

// scope notes whether the key may do what is not needed to archive.
func (d *doctor) scope(area, what, without string, err error) {
	if err == nil {
		d.ok(area, what, "may be read")
		return
	}
	d.warn(area, what, without, "%v", err)
}

func (d *doctor) encryption(area, base string, state *tls.ConnectionState) {
	switch {
	case !strings.HasPrefix(base, "https://"):
		d.warn(area, "TLS", "use https:// but for tests: the key goes over the network in the clear", "the connection is not encrypted")
	case state == nil || len(state.PeerCertificates) == 0:
		d.ok(area, "TLS", "encrypted")
	default:
		end := state.PeerCertificates[0].NotAfter
		if end.Sub(d.now()) < certificateNotice {
			d.warn(area, "TLS", "tell whoever runs the API, or the proxy in between", "the certificate ends on %s", end.UTC().Format(time.DateOnly))
			return
		}
		d.ok(area, "TLS", "%s, certificate until %s", tls.VersionName(state.Version), end.UTC().Format(time.DateOnly))
	}
}

// clock compares the clocks as a run does.
func (d *doctor) clock(area string, server time.Time) {
	if server.IsZero() {
		d.warn(area, "clock", "see that this machine's clock is right: jobs are judged by it alone", "the API does not tell its time")
		return
	}
	skew := d.now().Sub(server)
	text := words.Duration(skew.Abs().Round(time.Second))
	switch {
	case skew.Abs() > skewMost:
		d.fail(area, "clock", "set the clock, as by NTP: no run begins before", &pipeline.SkewError{Skew: skew})
	case skew.Abs() > skewNoted:
		d.warn(area, "clock", "set the clock, as by NTP", "the local clock and the API's differ by %s", text)
	default:
		d.ok(area, "clock", "differs from the API's by %s", text)
	}
}

// total looks at the count that windows are proven by: it must be there, and
// not grow in a slice that no new job can enter.
func (d *doctor) total(ctx context.Context, area string, acc *account, page *docextract.Page) {
	const without = "windows are then proven by reading to an empty page, which takes more requests"
	if page.Total == docextract.UnknownTotal {
		d.warn(area, "total", without, "listings have no total")
		return
	}
	settled := docextract.Query{CreatedAfter: d.now().AddDate(0, 0, -7), CreatedBefore: d.now().Add(-2 * time.Hour), Limit: 1}
	first, err := acc.client.List(ctx, settled)
	var second *docextract.Page
	if err == nil {
		second, err = acc.client.List(ctx, settled)
	}
	switch {
	case err != nil:
		d.fail(area, "total", "listings by time must work: try again, then ask whoever runs the API", err)
	case second.Total > first.Total || first.Total < int64(first.Items()):
		d.warn(area, "total", "windows are read until their count holds, which takes more requests", "one slice was counted as %d jobs, then as %d", first.Total, second.Total)
	default:
		d.ok(area, "total", "counted twice the same: %d jobs in a week", second.Total)
	}
}
