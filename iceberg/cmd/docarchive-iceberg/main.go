// Command docarchive-iceberg registers an archive's Parquet files in Apache
// Iceberg tables. See `docarchive-iceberg sync --help`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := 0
	if err := newRoot(os.Stdout, os.Stderr).ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "docarchive-iceberg: %v\n", err)
		status = exitStatus(ctx, err)
	}
	stop()
	os.Exit(status)
}
