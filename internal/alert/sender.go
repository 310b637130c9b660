package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	attempts     = 3
	attemptLimit = 10 * time.Second
	longestWait  = 5 * time.Second // that a receiver's Retry-After is heeded
	answerMost   = 200             // bytes of a refusal that are quoted
)

// Options are what a Sender may be given. The zero value will do.
type Options struct {
	Client    *http.Client                               // its redirects and its timeout are overridden
	Sleep     func(context.Context, time.Duration) error // between attempts
	UserAgent string
	Timeout   time.Duration // of one attempt; 10 s if 0
}

// Sender posts notices. It may be used by several goroutines at once.
type Sender struct {
	client *http.Client
	sleep  func(context.Context, time.Duration) error
	agent  string
}

// NewSender returns a Sender.
func NewSender(o Options) *Sender {
	client := http.Client{}
	if o.Client != nil {
		client = *o.Client
	}
	if client.Transport == nil {
		// One of its own, so that Close ends its connections and nobody else's.
		client.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	}
	client.Timeout = o.Timeout
	if client.Timeout <= 0 {
		client.Timeout = attemptLimit
	}
	// An alert is for whom the configuration names, not for whom a redirect does.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s := &Sender{client: &client, sleep: o.Sleep, agent: o.UserAgent}
	if s.sleep == nil {
		s.sleep = sleep
	}
	return s
}

// Close ends the sender's idle connections.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Send posts a notice to a webhook. What may pass (429, a server's error, no
// connection) is tried three times; the receiver may then see a notice twice. A
// receiver that hangs costs at most three times the timeout.
func (s *Sender) Send(ctx context.Context, w Webhook, n Notice) error {
	data, err := body(w.Type, n)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		wait, err := s.post(ctx, w.URL, data)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("webhook %s at %s: %w", w.Type, Host(w.URL), err)
		if wait < 0 || attempt == attempts || ctx.Err() != nil {
			return err
		}
		if s.sleep(ctx, max(wait, time.Duration(attempt)*time.Second)) != nil {
			return err
		}
	}
}

// Host is the part of a webhook's address that is no secret.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "an address that cannot be read"
	}
	return u.Host
}

// post makes one attempt. wait is for how long another one should wait, or
// negative if none would help.
func (s *Sender) post(ctx context.Context, address string, data []byte) (wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(data))
	if err != nil {
		return -1, errors.New("the address cannot be read")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if s.agent != "" {
		req.Header.Set("User-Agent", s.agent)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, withoutURL(err)
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, answerMost)) // quoted as far as it came
	_ = resp.Body.Close()                                          // the status has told all
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return 0, nil
	}
	text := ""
	if len(answer) > 0 {
		text = ": " + oneLine(string(answer), answerMost)
	}
	err = fmt.Errorf("answered %s%s", strconv.Itoa(resp.StatusCode), text)
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < 500 {
		return -1, err
	}
	seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After"))
	if bad != nil || seconds < 0 {
		return 0, err
	}
	return min(time.Duration(seconds)*time.Second, longestWait), err
}

// withoutURL takes the address, which is secret, off an error of the HTTP
// client.
func withoutURL(err error) error {
	var outer *url.Error
	if !errors.As(err, &outer) {
		return err
	}
	if outer.Timeout() {
		return errors.New("no answer in time")
	}
	return outer.Err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
