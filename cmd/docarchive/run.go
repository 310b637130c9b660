package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
)

// system is the operating system as the program sees it.
type system struct {
	args    []string
	getenv  func(string) (string, bool)
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	signals <-chan os.Signal
	exit    func(int) // for a second signal, which does not wait

	now func() time.Time // the clock; time.Now if nil

	// tune, if set, adjusts the API client: tests cannot wait as long as a
	// nightly run does.
	tune func(*docextract.Options)
}

// app is what all commands share.
type app struct {
	system
	flags  globalFlags
	screen *screen // behind stderr
	log    *slog.Logger
	hide   *redactor
	stop   *stopper

	machine atomic.Pointer[slog.Logger] // the log, once it is known to be for machines
}

// globalFlags are the flags of every command.
type globalFlags struct {
	config    string
	logFormat string
	logLevel  string
	quiet     bool
	output    string
}

// run executes one command line and returns the exit status.
func run(sys system) int {
	if sys.now == nil {
		sys.now = time.Now
	}
	hide := &redactor{}
	stderr := &screen{below: sys.stderr}
	sys.stderr = hide.writer(stderr)
	a := &app{system: sys, screen: stderr, hide: hide, stop: newStopper()}
	quiet := make(chan struct{})
	var watcher sync.WaitGroup
	ctx, cancel := context.WithCancelCause(context.Background())
	watcher.Go(func() { a.watch(cancel, quiet) })
	root := a.root()
	root.SetArgs(sys.args)
	root.SetIn(sys.stdin)
	root.SetOut(sys.stdout)
	root.SetErr(sys.stderr)
	err := a.complete(root)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	close(quiet)
	watcher.Wait()
	cancel(nil)
	return a.report(err)
}

// root builds the command tree.
func (a *app) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "docarchive",
		Version:       version,
		Short:         "Archive the jobs of the DocExtract API before they expire",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; docarchive help lists them", args[0])
			}
			return nil
		},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.openLog() },
	}
	f := cmd.PersistentFlags()
	f.StringVarP(&a.flags.config, "config", "c", "jobs.yaml", "configuration file")
	f.StringVar(&a.flags.logFormat, "log-format", "text", "text or json")
	f.StringVar(&a.flags.logLevel, "log-level", "info", "debug, info, warn or error")
	f.BoolVarP(&a.flags.quiet, "quiet", "q", false, "log errors only, show no progress")
	f.StringVarP(&a.flags.output, "output", "o", "table", "table or json, where a command prints a result")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v; %s --help lists the flags", err, cmd.CommandPath())
	})
	cmd.AddCommand(
		a.initCommand(), a.doctorCommand(), a.demoCommand(), a.runCommand(), a.finalizeCommand(), a.planCommand(), a.validateCommand(), a.statusCommand(),
		a.verifyCommand(), a.gcCommand(), a.quarantineCommand(), a.rebuildCommand(), a.compactCommand(), a.schemaCommand(), a.archiveCommand(),
		a.jobsCommand(), a.statsCommand(), a.creditsCommand(), a.submitCommand(), a.resubmitCommand(), a.monitorCommand(), a.reportCommand(),
		a.simulateCommand(), a.configCommand(), a.versionCommand(),
	)
	cmd.InitDefaultCompletionCmd()
	strict(cmd)
	return cmd
}

// strict makes wrong arguments of the commands below cmd mistakes of usage. A
// command that only groups others would take any, and print its help.
func strict(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		accept := sub.Args
		if !sub.Runnable() {
			sub.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			accept = cobra.NoArgs
		}
		if accept != nil {
			sub.Args = func(cmd *cobra.Command, args []string) error {
				if err := accept(cmd, args); err != nil {
					return usagef("%v; %s --help shows how it is used", err, cmd.CommandPath())
				}
				return nil
			}
		}
		strict(sub)
	}
}

func (a *app) openLog() error {
	if a.flags.output != "table" && a.flags.output != "json" {
		return usagef("--output must be table or json, not %q", a.flags.output)
	}
	log, err := newLogger(a.stderr, a.flags)
	a.log = log
	if a.flags.logFormat == "json" {
		a.machine.Store(log)
	}
	return err
}

// json reports whether results are to be printed for machines.
func (a *app) json() bool { return a.flags.output == "json" }

const (
	gracePeriod = 20 * time.Second // for the windows in hand after a signal
	lastMoment  = 25 * time.Second // after a signal, when nothing is waited for any more
)

// stopper carries the wish to stop from a signal, or the end of --max-duration,
// to the command.
type stopper struct {
	mu     sync.Mutex
	signal os.Signal
	begin  chan struct{} // closed: begin nothing more
	closed bool
}

func newStopper() *stopper { return &stopper{begin: make(chan struct{})} }

// request asks for a stop; s is nil if no signal is the reason.
func (s *stopper) request(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.signal == nil {
		s.signal = sig
	}
	if !s.closed {
		s.closed = true
		close(s.begin)
	}
}

// received returns the signal that asked for the stop, or nil.
func (s *stopper) received() os.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signal
}

// signalError is the cause of a context that a signal ended.
type signalError struct{ signal os.Signal }

func (e *signalError) Error() string { return fmt.Sprintf("stopped by signal: %v", e.signal) }

// watch answers signals until quiet is closed. The first one lets the work in
// hand finish for a while, the second ends the program at once.
func (a *app) watch(cancel context.CancelCauseFunc, quiet <-chan struct{}) {
	var sig os.Signal
	select {
	case <-quiet:
		return
	case sig = <-a.signals:
	}
	a.stop.request(sig)
	a.announce(fmt.Sprintf("%v: the windows in hand are finished, which may take %v; again to stop at once", sig, gracePeriod))
	grace, last := time.NewTimer(gracePeriod), time.NewTimer(lastMoment)
	defer grace.Stop()
	defer last.Stop()
	for {
		select {
		case <-quiet:
			return
		case <-grace.C:
			cancel(&signalError{sig})
		case <-last.C:
			a.exit(signalStatus(sig))
			return
		case again := <-a.signals:
			a.exit(signalStatus(again))
			return
		}
	}
}

// announce tells people, or machines, of a signal.
func (a *app) announce(notice string) {
	if log := a.machine.Load(); log != nil {
		log.Warn(notice)
		return
	}
	fmt.Fprintf(a.stderr, "docarchive: %s\n", notice)
}

func signalStatus(sig os.Signal) int {
	if sig == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}
