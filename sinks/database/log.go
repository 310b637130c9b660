package database

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/pipeline"
)

// The warehouse's own tables, in the schema of the jobs' table.
const (
	logTable     = "docarchive_log"
	columnsTable = "docarchive_columns"
)

// Statements on the log. Its columns are documented in docs for analysts, so
// their names do not change.
const (
	createLog = `CREATE TABLE %s ("archive_uuid" {key} NOT NULL, "pipeline" {key} NOT NULL, "table_name" {key} NOT NULL, ` +
		`"window" {key} NOT NULL, "seq" bigint NOT NULL, "nonce" {key} NOT NULL, "run_id" {key} NOT NULL, "rows" bigint NOT NULL, ` +
		`"rejected_rows" bigint NOT NULL, "rejected" {text}, "loaded_at" {time} NOT NULL, ` +
		`PRIMARY KEY ("archive_uuid", "pipeline", "table_name", "window", "seq")){options}`
	createColumns = `CREATE TABLE %s ("table_name" {key} NOT NULL, "column_name" {key} NOT NULL, "stored_as" {key} NOT NULL, ` +
		`"type" {key} NOT NULL, "archive_uuid" {key} NOT NULL, PRIMARY KEY ("table_name", "column_name")){options}`
	ofRecord     = ` WHERE "archive_uuid" = ? AND "pipeline" = ? AND "table_name" = ? AND "window" = ? AND "seq" = ?`
	selectLoaded = `SELECT "window", MAX("seq") FROM %s WHERE "archive_uuid" = ? AND "pipeline" = ? AND "table_name" = ? GROUP BY "window"`
	selectLogged = `SELECT "nonce", "rows", COALESCE("rejected", '') FROM %s` + ofRecord
	insertClaim  = `INSERT INTO %s ("archive_uuid", "pipeline", "table_name", "window", "seq", "nonce", "run_id", "rows", "rejected_rows", "loaded_at") ` +
		`VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?)`
	updateLogged = `UPDATE %s SET "rows" = ?, "rejected_rows" = ?, "rejected" = ?, "loaded_at" = ?` + ofRecord
)

// prepare makes the warehouse's own tables, once.
func (c *conn) prepare(ctx context.Context) error {
	if c.ready {
		return nil
	}
	for _, name := range []string{logTable, columnsTable} {
		there, err := c.exists(ctx, name)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		err = c.exclusively(ctx, func() error {
			if there, err := c.exists(ctx, name); there || err != nil { // another process may have been first
				return err
			}
			return c.createOwn(ctx, name)
		})
		if err != nil {
			return err
		}
	}
	c.ready = true
	return nil
}

// exists reports whether one of the warehouse's own tables is there.
func (c *conn) exists(ctx context.Context, name string) (bool, error) {
	columns, err := c.catalog(ctx, c.name.beside(name))
	return len(columns) > 0, err
}

// createOwn makes one of the warehouse's own tables.
func (c *conn) createOwn(ctx context.Context, name string) error {
	text, err := c.dialect.Write.Type(arrow.BinaryTypes.String, false)
	if err != nil {
		return err
	}
	timestamp, err := c.dialect.Write.Type(arrow.FixedWidthTypes.Timestamp_us, false)
	if err != nil {
		return err
	}
	template := createLog
	if name == columnsTable {
		template = createColumns
	}
	statement := strings.NewReplacer("{key}", c.dialect.Text.KeyText, "{text}", text, "{time}", timestamp, "{options}", c.dialect.Text.Options).Replace(template)
	return c.exec(ctx, "create "+name, c.dialect.statement(statement, c.name.beside(name)))
}

// onLog returns a statement on the log.
func (c *conn) onLog(template string) string {
	return c.dialect.statement(template, c.name.beside(logTable))
}

func (c *conn) loaded(ctx context.Context, name string) (map[string]int, error) {
	last := map[string]int{}
	if there, err := c.exists(ctx, logTable); err != nil || !there {
		return last, err
	}
	err := c.query(ctx, "read "+logTable, func(scan func(...any) error) error {
		var window string
		var seq int64
		if err := scan(&window, &seq); err != nil {
			return err
		}
		last[window] = int(seq)
		return nil
	}, c.onLog(selectLoaded), c.options.ArchiveID, name, c.name.Table)
	return last, err
}

