//go:build unix

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// readyJobs is a server whose answers lie ready, so that a benchmark measures
// the client. Jobs have 1.4 kB and need 94 columns, of which each fills about
// 41.
type readyJobs struct {
	created []int64 // in microseconds since 1970, newest first
	bounds  []int   // job i is text[bounds[i]:bounds[i+1]], commas included
	text    []byte  // outside the heap, which is the client's
}

// newReadyJobs makes n jobs, spread over the days before end.
func newReadyJobs(b *testing.B, n, days int, end time.Time) *readyJobs {
	b.Helper()
	r := &readyJobs{}
	var text []byte
	random := rand.New(rand.NewPCG(1, 2))
	step := time.Duration(days) * 24 * time.Hour / time.Duration(n+1)
	for i := range n {
		at := end.Add(-time.Duration(i+1) * step)
		r.created = append(r.created, at.UnixMicro())
		r.bounds = append(r.bounds, len(text))
		text = append(appendReadyJob(text, random, i, at), ',')
	}
	r.bounds = append(r.bounds, len(text))
	mapped, err := syscall.Mmap(-1, 0, len(text), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := syscall.Munmap(mapped); err != nil {
			b.Error(err)
		}
	})
	copy(mapped, text)
	r.text = mapped
	return r
}

func appendReadyJob(dst []byte, random *rand.Rand, number int, at time.Time) []byte {
	add := func(format string, args ...any) { dst = fmt.Appendf(dst, format, args...) }
	city := func() string {
		cities := []string{"Berlin", "Köln", "Hamburg", "München", "Lyon", "Warszawa", "Porto", "Wien"}
		return cities[random.IntN(len(cities))]
	}
	add(`{"id":"job_%016x","org_id":"org_7f3a91c2","extractor_id":"ext_invoice","status":"completed",`, random.Uint64())
	add(`"document_url":"https://storage.adteco.com/documents/%08x/invoice-%d.pdf",`, random.Uint32(), number)
	add(`"mime_type":"application/pdf","file_size_bytes":%d,`, 40_000+random.IntN(900_000))
	add(`"extracted_data":{"invoice_number":"INV-%08d",`, random.IntN(1e8))
	add(`"vendor_name":"Vendor %d \u0026 Sons Ltd",`, random.IntN(400))
	add(`"invoice_date":"2026-%02d-%02d",`, 1+random.IntN(12), 1+random.IntN(28))
	add(`"total_amount":%d.%02d,"currency":"%s",`, random.IntN(10_000), random.IntN(100), []string{"EUR", "USD", "GBP"}[random.IntN(3)])
	add(`"address":{"street":"%d Long Street","city":"%s","zip":"%05d"}`, random.IntN(500), city(), random.IntN(99_999))
	for field := range 42 {
		switch {
		case random.IntN(100) >= 19:
			if random.IntN(2) == 0 {
				add(`,"field_%02d":null`, field)
			}
		case field%4 == 0:
			add(`,"field_%02d":"text value %d of %s, and more"`, field, random.IntN(50_000), city())
		case field%4 == 1:
			add(`,"field_%02d":%d.%02d`, field, random.IntN(1000), random.IntN(100))
		case field%4 == 2:
			add(`,"field_%02d":%t`, field, random.IntN(2) == 0)
		default:
			add(`,"field_%02d":"kind %d"`, field, random.IntN(40))
		}
	}
	add(`},"confidence":{"vendor_name":0.9`)
	for field := range 24 {
		if random.IntN(100) < 32 {
			add(`,"field_%02d":0.%02d`, field, 10+random.IntN(90))
		}
	}
	started := at.Add(time.Duration(random.Int64N(int64(3 * time.Second))))
	add(`},"metadata":{"department":"accounting","batch":"b%d","source":"mail"},`, random.IntN(1000))
	add(`"processing_time_ms":%d,"cost_credits":%d.5,"error_details":null,`, 500+random.IntN(5000), random.IntN(4))
	const form = "2006-01-02T15:04:05.000000Z"
	add(`"created_at":"%s","started_at":"%s",`, at.Format(form), started.Format(form))
	add(`"completed_at":"%s"}`, started.Add(2*time.Second).Format(form))
	return dst
}

// serve starts the server, which clamps pages to most jobs, at the time now.
func (r *readyJobs) serve(b *testing.B, most int, now time.Time) *httptest.Server {
	b.Helper()
	date := now.Format(http.TimeFormat)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /documents", func(w http.ResponseWriter, request *http.Request) {
		query := request.URL.Query()
		first, last := r.between(query)
		limit := most
		if asked, err := strconv.Atoi(query.Get("limit")); err == nil {
			limit = min(limit, asked)
		}
		offset, _ := strconv.Atoi(query.Get("offset")) // absent: 0
		begin := min(first+offset, last)
		end := min(begin+limit, last)
		head := fmt.Sprintf(`{"total":%d,"limit":%d,"offset":%d,"jobs":[`, last-first, limit, offset)
		body := r.text[r.bounds[begin]:r.bounds[end]]
		if len(body) > 0 {
			body = body[:len(body)-1] // the last job's comma
		}
		w.Header().Set("Date", date)
		w.Header().Set("Content-Length", strconv.Itoa(len(head)+len(body)+2))
		for _, part := range [][]byte{[]byte(head), body, []byte("]}")} {
			if _, err := w.Write(part); err != nil {
				return // the client has gone
			}
		}
	})
	mux.HandleFunc("GET /extractors", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"extractors":[]}`)
	})
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	return server
}

// between returns the jobs that the query's bounds hold, which are inclusive.
func (r *readyJobs) between(query url.Values) (first, last int) {
	last = len(r.created)
	newestFirst := func(a, b int64) int { return cmp.Compare(b, a) }
	if t, err := time.Parse(time.RFC3339Nano, query.Get("created_before")); err == nil {
		first, _ = slices.BinarySearchFunc(r.created, t.UnixMicro(), newestFirst)
	}
	if t, err := time.Parse(time.RFC3339Nano, query.Get("created_after")); err == nil {
		var exact bool
		if last, exact = slices.BinarySearchFunc(r.created, t.UnixMicro(), newestFirst); exact {
			last++
		}
	}
	return first, max(first, last)
}
