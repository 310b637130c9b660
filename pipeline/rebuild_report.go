package pipeline

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// RebuildReport is what a rebuild did.
type RebuildReport struct {
	Pipeline    string `json:"pipeline"`
	RunID       string `json:"run_id"`
	DryRun      bool   `json:"dry_run,omitempty"`
	Fingerprint string `json:"fingerprint"` // of what decided the output; the note of the swap
	RebuildScope
	RebuildResult
	Seconds float64 `json:"seconds"`
}

// RebuildScope is what there is to do.
type RebuildScope struct {
	Windows    int        `json:"windows"`
	Jobs       int64      `json:"jobs"`
	RawBytes   int64      `json:"raw_bytes"` // to be read for each database, and once for all files
	Targets    []string   `json:"targets"`   // labels of the sinks
	MissingRaw MissingRaw `json:"missing_raw"`
}

// MissingRaw is what was archived without the raw layer.
type MissingRaw struct {
	Windows []string `json:"windows,omitempty"`
	Jobs    int64    `json:"jobs"`
}

// RebuildResult is what was done.
type RebuildResult struct {
	Resumed  int64          `json:"resumed_jobs"` // staged by a rebuild that was interrupted
	Swap     int            `json:"swap,omitempty"`
	Replaced int            `json:"files_replaced"`
	Sinks    []SinkReport   `json:"sinks"`
	Schema   map[string]int `json:"schema_versions"` // dataset → version
	Warnings []string       `json:"warnings,omitempty"`
	Problems []Problem      `json:"problems,omitempty"`
}

// Partly reports whether the rebuild left something as it was that it could not
// write again.
func (r *RebuildReport) Partly() bool { return len(r.Problems) > 0 }

// loaded counts what a database took.
func (r *RebuildReport) loaded(label string, record *Record, done Loaded) {
	i := slices.IndexFunc(r.Sinks, func(s SinkReport) bool { return s.Label == label })
	if i < 0 {
		i = len(r.Sinks)
		r.Sinks = append(r.Sinks, SinkReport{Label: label})
	}
	r.Sinks[i].Rows += done.Rows
	for _, row := range done.Rejected {
		r.Problems = append(r.Problems, Problem{Window: record.Window, Message: fmt.Sprintf("sink %s refused a row of job %s: %s", label, row.JobID, row.Reason)})
	}
}

// rebuildFormat changes whenever a version of this program lays out rows or
// files differently: what another version has staged is not used then.
const rebuildFormat = 1

// fingerprint tells rebuilds apart by all that decides their output: the rules,
// the sinks, the key that hashes are made with, and the swap that is to come.
func fingerprint(spec *Spec, output []string, swap int) (string, error) {
	key := hmac.New(sha256.New, spec.HashKey)
	key.Write([]byte("docarchive rebuild"))
	data, err := json.Marshal(struct {
		Format   int
		Pipeline string
		Rules    Rules
		Output   []string
		HashKey  string
		Swap     int
	}{rebuildFormat, spec.Name, spec.Rules, output, hex.EncodeToString(key.Sum(nil)), swap})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// clashes says of which columns the type is another than the rules ask for: it
// never changes.
func clashes(rules Rules, books map[string]*Book) (all []string) {
	for dataset, book := range books {
		for _, c := range book.Schema().Columns {
			rule, ruled := rules[fieldPath(&c)]
			if !ruled || c.Group != GroupData || c.TextOf != "" {
				continue
			}
			if asked := askedType(rule, c.Type); asked != "" {
				all = append(all, fmt.Sprintf("column %s of %s is %s for ever, and fields: asks for %s: what does not fit stands in %s%s; "+
					"a pipeline of another name begins anew", c.Name, dataset, c.Type, asked, c.Name, siblingSuffix))
			}
		}
	}
	slices.Sort(all)
	return all
}

// askedType is what a rule makes of new columns, if that is not the type given.
func askedType(rule Rule, is Type) string {
	switch {
	case rule.Mode == ModeTyped && rule.Type != is:
		return string(rule.Type)
	case rule.Mode == ModeJSON && is != TypeJSON:
		return "json"
	case rule.Mode == ModeList && !strings.HasPrefix(string(is), "list("):
		return "list"
	case rule.Mode == ModeHash && is != TypeUTF8:
		return "hash"
	}
	return ""
}

// fieldPath is the path by which rules name a column's field; empty if they do
// not.
func fieldPath(c *Column) string {
	pointer, ok := strings.CutPrefix(c.Source, "/extracted_data/")
	if !ok {
		return ""
	}
	var keys []string
	for key := range strings.SplitSeq(pointer, "/") {
		if key != "*" {
			keys = append(keys, strings.NewReplacer("~1", "/", "~0", "~").Replace(key))
		}
	}
	return strings.Join(keys, ".")
}
