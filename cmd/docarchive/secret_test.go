package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/klauspost/compress/zstd"
)

// planted are the secrets of the configuration, by the variable that holds each
// or a part of it.
var planted = map[string]string{
	"DOCEXTRACT_API_KEY": "sk_live_PLANTED-api=key+1",
	"OTHER_API_KEY":      "sk_live_PLANTED-other-key+2",
	"HASH_KEY":           "PLANTED-hash-key-of-enough-length",
	"REDIS_PASSWORD":     "PLANTED-redis-pass",
	"DATABASE_PASSWORD":  "PLANTED-database-pass",
	"WEBHOOK_TOKEN":      "T0000/PLANTED-webhook-token",
}

// secretConfig uses every kind of secret that there is.
const secretConfig = `
api: {base_url: "${DOCEXTRACT_BASE_URL}", key: "${DOCEXTRACT_API_KEY}", concurrency: 1, keys: {other: {key: "${OTHER_API_KEY}"}}}
cache: ${CACHE}
archive: ${DOCARCHIVE_BUCKET}
hash_key: ${HASH_KEY}
pipelines:
  jobs:
    since: 5d
    fields: {vendor.name: hash}
    sinks: [{type: parquet}, {type: csv}]
    alerts: {webhooks: [{type: slack, url: "https://hooks.example.com/services/${WEBHOOK_TOKEN}"}]}
  warehouse:
    key: other
    since: 5d
    sinks: [{type: database, url: "postgres://user:${DATABASE_PASSWORD}@db.example.com/d"}]
`

// gossip is an API that repeats the credentials it is sent wherever an answer
// has room for them.
type gossip struct {
	next http.Handler
	mode atomic.Value // string; "" answers as next does
}

// gossipModes are the ways in which it answers, each with the statuses of run
// and of plan that meet it.
var gossipModes = map[string]struct{ run, plan int }{
	"refuse":      {exitRefused, exitRefused},
	"forbid":      {exitRefused, exitRefused},
	"bad request": {exitFailed, exitFailed},
	"outage":      {exitTemporary, exitTemporary},
	"page":        {exitTemporary, exitTemporary},
	"redirect":    {exitConfig, exitConfig},
	"job":         {exitPartly, exitDone}, // its windows do not add up, however often they are read
}

