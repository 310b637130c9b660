package docextracttest

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The routes, as RequestsByPath names them.
const (
	routeList       = "GET /v1/documents"
	routeSubmit     = "POST /v1/documents"
	routeJob        = "GET /v1/documents/{id}"
	routeStats      = "GET /v1/documents/stats"
	routeExtractors = "GET /v1/extractors"
	routeExtractor  = "GET /v1/extractors/{id}"
	routeCredits    = "GET /v1/credits"
	routeFile       = "GET /files/{id}"
	routeOther      = "other"
)

// routeOf names the route of a request to the API; id is the path's last
// element where the route has one.
func routeOf(method, path string) (route, id string) {
	switch route = method + " " + path; route {
	case routeList, routeSubmit, routeStats, routeExtractors, routeCredits:
		return route, ""
	}
	if method != http.MethodGet {
		return routeOther, ""
	}
	if id, ok := strings.CutPrefix(path, "/v1/documents/"); ok && id != "" {
		return routeJob, id
	}
	if id, ok := strings.CutPrefix(path, "/v1/extractors/"); ok && id != "" {
		return routeExtractor, id
	}
	return routeOther, ""
}

func (s *Simulator) serveAPI(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		sim: s, request: r, writer: w, set: s.knobs.load(),
		host: apiHost, number: s.traffic.api.Add(1), now: s.config.Clock(),
	}
	x.route, x.id = routeOf(r.Method, r.URL.Path)
	s.traffic.count(x.route)
	// The body is read first, because net/http notices that a client has gone
	// only when its request was read.
	body, err := io.ReadAll(io.LimitReader(r.Body, x.greatestBody()))
	if err != nil || !x.wait(x.set.transport.latency) {
		panic(http.ErrAbortHandler)
	}
	x.serve(func() answer { return x.answerAPI(body) })
}

// greatestBody is what a request may hold: a document in base64 and some more.
// A longer one is cut, and so not JSON.
func (x *exchange) greatestBody() int64 { return x.set.money.maxDocument/3*4 + 1<<20 }

// serve answers, by make unless a fault comes in between.
func (x *exchange) serve(make func() answer) {
	x.fault = x.sim.faults.draw(x)
	if x.fault != nil && x.fault.stage == instead {
		x.failInstead()
		return
	}
	a := make()
	if a.pooled != nil {
		defer x.sim.pools.buffers.Put(a.pooled)
	}
	if x.fault != nil && x.fault.stage == after {
		x.failAfter(a)
		return
	}
	x.send(a)
}

func (x *exchange) answerAPI(body []byte) answer {
	if to := x.set.transport.redirectTo; to != "" {
		return answer{status: http.StatusTemporaryRedirect, contentType: textType, location: to}
	}
	if r := x.authorize(); r != nil {
		x.rate, _ = x.sim.rates.take(x.key(), x.now.UnixMicro(), &x.set.rate, false)
		return x.refuse(r)
	}
	var allowed bool
	x.rate, allowed = x.sim.rates.take(x.key(), x.now.UnixMicro(), &x.set.rate, true)
	if !allowed {
		return x.tooMany(time.UnixMicro(x.rate.reset))
	}
	switch x.route {
	case routeList:
		return x.list()
	case routeSubmit:
		return x.submit(body)
	case routeJob:
		return x.job()
	case routeStats:
		return x.stats()
	case routeExtractors, routeExtractor:
		return x.extractors()
	case routeCredits:
		return x.credits()
	}
	return x.notFound("endpoint")
}

func (x *exchange) notFound(what string) answer {
	return x.refuse(&refusal{http.StatusNotFound, "not_found", "The " + what + " was not found.", "Check the id; jobs are kept for a limited time."})
}

// key is the bearer key of the request; empty if it has none.
func (x *exchange) key() string {
	key, _ := strings.CutPrefix(x.request.Header.Get("Authorization"), "Bearer ")
	return key
}

// authorize checks the key.
func (x *exchange) authorize() *refusal {
	a := &x.set.access
	if a.auth == off {
		return nil
	}
	key, bearer := strings.CutPrefix(x.request.Header.Get("Authorization"), "Bearer ")
	switch {
	case !bearer || key == "":
		return &refusal{http.StatusUnauthorized, "missing_authorization", "The Authorization header is missing.", "Send Authorization: Bearer and your key."}
	case a.auth == "revoked", a.revokedAfter > 0 && x.number > a.revokedAfter,
		x.sim.config.Key != "" && key != x.sim.config.Key && !x.sim.rates.known(key):
		return &refusal{http.StatusUnauthorized, "invalid_api_key", "The API key is not valid.", "Check that the key is active."}
	case a.auth == "forbidden":
		return &refusal{http.StatusForbidden, "insufficient_scope", "The API key lacks the scope documents:read.", "Use a key with that scope."}
	case a.auth == "read_only" && x.route == routeSubmit:
		return &refusal{http.StatusForbidden, "insufficient_scope", "The API key lacks the scope documents:write.", "Use a key with that scope."}
	}
	return nil
}

// tooMany refuses a request until then.
func (x *exchange) tooMany(until time.Time) answer {
	a := x.refuse(&refusal{http.StatusTooManyRequests, "rate_limit_exceeded", "Too many requests.", "Wait until the window resets."})
	switch x.set.rate.retryAfter {
	case on:
		left := (until.Sub(x.now) + time.Second - 1) / time.Second
		a.retryAfter = strconv.Itoa(max(1, int(left)))
	case "date":
		a.retryAfter = until.Add(time.Second - 1).UTC().Truncate(time.Second).Format(http.TimeFormat)
	}
	return a
}

// job answers one job.
func (x *exchange) job() answer {
	v := x.sim.view(x.set)
	it, ok := x.sim.store.find(x.id)
	if !ok || !v.visible(&x.sim.store.plan, &it) {
		return x.notFound("job")
	}
	return answer{status: http.StatusOK, contentType: jsonType, body: x.sim.press(x.set).append(nil, &it, v.clock)}
}

// write writes to the client, or ends the connection.
func (x *exchange) write(b []byte) {
	if _, err := x.writer.Write(b); err != nil {
		panic(http.ErrAbortHandler)
	}
}
