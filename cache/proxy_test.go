package cache_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// proxy stands before a Redis and loses answers: a command that it was told to
// spoil is carried out, but the connection ends before the client hears of it.
type proxy struct {
	addr   string
	target string

	mu    sync.Mutex
	spoil map[string]int // command → how many answers are still to be lost
	lost  int
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: listener.Addr().String(), target: target, spoil: map[string]int{}}
	var connections sync.WaitGroup
	connections.Add(1)
	go func() {
		defer connections.Done()
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer connections.Done()
				p.serve(client)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		connections.Wait()
	})
	return p
}

// lose makes the next answers to the command get lost.
func (p *proxy) lose(command string, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil[command] += times
}

func (p *proxy) losses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

func (p *proxy) loses(command string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spoil[command] == 0 {
		return false
	}
	p.spoil[command]--
	p.lost++
	return true
}

// serve passes commands on one by one, each followed by its answer.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	commands, answers := bufio.NewReader(client), bufio.NewReader(server)
	for {
		command, err := readValue(commands)
		if err != nil {
			return
		}
		if _, err := io.WriteString(server, command); err != nil {
			return
		}
		answer, err := readValue(answers)
		if err != nil || p.loses(commandName(command)) {
			return
		}
		if _, err := io.WriteString(client, answer); err != nil {
			return
		}
	}
}

func commandName(command string) string {
	if words := strings.Split(command, "\r\n"); len(words) > 2 {
		return strings.ToUpper(words[2])
	}
	return ""
}

// readValue reads one whole value of the protocol, as text.
func readValue(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil || len(line) < 3 {
		return line, fmt.Errorf("read a value: %w", err)
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch line[0] {
	case '$', '=', '!':
		if n < 0 {
			return line, nil
		}
		body := make([]byte, n+2)
		_, err := io.ReadFull(r, body)
		return line + string(body), err
	case '%':
		n *= 2
		fallthrough
	case '*', '~', '>':
		var whole strings.Builder
		whole.WriteString(line)
		for range n {
			value, err := readValue(r)
			if err != nil {
				return "", err
			}
			whole.WriteString(value)
		}
		return whole.String(), nil
	}
	return line, nil
}
