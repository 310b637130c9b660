package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// totals counts tests and subtests. A package that failed without a failed
// test of its own (it did not build, it timed out, it crashed) counts as one.
type totals struct {
	passed, failed, skipped int
}

// event is what "go test -json" writes a line of; see "go doc test2json".
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
}

// running is what is known of one package until its closing event.
type running struct {
	output map[string]*strings.Builder // by test; "" is the package's own
	failed int
}

func (r *running) log(test string) *strings.Builder {
	if r.output[test] == nil {
		r.output[test] = &strings.Builder{}
	}
	return r.output[test]
}

// counter folds events into totals. Builds are reported under an import path
// of their own before the package that needed them fails.
type counter struct {
	out      io.Writer
	total    totals
	packages map[string]*running
	builds   map[string]*strings.Builder
}

// count reads events until the end of in. Lines that are not events, such as
// the go command's complaints, are passed through.
func count(in io.Reader, out io.Writer) (totals, error) {
	c := counter{out: out, packages: map[string]*running{}, builds: map[string]*strings.Builder{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprint(out, string(line))
			} else {
				c.add(e)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return c.total, fmt.Errorf("read test events: %w", err)
		}
	}
	// A package that never closed was cut off, by the time limit for instance.
	for name := range c.packages {
		c.total.failed++
		fmt.Fprintf(out, "FAIL %s: cut off before it ended\n", name)
	}
	return c.total, nil
}

func (c *counter) add(e event) {
	switch e.Action {
	case "build-output":
		if c.builds[e.ImportPath] == nil {
			c.builds[e.ImportPath] = &strings.Builder{}
		}
		c.builds[e.ImportPath].WriteString(e.Output)
		return
	case "build-fail":
		if b := c.builds[e.ImportPath]; b != nil {
			fmt.Fprint(c.out, b.String())
			delete(c.builds, e.ImportPath)
		}
		return
	}
	p := c.packages[e.Package]
	if p == nil {
		p = &running{output: map[string]*strings.Builder{}}
		c.packages[e.Package] = p
	}
	switch e.Action {
	case "output":
		p.log(e.Test).WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			c.closePackage(e, p)
		} else {
			c.closeTest(e, p)
		}
	}
}

func (c *counter) closeTest(e event, p *running) {
	switch e.Action {
	case "pass":
		c.total.passed++
	case "fail":
		c.total.failed++
		p.failed++
		fmt.Fprintf(c.out, "--- FAIL %s %s\n%s", e.Package, e.Test, p.log(e.Test))
	case "skip":
		c.total.skipped++
		fmt.Fprintf(c.out, "--- SKIP %s %s\n%s", e.Package, e.Test, p.log(e.Test))
	}
	delete(p.output, e.Test)
}

func (c *counter) closePackage(e event, p *running) {
	delete(c.packages, e.Package)
	switch e.Action {
	case "pass":
		fmt.Fprintf(c.out, "ok   %s %.1fs\n", e.Package, e.Elapsed)
	case "fail":
		if p.failed == 0 {
			c.total.failed++
		}
		// A test that was still running when its process died never closes.
		for test, log := range p.output {
			if test != "" {
				fmt.Fprintf(c.out, "--- UNFINISHED %s %s\n%s", e.Package, test, log)
			}
		}
		fmt.Fprintf(c.out, "FAIL %s %.1fs\n%s", e.Package, e.Elapsed, p.log(""))
	}
}
