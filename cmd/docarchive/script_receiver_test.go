package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptReceive starts a server that keeps what is sent to it in a file, method
// and path first, and answers with a status. It sets a variable to its URL:
//
//	receive 200 WEBHOOK posts
func scriptReceive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: receive STATUS VARIABLE FILE")
	}
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	name := ts.MkAbs(args[2])
	ts.Check(os.WriteFile(name, nil, 0o600))
	var mu sync.Mutex
	var all bytes.Buffer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&all, "%s %s\n%s\n", req.Method, req.URL.Path, body)
		if err == nil {
			err = os.WriteFile(name, all.Bytes(), 0o600)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(status)
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[1], server.URL)
}
