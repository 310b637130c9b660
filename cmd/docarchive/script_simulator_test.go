package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

// scriptKey is the only key that the simulators of scripts accept.
const scriptKey = "sk_test_of_the_scripts"

// scriptState is what the commands of one script know of each other.
type scriptState struct {
	sim      *docextracttest.Simulator // the last one started
	requests int64                     // that it had at the last check
	listing  string                    // of the folder that must not change
}

// scriptStateKey finds a script's state among its values.
type scriptStateKey struct{}

func stateOf(ts *testscript.TestScript) *scriptState {
	return ts.Value(scriptStateKey{}).(*scriptState)
}

// scriptSimulate starts a simulator of the API whose time stands still, and
// names it to docarchive by the environment:
//
//	simulate jobs=200 days=4 open=3 order=shuffled fault:e500=0.01
//
// What is neither jobs, days, open, burst, a fault nor a further key with its requests
// a minute (key:NAME=60) is a knob.
func scriptSimulate(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: simulate [SETTING=VALUE…]")
	}
	at := time.Now().UTC().Truncate(time.Second)
	config := docextracttest.Config{
		Seed: 7, Jobs: 200, Span: 4 * 24 * time.Hour, Key: scriptKey, Clock: func() time.Time { return at },
	}
	var rest []string
	for _, setting := range args {
		name, value, _ := strings.Cut(setting, "=")
		switch name {
		case "jobs":
			config.Jobs = wholeNumber(ts, value)
		case "days":
			config.Span = time.Duration(wholeNumber(ts, value)) * 24 * time.Hour
		case "burst":
			config.Burst = wholeNumber(ts, value)
		case "open":
			config.Open = wholeNumber(ts, value)
		default:
			if key, is := strings.CutPrefix(name, "key:"); is {
				config.Keys = append(config.Keys, docextracttest.RateKey{Key: key, PerMinute: int64(wholeNumber(ts, value))})
				continue
			}
			rest = append(rest, setting)
		}
	}
	sim := docextracttest.New(config)
	stateOf(ts).sim, stateOf(ts).requests = sim, 0
	scriptTurn(ts, false, rest)
	running, err := sim.Start()
	ts.Check(err)
	ts.Defer(func() { ts.Check(running.Close()) })
	ts.Setenv("DOCEXTRACT_BASE_URL", running.URL)
	ts.Setenv("DOCEXTRACT_API_KEY", scriptKey)
}

func wholeNumber(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func scriptSimulator(ts *testscript.TestScript) *docextracttest.Simulator {
	sim := stateOf(ts).sim
	if sim == nil {
		ts.Fatalf("no simulator is running")
	}
	return sim
}

// scriptTurn turns knobs and faults of the running simulator. A fault has a
// probability, or after an @ the number of a request from now on, 1 being the
// next; and clear ends all faults:
//
//	turn order=id fault:e500=0.1 fault:garbage@2
//	turn clear
func scriptTurn(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: turn SETTING=VALUE…")
	}
	sim := scriptSimulator(ts)
	for _, setting := range args {
		fault, isFault := strings.CutPrefix(setting, "fault:")
		name, at, scheduled := strings.Cut(fault, "@")
		switch {
		case setting == "clear":
			sim.Faults().Clear()
		case isFault && scheduled:
			ts.Check(sim.Faults().At(name, sim.Requests()+int64(wholeNumber(ts, at))))
		case isFault:
			name, value, _ := strings.Cut(fault, "=")
			p, err := strconv.ParseFloat(value, 64)
			ts.Check(err)
			ts.Check(sim.Faults().Set(name, p))
		default:
			name, value, _ := strings.Cut(setting, "=")
			ts.Check(sim.Knobs().Set(name, value))
		}
	}
}

// scriptInsert adds each line of a file to the listings as an element that need
// not be a job, created so long ago. CREATED in it stands for that time:
//
//	insert 30h elements.jsonl
func scriptInsert(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: insert AGE FILE")
	}
	age, err := time.ParseDuration(args[0])
	ts.Check(err)
	created := time.Now().UTC().Add(-age).Truncate(time.Second)
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		raw := strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "CREATED", created.Format(time.RFC3339))
		scriptSimulator(ts).AddRaw(created, []byte(raw))
	}
}

// scriptRequests checks how many requests the simulator has had since it was
// started or since the last check:
//
//	requests 0
func scriptRequests(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] requests NUMBER")
	}
	before, now := stateOf(ts).requests, scriptSimulator(ts).Requests()
	stateOf(ts).requests = now
	if got, want := now-before, int64(wholeNumber(ts, args[0])); (got == want) == neg {
		ts.Fatalf("%d requests, want %s%d", got, map[bool]string{true: "other than "}[neg], want)
	}
}

// scriptSignal sends a signal to the process whose number stands in a file, as
// soon as the simulator has had so many requests:
//
//	signal TERM pid 4
func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt}
	if neg || len(args) != 3 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal TERM|INT FILE REQUESTS")
	}
	sim, n := scriptSimulator(ts), int64(wholeNumber(ts, args[2]))
	poll, late := time.NewTicker(5*time.Millisecond), time.After(time.Minute)
	defer poll.Stop()
	for sim.Requests() < n {
		select {
		case <-poll.C:
		case <-late:
			ts.Fatalf("only %d requests have come", sim.Requests())
		}
	}
	process, err := os.FindProcess(wholeNumber(ts, strings.TrimSpace(ts.ReadFile(args[1]))))
	ts.Check(err)
	ts.Check(process.Signal(signals[args[0]]))
}

func fingerprint(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
