package docextract

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// RetryPolicy bounds the patience of a GET. Zero fields take the defaults.
type RetryPolicy struct {
	Attempts  int           // failures in all; 6
	Malformed int           // malformed answers among them; 3
	Elapsed   time.Duration // from the first attempt, waiting for the rate window aside; 5 minutes
	First     time.Duration // before the second attempt, with jitter; 500 ms
	Longest   time.Duration // between two attempts; 30 s
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if p.Attempts == 0 {
		p.Attempts = 6
	}
	if p.Malformed == 0 {
		p.Malformed = 3
	}
	set(&p.Elapsed, 5*time.Minute)
	set(&p.First, 500*time.Millisecond)
	set(&p.Longest, 30*time.Second)
	return p
}

// get makes a GET request until parse accepts its answer, within the policy's
// bounds. It returns the [*Error], [*RedirectError] or [*TooLargeError] that no
// repetition can mend, an [*UnavailableError] when patience ends, or ctx's
// cause.
func (c *Client) get(ctx context.Context, path []string, query url.Values, parse func(http.Header, []byte) error) error {
	pause := backoff.ExponentialBackOff{
		InitialInterval: c.retry.First, MaxInterval: c.retry.Longest,
		Multiplier: 2, RandomizationFactor: 0.5,
	}
	pause.Reset()
	failures, malformed, limited, oversized := 0, 0, 0, 0
	var waited time.Duration
	start := c.clock.Now()
	for {
		before := c.clock.Now()
		if err := c.limiter.Wait(ctx); err != nil {
			return err
		}
		waited += c.clock.Now().Sub(before)
		err := c.try(ctx, path, query, parse)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !retryable(err) {
			return err
		}
		var apiError *Error
		var badAnswer *MalformedError
		var large *TooLargeError
		switch {
		case errors.As(err, &apiError) && apiError.Status == http.StatusTooManyRequests:
			// The limiter has seen the answer and will wait; a server that keeps
			// refusing after many windows is treated as away.
			if limited++; limited > 100 {
				return &UnavailableError{Attempts: failures + limited, Err: err}
			}
			continue
		case errors.As(err, &badAnswer):
			malformed++
		case errors.As(err, &large):
			// Once may be a mishap; twice, and the caller must ask for less.
			if oversized++; oversized > 1 {
				return err
			}
		}
		failures++
		elapsed := c.clock.Now().Sub(start) - waited
		if failures >= c.retry.Attempts || malformed >= c.retry.Malformed || elapsed >= c.retry.Elapsed {
			return &UnavailableError{Attempts: failures + limited, Err: err}
		}
		if untrusted(err) {
			return &UnavailableError{Attempts: failures + limited, Err: err}
		}
		wait := min(pause.NextBackOff(), c.retry.Longest)
		c.onRetry(failures, err, wait)
		if err := c.clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// try makes one attempt and classifies what came of it.
func (c *Client) try(ctx context.Context, path []string, query url.Values, parse func(http.Header, []byte) error) error {
	a, err := c.attempt(ctx, path, query)
	if err != nil {
		c.limiter.Failed()
		return err
	}
	c.limiter.Observe(a.status, a.header)
	switch {
	case a.status >= 200 && a.status < 300:
		if err := parse(a.header, a.body); err != nil {
			return &MalformedError{Prefix: c.key.beginning(a.body), Err: c.key.redact(err)}
		}
		return nil
	case a.status >= 300 && a.status < 400:
		return c.redirect(a.header.Get("Location"))
	default:
		return c.parseError(a)
	}
}

// retryable reports whether the same request may succeed later.
func retryable(err error) bool {
	var apiError *Error
	if errors.As(err, &apiError) {
		return apiError.Retryable()
	}
	var redirect *RedirectError
	var path *pathError
	return !errors.As(err, &redirect) && !errors.As(err, &path)
}

// untrusted reports whether the server could not prove that it is the API:
// asking again at once does not change its certificate.
func untrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}
