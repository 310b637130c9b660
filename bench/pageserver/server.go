package pageserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	defaultLimit = 50
	maxLimit     = 100
	// generous is the rate limit that the server tells.
	generous = "1000000000"
)

// Options say how the server behaves.
type Options struct {
	Latency time.Duration // waited before each answer
	Gzip    bool          // compress for clients that accept it
}

// Counters count what the server has sent since it began or since they were
// reset.
type Counters struct {
	Requests int64 `json:"requests"` // of all kinds
	Listings int64 `json:"listings"` // of which pages of jobs
	Bytes    int64 `json:"bytes"`    // of bodies, as sent
}

// Server is an [http.Handler] that answers for the API. Counters are read at
// GET /bench/counters, and set to zero by DELETE.
type Server struct {
	shelf      *Shelf
	options    Options
	extractors []byte
	mux        *http.ServeMux
	packed     *packer

	requests, listings, bytes atomic.Int64
}

// New returns a server of the shelf's jobs.
func New(shelf *Shelf, o Options) (*Server, error) {
	extractors, err := shelf.spec.Extractors()
	if err != nil {
		return nil, fmt.Errorf("describe the extractors: %w", err)
	}
	s := &Server{shelf: shelf, options: o, extractors: extractors, mux: http.NewServeMux()}
	if o.Gzip {
		s.packed = newPacker()
	}
	s.mux.HandleFunc("GET /v1/documents", s.list)
	s.mux.HandleFunc("GET /v1/documents/{id}", s.get)
	s.mux.HandleFunc("GET /v1/extractors", func(w http.ResponseWriter, r *http.Request) {
		s.send(w, r, s.extractors)
	})
	s.mux.HandleFunc("GET /bench/counters", s.count)
	s.mux.HandleFunc("DELETE /bench/counters", s.count)
	return s, nil
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// count answers with the counters as they were.
func (s *Server) count(w http.ResponseWriter, r *http.Request) {
	c := Counters{s.requests.Load(), s.listings.Load(), s.bytes.Load()}
	if r.Method == http.MethodDelete {
		s.requests.Store(0)
		s.listings.Store(0)
		s.bytes.Store(0)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c) // a client that is gone does not want it
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.listings.Add(1)
	q, err := parse(r.URL.Query())
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "invalid_parameter", err.Error())
		return
	}
	sel := s.shelf.choose(q.filter)
	pieces, items := s.shelf.page(sel, q.offset, q.limit)
	body := make([][]byte, 0, 2*len(pieces)+2)
	body = append(body, []byte(`{"jobs":[`))
	for i, piece := range pieces {
		if i > 0 {
			body = append(body, []byte{','})
		}
		body = append(body, piece)
	}
	body = append(body, fmt.Appendf(nil, `],"total":%d,"limit":%d,"offset":%d}`, sel.total(), q.limit, q.offset))
	if s.packed != nil && items > 0 && acceptsGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		body = [][]byte{s.packed.pack(r.URL.RawQuery, body)}
	}
	s.send(w, r, body...)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	i, ok := s.shelf.find(r.PathValue("id"))
	if !ok {
		s.refuse(w, http.StatusNotFound, "not_found", "There is no such job.")
		return
	}
	s.send(w, r, s.shelf.job(i))
}

// send answers with a body in pieces.
func (s *Server) send(w http.ResponseWriter, r *http.Request, body ...[]byte) {
	size := 0
	for _, piece := range body {
		size += len(piece)
	}
	s.head(w, size)
	if !s.wait(r) {
		return
	}
	for _, piece := range body {
		if _, err := w.Write(piece); err != nil {
			return // the client is gone
		}
	}
	s.requests.Add(1)
	s.bytes.Add(int64(size))
}

func (s *Server) head(w http.ResponseWriter, size int) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(size))
	h.Set("X-RateLimit-Limit", generous)
	h.Set("X-RateLimit-Remaining", generous)
	h.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
}

// wait stands for the network; it reports false if the client went away.
func (s *Server) wait(r *http.Request) bool {
	if s.options.Latency <= 0 {
		return true
	}
	timer := time.NewTimer(s.options.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (s *Server) refuse(w http.ResponseWriter, status int, code, message string) {
	body := fmt.Appendf(nil, `{"error":{"code":%q,"message":%q,"status":%d}}`, code, message, status)
	s.requests.Add(1)
	s.bytes.Add(int64(len(body)))
	s.head(w, len(body))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone does not want it
}

// query is a listing request.
type query struct {
	filter
	limit, offset int
}

// parse reads a request's parameters. One that the server cannot honour is
// refused, or an answer would hold what was not asked for.
func parse(values url.Values) (query, error) {
	q := query{limit: defaultLimit}
	for name := range values {
		var err error
		value := values.Get(name)
		switch name {
		case "limit":
			q.limit, err = strconv.Atoi(value)
		case "offset":
			q.offset, err = strconv.Atoi(value)
		case "created_after":
			q.after, err = time.Parse(time.RFC3339Nano, value)
		case "created_before":
			q.before, err = time.Parse(time.RFC3339Nano, value)
		case "extractor_id":
			q.extractor = value
		case "status":
			q.status = value
		default:
			err = fmt.Errorf("not known")
		}
		if err != nil {
			return q, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	if q.limit < 1 || q.offset < 0 {
		return q, fmt.Errorf("limit %d and offset %d: must not be negative", q.limit, q.offset)
	}
	q.limit = min(q.limit, maxLimit)
	return q, nil
}
