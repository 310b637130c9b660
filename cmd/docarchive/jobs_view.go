package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/rawjson"
)

// columnMean is a column that no job has: the mean of its field confidences.
const columnMean = "mean_confidence"

// defaultColumns are shown where nobody chose others.
func defaultColumns() []string {
	return []string{"id", "extractor_id", "status", "created_at", "processing_time_ms", columnMean, "cost_credits"}
}

// viewBlock is how many rows of a table are laid out together, so that a long
// listing needs no more memory than a short one.
const viewBlock = 1000

// jobView prints jobs one after another.
type jobView struct {
	out     io.Writer
	form    form
	columns []string // nil: JSON as received
	missing map[string]bool
	block   table.Writer
	rows    int // in the block
	printed int
}

func newJobView(out io.Writer, how form, columns []string) *jobView {
	if how == formTable && columns == nil {
		columns = defaultColumns()
	}
	v := &jobView{out: out, form: how, columns: columns, missing: map[string]bool{}}
	for _, c := range columns {
		v.missing[c] = true
	}
	return v
}

// add prints a job, or keeps it for the next block of the table.
func (v *jobView) add(job docextract.Job) error {
	v.printed++
	if v.form != formTable {
		return v.json(job)
	}
	if v.block == nil {
		header := make([]any, len(v.columns))
		for i, c := range v.columns {
			header[i] = c
		}
		v.block = newTable(header...)
	}
	values, err := v.values(job)
	if err != nil {
		return err
	}
	row := make(table.Row, len(values))
	for i, value := range values {
		row[i] = printable(textOf(value))
	}
	v.block.AppendRow(row)
	if v.rows++; v.rows == viewBlock {
		return v.flush()
	}
	return nil
}

func (v *jobView) flush() error {
	if v.block == nil {
		return nil
	}
	text := v.block.Render()
	v.block, v.rows = nil, 0
	_, err := fmt.Fprintln(v.out, text)
	return err
}

// json prints a job in one write. Where something goes wrong later the array
// stays open, so that nobody takes the part for the whole.
func (v *jobView) json(job docextract.Job) error {
	var line []byte
	switch {
	case v.form == formLines:
	case v.printed == 1:
		line = append(line, "[\n"...)
	default:
		line = append(line, ",\n"...)
	}
	if v.columns == nil {
		var compact bytes.Buffer
		if err := json.Compact(&compact, job.Raw); err != nil {
			return err
		}
		line = append(line, compact.Bytes()...)
	} else {
		values, err := v.values(job)
		if err != nil {
			return err
		}
		for i, value := range values {
			line = append(line, "{,"[min(i, 1)])
			line = rawjson.AppendQuoted(line, v.columns[i])
			text, err := json.Marshal(value)
			if err != nil {
				return err
			}
			line = append(append(line, ':'), text...)
		}
		line = append(line, '}')
	}
	if v.form == formLines {
		line = append(line, '\n')
	}
	_, err := v.out.Write(printableJSON(line))
	return err
}

// end prints what is left.
func (v *jobView) end() error {
	text := ""
	switch {
	case v.form == formTable:
		return v.flush()
	case v.form == formJSON && v.printed == 0:
		text = "[]\n"
	case v.form == formJSON:
		text = "\n]\n"
	}
	_, err := io.WriteString(v.out, text)
	return err
}

// absent lists the columns that no job had.
func (v *jobView) absent() []string {
	var names []string
	for _, c := range v.columns {
		if v.missing[c] && v.printed > 0 {
			names = append(names, c)
		}
	}
	return names
}

// values finds a job's values of the view's columns; nil where it has none.
func (v *jobView) values(job docextract.Job) ([]any, error) {
	fields, err := decodeJob(job)
	if err != nil {
		return nil, err
	}
	values := make([]any, len(v.columns))
	for i, c := range v.columns {
		value, found := lookup(fields, c)
		if c == columnMean && !found {
			value, found = meanConfidence(fields), true
		}
		if found {
			delete(v.missing, c)
		}
		values[i] = value
	}
	return values, nil
}

// decodeJob reads a job's object, its numbers as they were written.
func decodeJob(job docextract.Job) (map[string]any, error) {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(job.Raw))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, fmt.Errorf("read job %s: %w", job.ID, err)
	}
	return fields, nil
}

// lookup finds the value at a dotted path. A key may have dots of its own.
func lookup(v any, path string) (any, bool) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	if value, ok := fields[path]; ok {
		return value, true
	}
	for i, c := range path {
		if c != '.' {
			continue
		}
		if below, ok := fields[path[:i]]; ok {
			if value, ok := lookup(below, path[i+1:]); ok {
				return value, true
			}
		}
	}
	return nil, false
}

// meanConfidence is the mean of a job's field confidences; nil if it has none.
func meanConfidence(fields map[string]any) any {
	scores, _ := fields["confidence"].(map[string]any)
	sum, n := 0.0, 0
	for _, value := range scores {
		number, _ := value.(json.Number)
		if score, err := number.Float64(); err == nil {
			sum, n = sum+score, n+1
		}
	}
	if n == 0 {
		return nil
	}
	return json.Number(strconv.FormatFloat(sum/float64(n), 'f', 3, 64))
}

// textOf is a value as a table shows it.
func textOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "-"
	case string:
		return value
	case json.Number:
		return value.String()
	}
	var b strings.Builder
	plain := json.NewEncoder(&b)
	plain.SetEscapeHTML(false)
	if err := plain.Encode(value); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
