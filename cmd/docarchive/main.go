// Command docarchive archives the jobs of the DocExtract API before they
// expire. See the README and `docarchive help`.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

// What the program was built from, set when it is built for release: the
// version, and the commit and its date where Go does not record them itself.
var (
	version = "devel"
	commit  string
	date    string
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(system{
		args: os.Args[1:], getenv: os.LookupEnv,
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		signals: signals, exit: os.Exit,
	}))
}
