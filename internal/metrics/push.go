package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/push"
	"github.com/prometheus/common/expfmt"
)

const (
	pushLimit  = 5 * time.Second // for all groups together
	answerMost = 200             // bytes of a refusal that are quoted
	// pushJob is the job under which a Pushgateway keeps the metrics.
	pushJob = "docarchive"
)

// CheckGateway says what is wrong with the address of a Pushgateway. A user and
// a password in it are sent as basic authentication.
func CheckGateway(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("the address cannot be read") // the error would quote a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("the address must begin with http:// or https:// and a host")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("the address must end with its path")
	}
	return nil
}

// Push adds the run's metrics to a Pushgateway, in a group for each pipeline:
// job="docarchive", pipeline=NAME. What the run has no value for stays as it
// was, such as when the pipeline last succeeded. It takes five seconds at most.
func Push(ctx context.Context, address string, run Run) error {
	if err := CheckGateway(address); err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	user := u.User
	u.User = nil
	ctx, cancel := context.WithTimeout(ctx, pushLimit)
	defer cancel()
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	defer transport.CloseIdleConnections()
	client := briefly{&http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, p := range run.Pipelines {
		one := run
		one.Pipelines = []Pipeline{p}
		pusher := push.New(strings.TrimSuffix(u.String(), "/"), pushJob).
			Grouping(labelPipeline, p.Name).Collector(unlabelled(one)).
			Client(client).Format(expfmt.NewFormat(expfmt.TypeTextPlain))
		if user != nil {
			password, _ := user.Password()
			pusher = pusher.BasicAuth(user.Username(), password)
		}
		if err := pusher.AddContext(ctx); err != nil {
			return fmt.Errorf("push the metrics of pipeline %s: %w", p.Name, err)
		}
	}
	return nil
}

// briefly is a client whose answers are no longer than one reads.
type briefly struct{ client *http.Client }

// Do makes the request.
func (b briefly) Do(req *http.Request) (*http.Response, error) {
	resp, err := b.client.Do(req)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, answerMost), resp.Body}
	}
	return resp, err
}
