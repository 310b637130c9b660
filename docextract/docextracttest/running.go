package docextracttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Running is a simulator that listens on the loopback interface.
type Running struct {
	URL         string // of the API, with /v1
	DocumentURL string // of the documents' host

	servers []*http.Server
	group   errgroup.Group
	cancel  context.CancelFunc
	closed  sync.Once
	gate    sync.RWMutex // read-held by every handler
}

// Start serves the API and the documents on two free ports of 127.0.0.1. From
// then on document URLs point to the second. Close it after use.
func (s *Simulator) Start() (*Running, error) {
	return s.StartAt("127.0.0.1:0", "127.0.0.1:0")
}

// StartAt is Start at given addresses, as net.Listen takes them.
func (s *Simulator) StartAt(api, documents string) (*Running, error) {
	apiListener, err := net.Listen("tcp", api)
	if err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	documentListener, err := net.Listen("tcp", documents)
	if err != nil {
		return nil, fmt.Errorf("start the simulator: %w", errors.Join(err, apiListener.Close()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Running{
		URL:         "http://" + apiListener.Addr().String() + "/v1",
		DocumentURL: "http://" + documentListener.Addr().String(),
		cancel:      cancel,
	}
	s.setDocumentBase(r.DocumentURL + "/files")
	r.serve(ctx, apiListener, s.Handler())
	r.serve(ctx, documentListener, s.DocumentHandler())
	return r, nil
}

func (r *Running) serve(ctx context.Context, l net.Listener, h http.Handler) {
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if !r.gate.TryRLock() {
				panic(http.ErrAbortHandler)
			}
			defer r.gate.RUnlock()
			h.ServeHTTP(w, req)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(io.Discard, "", 0), // connections are reset on purpose
	}
	r.servers = append(r.servers, server)
	r.group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// Close ends all requests, those that hang too, and stops listening. When it
// returns no handler is running any more. Only the first call does something.
func (r *Running) Close() (err error) {
	r.closed.Do(func() { err = r.close() })
	return err
}

func (r *Running) close() error {
	r.cancel()
	var errs []error
	for _, server := range r.servers {
		errs = append(errs, server.Close())
	}
	errs = append(errs, r.group.Wait())
	r.gate.Lock() // for good: waits for the handlers, and lets no other in
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the simulator: %w", err)
	}
	return nil
}
