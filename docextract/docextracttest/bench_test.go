package docextracttest_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

// BenchmarkListing pages through a population over HTTP, eight requests at a
// time, with the client in the same process.
func BenchmarkListing(b *testing.B) {
	for _, c := range []struct {
		name  string
		jobs  int
		cache int64
	}{{"cached", 100_000, 0}, {"rendered", 100_000, -1}, {"million", 1_000_000, 128 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			sim := docextracttest.New(docextracttest.Config{Jobs: c.jobs, CacheBytes: c.cache})
			run, err := sim.Start()
			if err != nil {
				b.Fatal(err)
			}
			defer run.Close()
			transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			var next atomic.Int64
			fetch := func() error {
				offset := int(next.Add(100)-100) % c.jobs
				req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/documents?limit=100&offset=%d", run.URL, offset), nil)
				if err != nil {
					return err
				}
				req.Header.Set("Authorization", "Bearer sk_test_1")
				resp, err := client.Do(req)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				n, err := io.Copy(io.Discard, resp.Body)
				if err == nil && (resp.StatusCode != http.StatusOK || n < 100_000) {
					err = fmt.Errorf("status %d, %d bytes", resp.StatusCode, n)
				}
				b.SetBytes(n)
				return err
			}
			if c.name == "cached" {
				for range c.jobs / 100 {
					if err := fetch(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.SetParallelism(4)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := fetch(); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}
