// Testcount reads the output of one or more "go test -json" runs from standard
// input, prints what a person needs (a line per package and the output of what
// failed or was skipped) and closes with "N passed, N failed, N skipped".
// Subtests count, and a test run twice counts twice. It exits with status 1
// when anything failed, was skipped, or when no test ran at all: a skipped
// integration test is a hole in the check, not a success.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("testcount", flag.ContinueOnError)
	path := flags.String("summary", "/dev/stdout", "file that receives the closing line")
	if err := flags.Parse(args); err != nil {
		return err
	}
	total, err := count(in, out)
	if err != nil {
		return err
	}
	if err := writeSummary(*path, total, out); err != nil {
		return err
	}
	return total.verdict()
}

func writeSummary(path string, total totals, out io.Writer) error {
	line := fmt.Sprintf("%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped)
	if path == "/dev/stdout" {
		_, err := io.WriteString(out, line)
		return err
	}
	return os.WriteFile(path, []byte(line), 0o644)
}

// verdict is nil only for a run in which at least one test passed and all did.
func (t totals) verdict() error {
	switch {
	case t.failed > 0:
		return errors.New("something failed")
	case t.skipped > 0:
		return errors.New("a test was skipped; install what it asks for, or remove it")
	case t.passed == 0:
		return errors.New("no test ran")
	}
	return nil
}
