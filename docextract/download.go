package docextract

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Resolver finds the addresses of a name. A [*net.Resolver] is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DownloadOptions configures a [Downloader].
type DownloadOptions struct {
	// Hosts are where documents may be fetched, as host or host:port. If empty,
	// any public address is allowed; a private one only if it is listed here.
	Hosts     []string
	MaxSize   int64    // of a document in bytes; 100 MiB if 0
	UserAgent string   // docarchive if empty
	Timeouts  Timeouts // of one download
	Resolver  Resolver // net.DefaultResolver if nil
	RootCAs   *x509.CertPool
}

// Downloader fetches documents from where a job says they are. It has no API
// key, uses no proxy, and reaches nothing but hosts that are listed or public,
// whatever the URL, its redirects or the DNS may say. It is safe for concurrent
// use.
type Downloader struct {
	hosts     hostList
	guard     addressGuard
	maxSize   int64
	userAgent string
	timeouts  Timeouts
	resolver  Resolver
	transport *http.Transport
}

// Document is what was fetched.
type Document struct {
	Size     int64
	SHA256   string // in hex
	MIMEType string // as the host says, without parameters; empty if it does not
}

const (
	downloadTimeout  = 10 * time.Minute
	defaultMaxSize   = 100 << 20
	longestRedirects = 3
	mostAddresses    = 8 // of one name that are tried
)

// NewDownloader returns a downloader. The error says which host is not one.
func NewDownloader(o DownloadOptions) (*Downloader, error) {
	hosts, err := newHostList(o.Hosts)
	if err != nil {
		return nil, err
	}
	d := &Downloader{
		hosts: hosts, guard: newAddressGuard(), maxSize: o.MaxSize, userAgent: orElse(o.UserAgent, "docarchive"),
		timeouts: o.Timeouts.withDefaults(downloadTimeout), resolver: o.Resolver,
	}
	if d.maxSize == 0 {
		d.maxSize = defaultMaxSize
	}
	if d.resolver == nil {
		d.resolver = net.DefaultResolver
	}
	d.transport = newTransport(d.timeouts)
	d.transport.Proxy = nil
	d.transport.DialContext = d.dial
	d.transport.TLSClientConfig.RootCAs = o.RootCAs
	return d, nil
}

// CloseIdle closes the connections that no download uses.
func (d *Downloader) CloseIdle() { d.transport.CloseIdleConnections() }

// Download fetches a document into w. The error is ctx's cause, a [*GoneError],
// an [*UnsafeURLError] or a [*DownloadError]; w may have got a part then. No
// error tells the parameters of a URL, which may be all it takes to fetch the
// document.
func (d *Downloader) Download(ctx context.Context, rawURL string, w io.Writer) (Document, error) {
	target, err := url.Parse(rawURL)
	if err != nil {
		return Document{}, &UnsafeURLError{Reason: "it is not a URL"}
	}
	watch := d.timeouts.watch(ctx)
	defer watch.end()
	document, err := d.follow(watch, target, w)
	if err != nil && ctx.Err() != nil {
		return Document{}, context.Cause(ctx)
	}
	return document, err
}

// follow makes requests until one is answered by no redirect.
func (d *Downloader) follow(watch *watch, target *url.URL, w io.Writer) (Document, error) {
	for redirects := 0; ; redirects++ {
		if reason := d.refuse(target); reason != "" {
			return Document{}, unsafe(target, reason)
		}
		resp, err := d.get(watch, target)
		if err != nil {
			return Document{}, failed(target, 0, true, err)
		}
		if location := redirection(resp); location != "" {
			_ = resp.Body.Close() // its body is of no interest
			if redirects == longestRedirects {
				return Document{}, unsafe(target, fmt.Sprintf("it redirects more than %d times", longestRedirects))
			}
			next, err := target.Parse(location)
			if err != nil {
				return Document{}, unsafe(target, "it redirects to what is not a URL")
			}
			target = next
			continue
		}
		return d.receive(watch, target, resp, w)
	}
}

func redirection(resp *http.Response) string {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return resp.Header.Get("Location")
	}
	return ""
}

