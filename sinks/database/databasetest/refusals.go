package databasetest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

// testPoison loads jobs that the database refuses among others.
func testPoison(b *bench) {
	f := NewFlattener(b, pipeline.Rules{"items": {Mode: pipeline.ModeTable}})
	texts := jobs(0, 600) // more than one statement takes
	texts[17] = Job("job_0017", `{"items":[{"sku":"kept"}]}`)
	for i, poison := range b.Poison {
		for _, at := range []string{"first", "middle", "last"} {
			text := poison(fmt.Sprintf("bad_%d_%s", i, at))
			switch at {
			case "first":
				texts = append([]string{text}, texts...)
			case "middle":
				texts = append(append(texts[:len(texts)/2:len(texts)/2], text), texts[len(texts)/2:]...)
			case "last":
				texts = append(texts, text)
			}
		}
	}
	w := b.guarded(f)
	r := Record(2)
	loaded := b.load(w, r, f.Batches(texts...)...)
	if loaded.Rows != 601 || len(loaded.Rejected) != 3*len(b.Poison) {
		b.Fatalf("%d rows, %d rejected, want 601 and %d", loaded.Rows, len(loaded.Rejected), 3*len(b.Poison))
	}
	for _, row := range loaded.Rejected {
		if !strings.HasPrefix(row.JobID, "bad_") || row.Dataset != dataset || row.Reason == "" {
			b.Errorf("rejected %.200q", fmt.Sprint(row))
		}
		b.Logf("%.20s: %s", row.JobID, row.Reason)
	}
	if n := b.count(dataset); n != 600 {
		b.Errorf("%d rows in the table, want 600", n)
	}
	if n := b.count(dataset + "__items"); n != 1 {
		b.Errorf("%d child rows, want 1", n)
	}
	b.checkNoted(3 * len(b.Poison))
	again := b.load(b.open(options()), r)
	if again.Rows != loaded.Rows || len(again.Rejected) != len(loaded.Rejected) {
		b.Errorf("read from the log: %d rows, %d rejected", again.Rows, len(again.Rejected))
	}
}

// guarded returns a warehouse whose tables are there, empty.
func (b *bench) guarded(f *Flattener) pipeline.Warehouse {
	b.Helper()
	w := b.open(options())
	b.load(w, Record(1), f.Batches(Job("job_first", `{"items":[{"sku":"x"}]}`))...)
	for _, statement := range append(b.Guard, "DELETE FROM "+b.Ident(dataset), "DELETE FROM "+b.Ident(dataset+"__items")) {
		b.query("%s", statement)
	}
	return w
}

// checkNoted reads the refused rows that the log holds.
func (b *bench) checkNoted(want int) {
	b.Helper()
	row := b.query("SELECT %s, %s FROM docarchive_log WHERE seq = 2", b.Ident("rejected"), b.Ident("rejected_rows"))[0]
	var noted []struct {
		Dataset string         `json:"dataset"`
		JobID   string         `json:"job_id"`
		Reason  string         `json:"reason"`
		Row     map[string]any `json:"row"`
	}
	if err := json.Unmarshal([]byte(canonical(pipeline.TypeUTF8, row[0])), &noted); err != nil {
		b.Fatal(err)
	}
	if len(noted) != want || row[1] != int64(want) {
		b.Fatalf("the log notes %d rows and counts %v, want %d", len(noted), row[1], want)
	}
	for _, n := range noted {
		if n.Row["job_id"] != n.JobID || n.Row["status"] != "completed" || n.Reason == "" || n.Dataset != dataset {
			b.Errorf("noted %.300q", fmt.Sprint(n))
		}
	}
}

// testPoisonOnly loads a record of which nothing fits; its window must not be
// held up.
func testPoisonOnly(b *bench) {
	f := NewFlattener(b, pipeline.Rules{"items": {Mode: pipeline.ModeTable}})
	w := b.guarded(f)
	loaded := b.load(w, Record(2), f.Batches(b.Poison[0]("bad_1"), b.Poison[0]("bad_2"))...)
	if loaded.Rows != 0 || len(loaded.Rejected) != 2 {
		b.Errorf("%+v", loaded)
	}
	last, err := w.Loaded(b.Context(), dataset)
	if err != nil || last[window] != 2 {
		b.Errorf("Loaded: %v, %v", last, err)
	}
}

// testExisting loads jobs of which some are in the table already.
func testExisting(b *bench) {
	f := NewFlattener(b, nil)
	w := b.open(options())
	b.load(w, Record(1), f.Batches(jobs(0, 10)...)...)
	loaded := b.load(w, Record(2), f.Batches(jobs(8, 20)...)...)
	if loaded.Rows != 10 || len(loaded.Rejected) != 2 {
		b.Fatalf("%+v", loaded)
	}
	for _, row := range loaded.Rejected {
		if row.Reason != database.ReasonExists || row.JobID != "job_0008" && row.JobID != "job_0009" {
			b.Errorf("rejected %+v", row)
		}
	}
	twins := append(jobs(30, 40), jobs(35, 36)...) // one job twice in one record
	if loaded := b.load(w, Record(3), f.Batches(twins...)...); loaded.Rows != 10 || len(loaded.Rejected) != 1 || loaded.Rejected[0].JobID != "job_0035" {
		b.Errorf("%+v", loaded)
	}
	if n := b.count(dataset); n != 30 {
		b.Errorf("%d rows, want 30", n)
	}
}