// recordKey holds the arguments of ofRecord.
func (c *conn) recordKey(r *pipeline.Record) []any {
	return []any{r.ArchiveID, r.Pipeline, c.name.Table, r.Window, int64(r.Seq)}
}

// logged returns what the log says of a record, if it does.
func (c *conn) logged(ctx context.Context, r *pipeline.Record) (loaded pipeline.Loaded, found bool, err error) {
	var nonce, rejected string
	err = c.query(ctx, "read "+logTable, func(scan func(...any) error) error {
		found = true
		return scan(&nonce, &loaded.Rows, &rejected)
	}, c.onLog(selectLogged), c.recordKey(r)...)
	if err != nil || !found {
		return loaded, false, err
	}
	if nonce != r.Nonce {
		return loaded, false, &SchemaDriftError{
			c.Label(), logTable,
			fmt.Sprintf("record %d of window %s is logged with another nonce, so it was loaded from another copy of this archive", r.Seq, r.Window),
			"find out which copy is right, and load the pipeline into a new table",
		}
	}
	if rejected != "" {
		var noted []notedRow
		if err := json.Unmarshal([]byte(rejected), &noted); err != nil {
			return loaded, false, fmt.Errorf("%s: %s: rejected rows of window %s: %w", c.Label(), logTable, r.Window, err)
		}
		for _, n := range noted {
			loaded.Rejected = append(loaded.Rejected, pipeline.RejectedRow{Dataset: n.Dataset, JobID: n.JobID, Reason: n.Reason})
		}
	}
	return loaded, true, nil
}

// claim writes the record's log row. taken means that another loader has it.
func (c *conn) claim(ctx context.Context, r *pipeline.Record) (taken bool, err error) {
	args := append(c.recordKey(r), r.Nonce, r.RunID, c.now())
	err = c.exec(ctx, "write "+logTable, c.onLog(insertClaim), args...)
	if kindOf(err) == Exists {
		return true, nil
	}
	return false, err
}

// finish completes the claimed log row.
func (c *conn) finish(ctx context.Context, r *pipeline.Record, rows int64, refused *refusals) error {
	var rejected any
	if len(refused.noted) > 0 {
		text, err := json.Marshal(refused.noted)
		if err != nil {
			return errors.New("write the refused rows as JSON: " + err.Error())
		}
		rejected = string(text)
	}
	args := append([]any{rows, int64(len(refused.all)), rejected, c.now()}, c.recordKey(r)...)
	return c.exec(ctx, "write "+logTable, c.onLog(updateLogged), args...)
}

// now is the present, in UTC, as the database reads it.
func (w *Warehouse) now() string { return w.options.Now().UTC().Format(w.dialect.Text.Time) }

// Bounds of what one log row says of refused rows. The rows themselves stand in
// the archive in any case.
const (
	maxNoted      = 10_000
	maxNotedBytes = 4 << 20
)

// notedRow is a refused row as the log holds it.
type notedRow struct {
	Dataset string          `json:"dataset"`
	JobID   string          `json:"job_id"`
	Reason  string          `json:"reason"`
	Row     json.RawMessage `json:"row,omitempty"` // by columns, nulls left out
}

// refusals collects the refused rows of a record.
type refusals struct {
	all   []pipeline.RejectedRow
	noted []notedRow
	bytes int
}

// add notes a refused row of a batch.
func (f *refusals) add(b pipeline.Batch, refused Refusal) {
	id := jobID(b.Record, refused.Row)
	f.all = append(f.all, pipeline.RejectedRow{Dataset: b.Dataset, JobID: id, Reason: refused.Reason})
	if len(f.noted) >= maxNoted {
		return
	}
	n := notedRow{Dataset: b.Dataset, JobID: id, Reason: refused.Reason}
	if f.bytes < maxNotedBytes {
		row := rowJSON(b.Record, refused.Row)
		if f.bytes+len(row) <= maxNotedBytes {
			n.Row = row
			f.bytes += len(row)
		}
	}
	f.noted = append(f.noted, n)
}
