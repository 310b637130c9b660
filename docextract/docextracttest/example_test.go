package docextracttest_test

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

// A simulator with ten thousand jobs whose listing is in no stable order, and
// which fails every tenth request.
func Example() {
	sim := docextracttest.New(docextracttest.Config{
		Seed: 1, Jobs: 10_000, Open: 20,
		Clock: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
	})
	if err := sim.Knobs().Set("order", "shuffled"); err != nil {
		fmt.Println(err)
	}
	if err := sim.Faults().Set("e503", 0.1); err != nil {
		fmt.Println(err)
	}
	server, err := sim.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()

	req, err := http.NewRequest(http.MethodGet, server.URL+"/documents?limit=1", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Authorization", "Bearer sk_test_1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, len(body) > 500, err)
	// Output: 200 OK true <nil>
}
