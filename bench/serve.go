package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/bench/pageserver"
	"github.com/adteco/docarchive/bench/workload"
)

// endFormat is how the end of the workload's time is passed on.
const endFormat = time.RFC3339

// sqlCommand prints in full what the report abbreviates.
func sqlCommand(o *options, stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "sql", Short: "Print the queries that flatten the jobs in DuckDB", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(stdout, "%s;\n\n%s;\n", flatLines(o.spec(), "jobs.jsonl"), flatPages(o.spec(), "pages/*.json"))
			return err
		},
	}
}

func genCommand(o *options, stdout io.Writer) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "gen", Short: "Write the jobs as JSON lines", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if out == "" {
				return writeLines(o.spec(), stdout)
			}
			return writeFile(out, func(w io.Writer) error { return writeLines(o.spec(), w) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write; standard output if left out")
	return cmd
}

// writeLines makes the jobs one by one: it takes no memory to speak of.
func writeLines(spec workload.Spec, w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<20)
	var buf []byte
	for i := range spec.Jobs {
		buf = append(spec.Append(buf[:0], i), '\n')
		if _, err := out.Write(buf); err != nil {
			return err
		}
	}
	return out.Flush()
}

func writeFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}

// ready is what the server prints once it answers.
type ready struct {
	URL string `json:"url"` // without a path
}

func serverCommand(o *options, stdin io.Reader, stdout io.Writer) *cobra.Command {
	var addr, lines, end string
	cmd := &cobra.Command{
		Use: "server", Short: "Serve the jobs as the API would, until standard input ends", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			spec := o.spec()
			if end != "" {
				t, err := time.Parse(endFormat, end)
				if err != nil {
					return err
				}
				spec.End = t
			}
			shelf := pageserver.Fill(spec)
			if lines != "" {
				if err := writeFile(lines, shelf.WriteLines); err != nil {
					return err
				}
			}
			handler, err := pageserver.New(shelf, pageserver.Options{Latency: o.work.latency, Gzip: o.work.gzip})
			if err != nil {
				return err
			}
			return listen(cmd.Context(), addr, handler, stdin, stdout)
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:0", "to listen on")
	cmd.Flags().StringVar(&lines, "lines", "", "file to write the jobs to as JSON lines first")
	cmd.Flags().StringVar(&end, "end", "", "all jobs are created before it; the last midnight, UTC, if left out")
	return cmd
}

// listen serves until the context or standard input ends.
func listen(ctx context.Context, addr string, handler http.Handler, stdin io.Reader, stdout io.Writer) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	ended := make(chan struct{})
	// Reading cannot be given up; on a signal the process ends under it.
	group.Go(func() error {
		defer close(ended)
		_, err := io.Copy(io.Discard, stdin)
		return err
	})
	if err := json.NewEncoder(stdout).Encode(ready{"http://" + listener.Addr().String()}); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case <-ended:
	case <-ctx.Done():
		return server.Close()
	}
	return errors.Join(server.Close(), group.Wait())
}

// source is a server in a process of its own.
type source struct {
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
}

// serve starts a server of the workload. lines, if not empty, is the file to
// write it to as well. The caller closes the source.
func (b *bench) serve(ctx context.Context, spec workload.Spec, latency time.Duration, gzip bool, lines string) (*source, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := []string{
		"server", fmt.Sprintf("--jobs=%d", spec.Jobs), fmt.Sprintf("--days=%d", spec.Days), fmt.Sprintf("--seed=%d", spec.Seed),
		fmt.Sprintf("--extra=%d", spec.Extra), "--end=" + spec.End.Format(endFormat), fmt.Sprintf("--latency=%s", latency), fmt.Sprintf("--gzip=%t", gzip),
	}
	b.report.command("bench " + strings.Join(argv, " "))
	if lines != "" {
		argv = append(argv, "--lines="+lines)
	}
	cmd := exec.CommandContext(ctx, self, argv...)
	cmd.Env = append(os.Environ(), childMark+"=1")
	cmd.Stderr = b.stderr
	ownGroup(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	s := &source{cmd: cmd, stdin: stdin}
	var r ready
	if err := json.NewDecoder(stdout).Decode(&r); err != nil {
		return nil, errors.Join(fmt.Errorf("start the server: %w", err), s.close())
	}
	s.url = r.URL
	return s, nil
}

// close ends the server.
func (s *source) close() error {
	closed := s.stdin.Close()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("end the server: %w", err)
	}
	return closed
}

// count returns what the server has sent since count was called last.
func (s *source) count(ctx context.Context) (c pageserver.Counters, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.url+"/bench/counters", nil)
	if err != nil {
		return c, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return c, err
	}
	defer response.Body.Close()
	return c, json.NewDecoder(response.Body).Decode(&c)
}
