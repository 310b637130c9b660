package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/config"
)

func TestSinkMistakes(t *testing.T) {
	outside := "it must be relative to the bucket, without empty parts, . or .."
	hidden := "no part of it may begin with _ or a dot: such folders are control files, and hidden from readers"
	for _, c := range []struct{ sink, want string }{
		{"{type: csv, table: t}", "5:26: table makes no sense for a sink of type csv: it takes path, partition, compression, escape_formulas"},
		{"{type: jsonl, escape_formulas: true}", "5:38: escape_formulas makes no sense for a sink of type jsonl: it takes path, partition, compression"},
		{"{type: arrow, compression: zstd}", "5:34: compression makes no sense for a sink of type arrow: it takes path, partition"},
		{"{type: csv, compression: snappy}", "5:32: compression is \"snappy\": a sink of type csv takes none, gzip, zstd"},
		{"{type: parquet, compression: lz4}", "5:36: compression is \"lz4\": use one of zstd, snappy, gzip, none"},
		{"{type: database}", "5:7: a database sink has no url: write one, such as sqlite://./archive/warehouse.db"},
		{"{type: database, url: mysql:///db}", "5:29: url has no host, as in postgres://USER@HOST:5432/DATABASE or sqlite://./warehouse.db"},
		{"{type: database, url: duckdb://./}", "5:29: url must name a file, as in postgres://USER@HOST:5432/DATABASE or sqlite://./warehouse.db"},
		{"{type: database, url: sqlite://a.db, table: a b}", "5:51: table is \"a b\": it must be a table or schema.table of letters, digits, _ and -"},
		{"{type: csv, path: /x}", "5:25: path is \"/x\": " + outside},
		{"{type: csv, path: x/}", "5:25: path is \"x/\": " + outside},
		{"{type: csv, path: x/../../y}", "5:25: path is \"x/../../y\": " + outside},
		{"{type: csv, path: .}", "5:25: path is \".\": " + outside},
		{"{type: csv, path: \"${ODD:-x}/..\"}", "5:25: path is \"${ODD:-…}/..\": " + outside},
		{"{type: csv, path: \"\"}", "5:25: path is \"\": it must have 1 to 512 bytes; leave it out to use the name of the pipeline"},
		{"{type: csv, path: _archive}", "5:25: path is \"_archive\": " + hidden},
		{"{type: csv, path: a/.b}", "5:25: path is \"a/.b\": " + hidden},
		{"{type: csv, path: \"a /b\"}", "5:25: path is \"a /b\": no part of it may begin or end with a blank, or end with a dot"},
		{"{type: csv, path: 'a\\..\\b'}", "5:25: path is \"a\\\\..\\\\b\": it may hold letters, digits and - _ . = + @ only"},
		{"{type: csv, path: a%2e%2e}", "5:25: path is \"a%2e%2e\": it may hold letters, digits and - _ . = + @ only"},
		{"{type: csv, path: rechnungen/Köln 2026}", ""},
		{"{type: database, url: \"postgres:///db?host=/run/pg\", table: dw.invoices}", ""},
	} {
		text := "api: {key: k}\npipelines:\n  p:\n    sinks:\n    - " + c.sink + "\n"
		// The flow mapping begins at column 7, its first key at 8.
		if diff := cmp.Diff(c.want, strings.Join(problems(t, text), "\n")); diff != "" {
			t.Errorf("%s: %s", c.sink, diff)
		}
	}
}

func TestSinksThatOverwriteEachOther(t *testing.T) {
	for name, c := range map[string]struct{ first, second, fields, want string }{
		"same path":       {"type: csv, path: x", "type: csv, path: x", "", `csv files under "x": pipeline "a", line 4, writes there already`},
		"differs in case": {"type: csv, path: x", "type: csv, path: X", "", `csv files under "X": pipeline "a", line 4, writes there already`},
		"by default name": {"type: csv, path: b", "type: csv", "", `csv files under "b": pipeline "a", line 4, writes there already`},
		"inside":          {"type: csv, path: x", "type: csv, path: x/y", "", `csv files under "x/y": pipeline "a", line 4, writes to the folder around it: a reader of that one would see both`},
		"around":          {"type: csv, path: x/y", "type: csv, path: x", "", `csv files under "x": pipeline "a", line 4, writes to a folder inside it: a reader of this one would see both`},
		"child table":     {"type: csv, path: x", "type: csv, path: x__items", "items: table", `csv files under "x__items": pipeline "a", line 4, may clash with it through a child table, which is named PIPELINE__FIELD`},
		"same table":      {"type: database, url: sqlite://a.db, table: t", "type: database, url: sqlite://a.db, table: T", "", `table "T": pipeline "a", line 4, writes there already`},
		"other format":    {"type: csv, path: x", "type: jsonl, path: x", "", ""},
		"no child table":  {"type: csv, path: x", "type: csv, path: x__items", "", ""},
		"other database":  {"type: database, url: sqlite://a.db, table: t", "type: database, url: sqlite://b.db, table: t", "", ""},
		"a longer name":   {"type: csv, path: x", "type: csv, path: xy", "", ""},
	} {
		text := "api: {key: k}\npipelines:\n  a:\n    sinks: [{" + c.first + "}]\n    fields: {" + c.fields + "}\n  b:\n    sinks: [{" + c.second + "}]\n"
		want := c.want
		if want != "" {
			want = "7:13: " + want
		}
		if diff := cmp.Diff(want, strings.Join(problems(t, text), "\n")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	both := minimal[:strings.LastIndex(minimal, "[")] + "[{type: csv}, {type: csv}]\n"
	if got := strings.Join(problems(t, both), "\n"); got != `4:26: csv files under "p": pipeline "p", line 4, writes there already` {
		t.Errorf("in one pipeline: %s", got)
	}
}

func TestCompressionByFormat(t *testing.T) {
	cfg, err := config.Parse("f", []byte("api: {key: k}\npipelines:\n  p:\n    sinks:\n"+
		"    - {type: parquet}\n    - {type: csv}\n    - {type: json, compression: gzip}\n    - {type: jsonl, compression: zstd}\n    - {type: arrow}\n"), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range cfg.Pipelines[0].Sinks {
		got = append(got, s.Compression)
	}
	if diff := cmp.Diff([]string{"zstd", "none", "gzip", "zstd", "none"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentHosts(t *testing.T) {
	parse := func(host string) string {
		return strings.Join(problems(t, strings.Replace(minimal, "{key: k}", "\n  key: k\n  document_hosts: ["+host+"]", 1)), "\n")
	}
	for _, host := range []string{"storage.adteco.com", "127.0.0.1:9000", "localhost", `"[::1]:80"`, `"fd00::1"`} {
		if got := parse(host); got != "" {
			t.Errorf("%s: %v", host, got)
		}
	}
	for _, host := range []string{"https://h", "h/path", "'*.h'", "' '", "''", "'h:'", "user@h"} {
		if got := parse(host); !strings.HasPrefix(got, "3:20: document_hosts names ") {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	for key, want := range map[string]string{
		`""`:        "1:12: key is empty: set it to your API key, for instance through ${DOCEXTRACT_API_KEY}",
		`"a b"`:     "1:12: key holds a blank or a character that no API key has",
		`"a\nb"`:    "1:12: key holds a blank or a character that no API key has",
		`"${NONE}"`: "1:12: key: variable NONE is not set: set it, or give it a default as in ${NONE:-default}",
	} {
		if diff := cmp.Diff(want, strings.Join(problems(t, strings.Replace(minimal, "key: k", "key: "+key, 1)), "\n")); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}