func (g *gossip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", shellTime.Format(http.TimeFormat))
	auth := r.Header.Get("Authorization")
	key := strings.TrimPrefix(auth, "Bearer ")
	problem := func(status int) {
		w.Header().Set("X-Debug", auth)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"code":%[1]q,"message":%[1]q,"suggestion":%[1]q,"request_id":%[1]q}}`, auth)
	}
	switch mode, _ := g.mode.Load().(string); mode {
	case "refuse":
		problem(http.StatusUnauthorized)
	case "forbid":
		problem(http.StatusForbidden)
	case "bad request":
		problem(http.StatusBadRequest)
	case "outage":
		problem(http.StatusServiceUnavailable)
	case "page": // where a message cuts it, part of the key may be left
		fmt.Fprintf(w, "%s%s", strings.Repeat(".", 200-len(key)+4), key)
	case "redirect":
		w.Header().Set("Location", "https://"+key+".example.com/"+key)
		w.WriteHeader(http.StatusFound)
	case "job":
		fmt.Fprintf(w, `{"jobs":[{"status":%[1]q,"id":%[1]q,"created_at":"2026-11-23T10:00:00Z"},`+
			`{"id":"job_1","status":"completed","created_at":%[1]q}],"total":2}`, key)
	default:
		g.next.ServeHTTP(w, r)
	}
}

// newSecretShell returns a shell full of secrets, whose API gossips.
func newSecretShell(t *testing.T) (*shell, *gossip) {
	s := newShell(t)
	s.configure(secretConfig)
	for name, value := range planted {
		s.env[name] = value
	}
	s.env["CACHE"] = "embedded"
	if err := s.sim.Knobs().Set("auth", "off"); err != nil {
		t.Fatal(err)
	}
	g := &gossip{next: s.sim.Handler()}
	s.serve(g)
	return s, g
}

// leaked names what of the secrets stands in a text: the whole, or a beginning
// that is long enough to help. The webhook's token may stand alone.
func leaked(text []byte) []string {
	var found []string
	for name, secret := range planted {
		at := strings.Index(secret, "PLANTED")
		if bytes.Contains(text, []byte(secret[at:])) || bytes.Contains(text, []byte(secret[:at+len("PLANTED-xx")])) {
			found = append(found, name)
		}
	}
	return found
}

// check executes docarchive and looks for secrets in what it prints.
func (s *shell) check(status int, args ...string) {
	s.t.Helper()
	r := s.execute(args...)
	if r.status != status {
		s.t.Errorf("%q: exit status %d, want %d\n%s%s", args, r.status, status, r.stdout, r.stderr)
	}
	for stream, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
		if found := leaked([]byte(text)); len(found) > 0 {
			s.t.Errorf("%q prints %v on %s:\n%s", args, found, stream, text)
		}
	}
}

func TestNoSecretIsPrinted(t *testing.T) {
	s, g := newSecretShell(t)
	s.check(exitDone, "validate")
	s.check(exitDone, "plan", "jobs", "-o", "json")
	s.check(exitConfig, "status")
	s.check(exitDone, "run", "jobs", "--log-level", "debug", "-o", "json")
	s.check(exitTemporary, "run") // the database is nowhere
	s.check(exitDone, "plan")
	s.check(exitDone, "status", "-o", "json")
	s.check(exitDone, "verify", "jobs")
	s.check(exitDone, "schema", "jobs", "-o", "json")
	s.check(exitDone, "gc")
	s.check(exitUsage, "run", planted["DOCEXTRACT_API_KEY"])
	s.check(exitUsage, "run", "--since", planted["DATABASE_PASSWORD"])
	for mode, status := range gossipModes {
		g.mode.Store(mode)
		s.check(status.run, "run", "jobs", "--log-level", "debug")
		s.check(status.run, "run", "jobs", "--log-level", "debug", "--log-format", "json", "-o", "json")
		s.check(status.plan, "plan", "jobs", "-o", "json")
		g.mode.Store("")
	}
	s.searchFiles()
}

// A cache that is away, and one that refuses the password.
func TestNoSecretOfTheCacheIsPrinted(t *testing.T) {
	s, _ := newSecretShell(t)
	s.env["CACHE"] = "redis://user:" + planted["REDIS_PASSWORD"] + "@127.0.0.1:1/0"
	s.check(exitDone, "run", "jobs", "--log-level", "debug")
	server := miniredis.RunT(t)
	server.RequireUserAuth("user", "another")
	s.env["CACHE"] = "redis://user:" + planted["REDIS_PASSWORD"] + "@" + server.Addr() + "/0"
	s.check(exitConfig, "run", "jobs", "--log-level", "debug")
	s.searchFiles()
}

// Mistakes in values that hold secrets.
func TestNoSecretIsPrintedOfMistakes(t *testing.T) {
	secret := planted["DATABASE_PASSWORD"]
	for _, c := range []struct{ was, is string }{
		{`"${DOCEXTRACT_BASE_URL}"`, `"https://user:${DATABASE_PASSWORD}@api.example.com/v1"`},
		{`"${DOCEXTRACT_BASE_URL}"`, `"ftp://${DATABASE_PASSWORD}"`},
		{`${CACHE}`, `redis://user:${DATABASE_PASSWORD}#@host`},
		{`${CACHE}`, `memcached://user:${DATABASE_PASSWORD}@host`},
		{`${DOCARCHIVE_BUCKET}`, `ftp://user:${DATABASE_PASSWORD}@host`},
		{`${DOCARCHIVE_BUCKET}`, `file://./archive?token=${DATABASE_PASSWORD}`},
		{`postgres://user:`, `mongo://user:`},
		{`postgres://user:`, `postgres://us%er:`},
		{`https://hooks.example.com/services/${WEBHOOK_TOKEN}`, `ftp://${DATABASE_PASSWORD}`},
		{`{vendor.name: hash}`, `{vendor.name: "${DATABASE_PASSWORD}"}`},
		{`since: 5d`, `since: "${DATABASE_PASSWORD}"`},
		{`{type: csv}`, `{type: "${DATABASE_PASSWORD}"}`},
		{`{type: csv}`, `{type: csv, path: "../${DATABASE_PASSWORD}"}`},
	} {
		t.Run(c.is, func(t *testing.T) {
			s, _ := newSecretShell(t)
			s.configure(strings.Replace(secretConfig, c.was, c.is, 1))
			r := s.execute("run", "jobs")
			if r.status != exitConfig {
				t.Errorf("exit status %d\n%s", r.status, r.stderr)
			}
			if strings.Contains(r.stdout+r.stderr, secret) {
				t.Errorf("the value is printed:\n%s%s", r.stdout, r.stderr)
			}
		})
	}
}

// searchFiles looks for secrets in everything that was written.
func (s *shell) searchFiles() {
	s.t.Helper()
	files := 0
	err := filepath.WalkDir(s.dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".zst") {
			d, err := zstd.NewReader(nil)
			if err != nil {
				return err
			}
			defer d.Close()
			if data, err = d.DecodeAll(data, nil); err != nil {
				return err
			}
		}
		files++
		if strings.Contains(name, "quarantine") || strings.Contains(name, "rejects") {
			return nil // holds what the API sent, as it sent it
		}
		if found := leaked(data); len(found) > 0 {
			s.t.Errorf("%s holds %v", name, found)
		}
		return nil
	})
	if err != nil {
		s.t.Error(err)
	}
	if files < 20 {
		s.t.Errorf("only %d files were searched", files)
	}
}