// refuse says why a URL must not be asked for; it is empty if it may be. The
// addresses of its host are checked when they are dialled.
func (d *Downloader) refuse(target *url.URL) string {
	host := target.Hostname()
	listed := d.hosts.has(host, portOf(target))
	switch {
	case target.Scheme != "https" && target.Scheme != "http":
		return "its scheme is not https"
	case host == "" || target.User != nil || strings.Contains(host, "%"):
		return "it has no plain host"
	case len(d.hosts) > 0 && !listed:
		return "the host is not in api.document_hosts"
	case target.Scheme == "http" && !listed:
		return "its scheme is http, which only hosts in api.document_hosts may use"
	case oddNumber(host):
		return "the host is a number and not an address"
	}
	return ""
}

func portOf(target *url.URL) string {
	if port := target.Port(); port != "" {
		return port
	}
	if target.Scheme == "http" {
		return "80"
	}
	return "443"
}

func (d *Downloader) get(watch *watch, target *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(watch.ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, errors.New("it is not a URL")
	}
	req.Header.Set("User-Agent", d.userAgent)
	req.Header.Set("Accept-Encoding", "identity")
	// The transport itself, because a client would follow redirects and word
	// errors with the whole URL.
	resp, err := d.transport.RoundTrip(req)
	if err != nil {
		return nil, watch.explain(err)
	}
	return resp, nil
}

// receive writes the document to w. It closes the answer's body.
func (d *Downloader) receive(watch *watch, target *url.URL, resp *http.Response, w io.Writer) (Document, error) {
	defer resp.Body.Close()
	switch status := resp.StatusCode; {
	case status == http.StatusForbidden || status == http.StatusNotFound || status == http.StatusGone:
		return Document{}, &GoneError{Host: shownHost(target), Path: shownPath(target), Status: status}
	case status != http.StatusOK:
		return Document{}, failed(target, status, (&Error{Status: status}).Retryable(), fmt.Errorf("the host answered %d", status))
	case resp.ContentLength > d.maxSize:
		return Document{}, failed(target, status, false, &TooLargeError{Limit: d.maxSize})
	}
	if coding := resp.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return Document{}, failed(target, resp.StatusCode, false, errors.New("the host sent it compressed, unasked"))
	}
	source := watch.body(resp.Body)
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(sum, w), io.LimitReader(source, d.maxSize+1))
	switch {
	case source.err != nil:
		return Document{}, failed(target, resp.StatusCode, true, watch.explain(source.err))
	case err != nil:
		return Document{}, failed(target, resp.StatusCode, false, fmt.Errorf("write it: %w", err))
	case n > d.maxSize:
		return Document{}, failed(target, resp.StatusCode, false, &TooLargeError{Limit: d.maxSize})
	case resp.ContentLength >= 0 && n != resp.ContentLength:
		return Document{}, failed(target, resp.StatusCode, true, fmt.Errorf("got %d bytes of %d", n, resp.ContentLength))
	case n == 0:
		return Document{}, failed(target, resp.StatusCode, false, errors.New("it is empty"))
	}
	mimeType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		mimeType = ""
	}
	return Document{Size: n, SHA256: hex.EncodeToString(sum.Sum(nil)), MIMEType: mimeType}, nil
}

// dial connects to a host. The name is resolved once, and every address is
// checked as it is dialled, so the DNS cannot lead elsewhere in between.
func (d *Downloader) dial(ctx context.Context, network, target string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeouts.Connect)
	defer cancel()
	literal, err := netip.ParseAddr(host)
	addresses := []netip.Addr{literal}
	if err != nil {
		if addresses, err = d.resolver.LookupNetIP(ctx, "ip", host); err != nil {
			return nil, err
		}
	}
	if len(addresses) == 0 {
		return nil, errors.New("the host has no address")
	}
	addresses = addresses[:min(len(addresses), mostAddresses)]
	listed := d.hosts.has(host, port)
	dialer := net.Dialer{
		Timeout:   d.timeouts.Connect / time.Duration(len(addresses)),
		KeepAlive: 30 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			return d.admit(address, listed, literal.IsValid())
		},
	}
	for _, a := range addresses {
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// admit decides on an address that is about to be dialled.
func (d *Downloader) admit(address string, listed, literal bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &addressError{"not an address"}
	}
	objection := d.guard.objection(at.Addr())
	switch {
	case objection == "", listed && literal, listed && !neverNamed(at.Addr()):
		return nil
	}
	return &addressError{objection}
}
