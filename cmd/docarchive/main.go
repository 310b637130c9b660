// Command docarchive archives the jobs of the DocExtract API before they
// expire. See the README and `docarchive help`.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

// version is set when the program is built for release.
var version = "devel"

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(system{
		args: os.Args[1:], getenv: os.LookupEnv,
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		signals: signals, exit: os.Exit,
	}))
}
