package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

// hostile is a text that, printed as it is, forges a line of the log, turns it
// red, rings, rewrites what stands before it, and hides what follows.
const hostile = "x\n12:00:00 ERR forged\r\x1b[31mred\x1b]0;title\a\u009b1m\u202eeman\u2028next\u007f"

// insertHostile adds jobs whose every text is hostile.
func (s *shell) insertHostile() {
	s.t.Helper()
	created := shellTime.AddDate(0, 0, -1)
	text, err := json.Marshal(hostile)
	if err != nil {
		s.t.Fatal(err)
	}
	at := `"created_at":"` + created.Format("2006-01-02T15:04:05Z") + `"`
	for _, raw := range []string{
		`{"id":%[1]s,"extractor_id":%[1]s,"status":%[1]s,` + at + `}`,
		`{"id":"job_1","extractor_id":%[1]s,"status":"completed","created_at":%[1]s}`,
		`{"id":"job_2","status":"completed","status":"failed",` + at + `,%[1]s:0}`,
		`{"id":"job_hostile","extractor_id":%[1]s,"status":"completed","extracted_data":{%[1]s:%[1]s,"a":{%[1]s:1}},` +
			`"error_details":{"code":%[1]s,"message":%[1]s},"metadata":{%[1]s:%[1]s},` + at + `}`,
	} {
		s.sim.AddRaw(created, fmt.Appendf(nil, raw, text))
	}
}

// firstHostile returns the first character of a text that must not reach a
// terminal or a log: the line feed alone is allowed, between lines.
func firstHostile(text string) (r rune, found bool) {
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			return r, true
		}
	}
	return 0, false
}

// safe executes docarchive and looks at every line that it prints.
func (s *shell) safe(status int, args ...string) {
	s.t.Helper()
	r := s.execute(args...)
	if r.status != status {
		s.t.Errorf("%q: exit status %d, want %d\n%q", args, r.status, status, r.stderr)
	}
	for stream, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
		if char, found := firstHostile(text); found {
			s.t.Errorf("%q prints %U on %s:\n%q", args, char, stream, text)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "12:00:00 ERR forged") {
				s.t.Errorf("%q prints a forged line on %s:\n%q", args, stream, text)
			}
		}
	}
}

func TestNothingHostileIsPrinted(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			s := newShell(t)
			s.insertHostile()
			s.serve(s.sim.Handler())
			flags := []string{"--log-format", format, "--log-level", "debug"}
			s.safe(exitPartly, append(flags, "run")...)
			s.safe(exitDone, append(flags, "run")...)
			for _, command := range []string{"plan", "status", "verify", "schema jobs", "gc"} {
				s.safe(exitDone, append(flags, strings.Fields(command)...)...)
			}
			s.safe(exitDone, append(flags, "schema", "jobs", "-o", "json")...)
		})
	}
}

// An id that came with a listing is asked for again, and stands in the error.
func TestNothingHostileIsPrintedOfIDs(t *testing.T) {
	s := newShell(t)
	s.insertHostile()
	s.serve(s.sim.Handler())
	s.want(exitPartly, "jobs archived", "run")
	s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/documents/") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.sim.Handler().ServeHTTP(w, r)
	}))
	s.safe(exitTemporary, "run")
	s.safe(exitTemporary, "run", "--log-format", "json", "-o", "json")
}

// What the server says of an error, and where it redirects to.
func TestNothingHostileIsPrintedOfErrors(t *testing.T) {
	text, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		status int
		answer http.HandlerFunc
	}{
		"error": {exitRefused, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":{"code":%[1]s,"message":%[1]s,"suggestion":%[1]s,"request_id":%[1]s}}`, text)
		}},
		"page": {exitTemporary, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, hostile)
		}},
		"redirect": {exitConfig, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://x\u009b31m.example.com/%1b")
			w.WriteHeader(http.StatusFound)
		}},
		"headers": {exitTemporary, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "x\x1b[31m")
			w.Header().Set("Retry-After", "\x1b[31m")
			w.Header().Set("Date", "\x1b[31m")
			fmt.Fprint(w, "{}")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			s.serve(c.answer)
			s.safe(c.status, "run", "--log-level", "debug")
			s.safe(c.status, "plan", "--log-format", "json", "--log-level", "debug")
		})
	}
}

// What the user types is printed back.
func TestNothingHostileIsPrintedOfArguments(t *testing.T) {
	s := newShell(t)
	s.env["DOCEXTRACT_BASE_URL"] = "http://127.0.0.1:1/v1"
	s.safe(exitUsage, hostile)
	s.safe(exitUsage, "run", hostile)
	s.safe(exitUsage, "run", "--since", hostile)
	s.safe(exitUsage, "run", "-o", hostile)
	s.safe(exitUsage, "--log-level", hostile)
	s.safe(exitUsage, "--log-format", hostile)
	s.safe(exitUsage, "run", "--"+hostile)
	s.safe(exitUsage, "run", "--max-duration", hostile)
	s.safe(exitUsage, "schema", "a", hostile)
	s.safe(exitUsage, "config", hostile)
	s.safe(exitConfig, "validate", "-c", hostile)
}
