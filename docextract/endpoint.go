package docextract

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// DefaultBaseURL is the vendor's address.
const DefaultBaseURL = "https://api.adteco.com/v1"

// endpoint is the API's address, and who calls it.
type endpoint struct {
	base      *url.URL
	key       secret
	userAgent string
}

// newEndpoint reads the options that clients and submitters have in common.
func newEndpoint(baseURL, key, userAgent string) (endpoint, error) {
	base, err := url.Parse(strings.TrimRight(orElse(baseURL, DefaultBaseURL), "/"))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return endpoint{}, errors.New("api.base_url must be an http or https URL such as " + DefaultBaseURL)
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return endpoint{}, errors.New("api.base_url must hold neither a password nor parameters")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return endpoint{}, errors.New("api.key holds a space, a line break or another character that a key cannot have")
	}
	return endpoint{base: base, key: secret(key), userAgent: orElse(userAgent, "docarchive")}, nil
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// request makes a request for a path of segments, which are escaped here.
func (e *endpoint) request(ctx context.Context, method string, path []string, query url.Values, body io.Reader) (*http.Request, error) {
	escaped := make([]string, len(path))
	for i, segment := range path {
		if segment == "" || segment == "." || segment == ".." {
			return nil, &pathError{segment}
		}
		escaped[i] = url.PathEscape(segment)
	}
	target := e.base.JoinPath(escaped...)
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", e.userAgent)
	req.Header.Set("Accept", "application/json")
	if e.key != "" {
		req.Header.Set("Authorization", "Bearer "+string(e.key))
	}
	return req, nil
}

// pathError is an id that would make the path another one.
type pathError struct{ id string }

func (e *pathError) Error() string { return "no such id can be asked for" }

// redirect is the error that stands for an answer with a redirect.
func (e *endpoint) redirect(location string) *RedirectError {
	to, err := e.base.Parse(location)
	if err != nil {
		return &RedirectError{}
	}
	return &RedirectError{Host: e.key.printable(to.Host, 100)}
}

// unfollowed keeps an http.Client from following redirects.
func unfollowed(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// failure words the error of a request that got no answer. It names the host,
// not the URL, whose parameters are of no use here.
func (e *endpoint) failure(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return e.key.redact(&exchangeError{host: e.base.Host, err: err})
}

// exchangeError is a failure of the network, or of the server to speak HTTP.
type exchangeError struct {
	host string
	err  error
}

func (e *exchangeError) Error() string {
	return "no whole answer from " + e.host + ": " + e.err.Error()
}

func (e *exchangeError) Unwrap() error { return e.err }

// secret is a text that must not be printed.
type secret string

// redact returns err, or one that reads the same but for the secret.
func (s secret) redact(err error) error {
	if s == "" || !strings.Contains(err.Error(), string(s)) {
		return err
	}
	return &redactedError{text: s.printable(err.Error(), 1000), err: err}
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Unwrap() error { return e.err }

// printable makes a server's text fit to be printed: one line, no control
// characters, bounded, and without the secret should the server echo it.
func (s secret) printable(text string, limit int) string {
	if s != "" {
		text = strings.ReplaceAll(text, string(s), "[redacted]")
	}
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(clean); len(runes) > limit {
		clean = string(runes[:limit]) + "…"
	}
	return clean
}

// beginning is the printable beginning of an answer.
func (s secret) beginning(body []byte) string {
	const shown = 200
	// As much more as it takes to see the whole of a secret that begins in it.
	return s.printable(string(body[:min(len(body), shown+len(s))]), shown)
}
