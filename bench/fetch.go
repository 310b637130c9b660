package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const (
	pageSize = 100
	inFlight = 8
)

// fetchCommand is the floor: what fetching alone takes.
func fetchCommand(stdout io.Writer) *cobra.Command {
	var location string
	var total int
	cmd := &cobra.Command{
		Use: "fetch", Short: "Fetch all pages of a server and throw them away", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			begun := time.Now()
			n, err := fetch(cmd.Context(), location, total)
			if err != nil {
				return err
			}
			took := time.Since(begun)
			_, err = fmt.Fprintf(stdout, "%d bytes in %s: %.0f pages/s\n", n, took.Round(time.Millisecond),
				float64((total+pageSize-1)/pageSize)/took.Seconds())
			return err
		},
	}
	cmd.Flags().StringVar(&location, "url", "", "of the server, without a path")
	cmd.Flags().IntVar(&total, "total", 0, "number of jobs")
	return cmd
}

// fetch gets the pages that hold so many jobs and returns their size.
func fetch(ctx context.Context, location string, total int) (int64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: inFlight, DisableCompression: true, ReadBufferSize: 64 << 10}}
	defer client.CloseIdleConnections()
	pages := make(chan int, (total+pageSize-1)/pageSize)
	for offset := 0; offset < total; offset += pageSize {
		pages <- offset
	}
	close(pages)
	sizes := make([]int64, inFlight)
	group, ctx := errgroup.WithContext(ctx)
	for worker := range inFlight {
		group.Go(func() error {
			for offset := range pages {
				n, err := discard(ctx, client, fmt.Sprintf("%s/v1/documents?limit=%d&offset=%d", location, pageSize, offset))
				if err != nil {
					return err
				}
				sizes[worker] += n
			}
			return nil
		})
	}
	err := group.Wait()
	var sum int64
	for _, n := range sizes {
		sum += n
	}
	return sum, err
}

func discard(ctx context.Context, client *http.Client, location string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("GET %s: %s", location, response.Status)
	}
	return io.Copy(io.Discard, response.Body)
}

// floor measures fetch in a process of its own.
func (b *bench) floor(ctx context.Context, s *source, total int) (*sample, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return b.counted(ctx, s, command{
		argv: []string{self, "fetch", "--url=" + s.url, fmt.Sprintf("--total=%d", total)}, shown: fmt.Sprintf("bench fetch --url=http://ADDR --total=%d", total),
	})
}

// counted measures a command together with what the server sends to it.
func (b *bench) counted(ctx context.Context, s *source, c command) (*sample, error) {
	if _, err := s.count(ctx); err != nil {
		return nil, err
	}
	m, err := b.exec(ctx, c)
	if err != nil {
		return nil, err
	}
	m.Counters, err = s.count(ctx)
	return m, err
}
