// Command bench measures the product against its peers on generated jobs, and
// prints a table of what it found with the goals beside it. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// errMissed means that a goal was not met, and that this was asked to matter.
var errMissed = errors.New("a goal was missed")

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cmd := &cobra.Command{
		Use:           "bench",
		Short:         "Measure docarchive against its peers",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	var o options
	o.addFlags(cmd.PersistentFlags())
	for _, s := range suites() {
		cmd.AddCommand(&cobra.Command{
			Use: s.name, Short: s.short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return o.measure(cmd.Context(), s, stdout, stderr) },
		})
	}
	cmd.AddCommand(genCommand(&o, stdout), sqlCommand(&o, stdout), serverCommand(&o, stdin, stdout), fetchCommand(stdout))
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}
