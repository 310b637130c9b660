//go:build unix

package testserver

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
)

// Main runs a package's tests and then ends the servers they shared. It is the
// whole body of a TestMain.
func Main(m *testing.M) {
	Run(m.Run) // the status is kept by m and used when TestMain returns
}

// Run is Main for a TestMain that has more to do: it runs the tests by calling
// tests, ends the servers, and returns the status.
func Run(tests func() int) int {
	ofThisBinary.open()
	status := tests()
	if err := ofThisBinary.close(); err != nil {
		fmt.Fprintln(os.Stderr, "testserver:", err)
	}
	return status
}

// pool holds the servers shared by the tests of one binary.
type pool struct {
	mu      sync.Mutex
	opened  bool
	entries map[string]func() (*server, error)
	running []*server
}

// ofThisBinary is the one pool: the tests of a binary have nothing else in
// common that could own it.
var ofThisBinary = &pool{}

func (p *pool) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = true
	p.entries = map[string]func() (*server, error){}
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = false
	var failures []error
	for _, s := range slices.Backward(p.running) {
		failures = append(failures, s.close())
	}
	p.running = nil
	return errors.Join(failures...)
}

// shared returns the binary's server of that program, started by the first
// test that asks. Tests that ask for different servers do not wait for each other.
func shared(t testing.TB, program program) *server {
	t.Helper()
	p := ofThisBinary
	p.mu.Lock()
	if !p.opened {
		p.mu.Unlock()
		t.Fatalf("%s is shared by the tests of a package: add func TestMain(m *testing.M) { testserver.Main(m) }", program.name)
	}
	get := p.entries[program.name]
	if get == nil {
		get = sync.OnceValues(func() (*server, error) { return p.start(program) })
		p.entries[program.name] = get
	}
	p.mu.Unlock()
	s, err := get()
	if err != nil {
		t.Fatal(err)
	}
	s.explain(t)
	return s
}

func (p *pool) start(program program) (*server, error) {
	s, err := start(program)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, s)
	return s, nil
}
