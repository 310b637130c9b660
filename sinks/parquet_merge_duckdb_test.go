//go:build unix

package sinks_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/pipeline"
)

// DuckDB finds in the merged file the rows of the sources, no more and no less,
// with the same types.
func TestDuckDBReadsMerged(t *testing.T) {
	t.Parallel()
	schema := mergeSchema()
	rng := rand.New(rand.NewPCG(4, 4))
	var names []string
	var rows int64
	for i := range 12 {
		times := make([]int64, 500)
		for row := range times {
			times[row] = 1_790_000_000_000_000 + int64(rng.IntN(1_000_000))
		}
		_, written, n := sources(t, someRows(t, rng, schema, 4+i%11, fmt.Sprintf("file-%02d", i), times))
		names, rows = append(names, written...), rows+n
	}
	part, err := merger(t).Merge(t.Context(), pipeline.Merge{Schema: schema, Path: "x", Sources: names, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	db := testserver.DuckDB(t)
	old := "read_parquet(['" + strings.Join(names, "', '") + "'], union_by_name = true)"
	is := "read_parquet('" + part.Spool + "')"
	if diff := cmp.Diff(db.Query("DESCRIBE SELECT * FROM "+old), db.Query("DESCRIBE SELECT * FROM "+is)); diff != "" {
		t.Error(diff)
	}
	for _, query := range []string{"FROM %s EXCEPT ALL FROM %s", "FROM %[2]s EXCEPT ALL FROM %[1]s"} {
		if got := db.Query("SELECT count(*) FROM (" + fmt.Sprintf(query, old, is) + ")"); got[0][0] != "0" {
			t.Errorf("%s: %v", query, got)
		}
	}
	got := db.Query("SELECT count(*), bool_and(ok) FROM (SELECT created_at >= lag(created_at, 1, created_at) OVER (ORDER BY file_row_number) AS ok " +
		"FROM read_parquet('" + part.Spool + "', file_row_number = true))")
	if diff := cmp.Diff([][]string{{fmt.Sprint(rows), "true"}}, got); diff != "" {
		t.Error("in order:", diff)
	}
}
