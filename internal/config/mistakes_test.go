package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/config"
)

// problems parses text and returns its problems, one a line, without the name of
// the file.
func problems(t *testing.T, text string) []string {
	t.Helper()
	cfg, err := config.Parse("f", []byte(text), environment(map[string]string{"ODD": "hunter2"}))
	if err == nil {
		return nil
	}
	var list *config.Problems
	if cfg != nil || !errors.As(err, &list) || len(*list) == 0 {
		t.Fatalf("Parse gives %v and %v", cfg, err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the value of a variable is quoted: %v", err)
	}
	var lines []string
	for _, p := range *list {
		if p.File != "f" || p.Error() != p.String() {
			t.Errorf("problem %#v", p)
		}
		lines = append(lines, strings.TrimPrefix(p.String(), "f:"))
	}
	if want := "f:" + strings.Join(lines, "\nf:"); err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
	return lines
}

func TestYAMLMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "1:1: the file is empty: it needs at least api and pipelines"},
		{"# nothing\n", "1:1: the file is empty: it needs at least api and pipelines"},
		{"---\n", "1:1: the file is empty: it needs at least api and pipelines"},
		{"text", "1:1: the file must be a mapping with api and pipelines, found text"},
		{"- a", "1:1: the file must be a mapping with api and pipelines, found a list"},
		{"a: [", "1:4: not valid YAML: sequence end token ']' not found"},
		{"a: b: c", "1:4: not valid YAML: mapping value is not allowed in this context"},
		{"api:\n\tkey: k", "2:1: not valid YAML: a tab stands here: indent with spaces"},
		{"\ta: 1", "1:2: not valid YAML: a tab stands here: indent with spaces"},
		{"a: \"x", "1:4: not valid YAML: could not find end character of double-quoted text"},
		{"a: 1\n---\nb: 2\n", "2:1: a second document begins here: a configuration is one document"},
		{"a: &x 1\nb: *x", "1:4: anchors are not allowed; quote a text that begins with &\n" +
			"2:4: aliases are not allowed: write the value out; quote a text that begins with *"},
		{"<<: {a: 1}", "1:1: merge keys are not allowed: write the keys out"},
		{"? a\n: b", "1:1: explicit keys are not allowed: write key: value"},
		{"a: !!str x", "1:4: tags are not allowed; quote a text that begins with !"},
		{"%YAML 1.2\n---\na: 1", "1:1: directives are not allowed"},
		{"a: [${X}]", "1:5: inside [ ] and { } a value with ${…} must be quoted"},
		{"a\x00b", "1:2: control character U+0000 is not allowed"},
		{"ab: é\xff", "1:6: the file is not UTF-8 text here"},
		{"a: " + strings.Repeat("[", 40), "1:35: nested deeper than 32 levels"},
	} {
		if diff := cmp.Diff(c.want, strings.Join(problems(t, c.text), "\n")); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

func TestEveryMistakeAtOnce(t *testing.T) {
	text := "\uFEFF" + `api: {kéy: 1, page_size: abc, "concurency": 1}
cache: memcached://h
hash_key: short
pipelines:
  _inv:
    window: ${ODD}
    raw: false
    status: [queued, complete]
    fields: {a: decimal(18,2), b: "decimal(9,12)", c: tabel, d..e: text}
    sinks:
      - type: database
        url: mongo://u:hunter2@h
        path: x
      - {type: csv, path: ../x, compresion: gzip, partition: [created_mnth, status, status]}
      - type: parqet
      - path: x
      - csv
    metadata: {n: 42}
    raw: true
    since: yesterday
    settle: -1s
    min_confidence: 1.5
  b:
    sinks: []
  c:
    documents: yes
    extractr: x
  d:
`
	want := []string{
		`1:1: api has no key: write key: ${DOCEXTRACT_API_KEY} and set that variable to your API key (sk_live_… or sk_test_…)`,
		`1:7: unknown key "kéy" in api: use one of base_url, key, keys, page_size, concurrency, requests_per_minute, document_hosts`,
		`1:26: page_size must be a whole number, found text`,
		`1:31: unknown key "concurency" in api: did you mean "concurrency"?`,
		`2:8: cache must be embedded, redis://…, rediss://…`,
		`3:11: hash_key is too short: it needs at least 16 characters`,
		`5:3: pipeline name "_inv" must begin with a-z or 0-9 and hold only a-z, 0-9, _ and -, at most 63 in all`,
		`6:13: window is "${ODD}": it must be a duration with its unit, such as 90d, 24h, 15m or 10s`,
		`7:10: a database sink is filled from the raw layer: set raw: true`,
		`8:14: status is "queued": only jobs in a final state are archived, completed or failed`,
		`8:22: status is "complete": did you mean "completed"?`,
		`9:17: field "a" is "decimal(18": it is cut off at its comma: inside { } quote it, as in "decimal(18,2)"`,
		`9:28: field "2)" has no value: give it one, or leave the key out`,
		`9:35: field "b" is "decimal(9,12)": it must have a precision of 1 to 38 and a scale from 0 to the precision`,
		`9:55: field "c" is "tabel": it is not a type: did you mean "table"?`,
		`9:68: field path "d..e" has an empty name in it: write it as in vendor.address.city`,
		`12:14: url must be postgres://…, postgresql://…, mysql://…, sqlite://…, duckdb://…`,
		`13:15: path makes no sense for a sink of type database: it takes url, table`,
		`14:27: path is "../x": it must be relative to the bucket, without empty parts, . or ..`,
		`14:33: unknown key "compresion" in sink: did you mean "compression"?`,
		`14:63: partition is "created_mnth": did you mean "created_month"?`,
		`14:85: partition names "status" twice`,
		`15:15: type is "parqet": did you mean "parquet"?`,
		`16:9: sink has no type: write parquet, csv, json, jsonl, arrow or database`,
		`17:9: sink must be a mapping, found text`,
		`18:19: metadata "n" must be text, found a number: put it in quotes`,
		`19:5: duplicate key "raw": it stands in line 7 already`,
		`20:12: since is "yesterday": it must be a duration such as 90d, a date such as 2026-01-31 or an RFC 3339 time`,
		`21:13: settle is "-1s": it must be a duration with its unit, such as 90d, 24h, 15m or 10s`,
		`22:21: min_confidence is "1.5": it must be 0 to 1`,
		`24:5: sinks is empty: add one, such as - type: parquet`,
		`25:3: pipeline "c" has no sinks: add one, such as - type: parquet`,
		`26:16: documents must be true or false, found text`,
		`27:5: unknown key "extractr" in pipeline "c": did you mean "extractor"?`,
		`28:3: pipeline "d" has no value: give it one, or leave the key out`,
	}
	if diff := cmp.Diff(want, problems(t, text)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, problems(t, strings.ReplaceAll(text, "\n", "\r\n"))); diff != "" {
		t.Errorf("with CRLF: %s", diff)
	}
}

// TestValues adds one wrong line, the fifth, to a file that is right. One that
// begins with a blank belongs to the pipeline, any other to the top of the file.
func TestValues(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"cache: redis://h/x", "5:8: cache must end with the number of a database, as in redis://HOST:6379/0"},
		{"cache: redis://u:p#w@h", "5:8: cache is not a valid URL: write it as in redis://HOST:6379/0, with %XX for special characters in a password"},
		{"archive: ftp://h", "5:10: archive must be file://…, s3://…, gs://…, azblob://…, mem://…"},
		{"archive: file://archive", "5:10: archive must name a folder, as in file://./archive or s3://BUCKET"},
		{"archive: s3://", "5:10: archive has no host, as in file://./archive or s3://BUCKET"},
		{"archive: ${NOT_SET}", "5:10: archive: variable NOT_SET is not set: set it, or give it a default as in ${NOT_SET:-default}"},
		{"archive: ${A}${B}", "5:10: archive: variable A is not set: set it, or give it a default as in ${A:-default}\n" +
			"5:10: archive: variable B is not set: set it, or give it a default as in ${B:-default}"},
		{"archive: \"${A\"", "5:10: archive: ${ without its }: write ${NAME}, ${NAME:-default} or ${file:/path}"},
		{"archive: ${1}", "5:10: archive: ${1} does not name a variable: write ${NAME}, ${NAME:-default} or ${file:/path}"},
		{"archive: ${A:-${B}}", "5:10: archive: the default of ${A} holds a reference itself, which is not supported"},
		{"archive: ${file:key}", "5:10: archive: ${file:key} must name an absolute path, as in ${file:/run/secrets/key}"},
		{"archive: ${file:/gone}", "5:10: archive: ${file:/gone} cannot be read: open /gone: file does not exist"},
		{"archive: 1", "5:10: archive must be text, found a number: put it in quotes"},
		{" window: 25h", "5:13: window is \"25h\": it must be 1 to 31 whole days, or whole hours that divide a day (1h, 2h, 3h, 4h, 6h, 8h or 12h)"},
		{" window: 32d", "5:13: window is \"32d\": it must be 1 to 31 whole days, or whole hours that divide a day (1h, 2h, 3h, 4h, 6h, 8h or 12h)"},
		{" window: 30m", "5:13: window is \"30m\": it must be 1 to 31 whole days, or whole hours that divide a day (1h, 2h, 3h, 4h, 6h, 8h or 12h)"},
		{" window: 24", "5:13: window must be a duration with its unit, such as 24h, found a number"},
		{" window: {}", "5:13: window must be a duration with its unit, such as 24h, found a mapping"},
		{" since: 0d", "5:12: since is \"0d\": it must be a duration such as 90d, a date such as 2026-01-31 or an RFC 3339 time"},
		{" since: 2026-02-30", "5:12: since is \"2026-02-30\": it must be a duration such as 90d, a date such as 2026-01-31 or an RFC 3339 time"},
		{" settle: 99999999999999d", "5:13: settle is \"99999999999999d\": it must be a duration with its unit, such as 90d, 24h, 15m or 10s"},
		{" status: completed", "5:13: status must be a list, such as [a, b], found text"},
		{" status: []", "5:5: status is empty: name at least one"},
		{" schema: \"${ODD}\"", "5:13: schema is \"${ODD}\": use one of evolve, freeze, quarantine"},
		{" schema: ${UNSET:-hunter2}", "5:13: schema is \"${UNSET:-…}\": use one of evolve, freeze, quarantine"},
		{" min_confidence: .nan", "5:21: min_confidence is \".nan\": it must be a number in plain decimal digits"},
		{" resubmit: {max_attempts: 0}", "5:30: max_attempts is \"0\": it must be 1 to 10"},
		{" resubmit: {max_attempts: 0x2}", "5:30: max_attempts is \"0x2\": it must be a whole number in plain decimal digits"},
		{" resubmit: {max_credits: -1}", "5:29: max_credits is \"-1\": it must be at least 0"},
		{" alerts: {webhooks: [{type: slack}]}", "5:25: webhook has no url: write the address that alerts are posted to"},
		{" alerts: {webhooks: [{url: ftp://h}]}", "5:31: webhook url must be https://…, http://…"},
		{" alerts: {repeat_after: 1s}", "5:28: repeat_after must be at least 1m"},
		{" fields: {a: decimal}", "5:17: field \"a\" is \"decimal\": it needs precision and scale, such as decimal(18,2)"},
		{" raw:", "5:5: raw has no value: give it one, or leave the key out"},
	} {
		line := c.line
		if strings.HasPrefix(line, " ") {
			line = "   " + line
		}
		text := minimal + line + "\n"
		if diff := cmp.Diff(c.want, strings.Join(problems(t, text), "\n")); diff != "" {
			t.Errorf("%s: %s", c.line, diff)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct{ key, want string }{
		{"concurrency: 65", `1:28: concurrency is "65": it must be 1 to 64`},
		{"concurrency: 0", `1:28: concurrency is "0": it must be 1 to 64`},
		{"concurrency: 64", ""},
		{"page_size: 1001", `1:26: page_size is "1001": it must be 1 to 1000`},
		{"requests_per_minute: -1", `1:36: requests_per_minute is "-1": it must be 0 to 1000000`},
	} {
		text := strings.Replace(minimal, "key: k", "key: k, "+c.key, 1)
		if diff := cmp.Diff(c.want, strings.Join(problems(t, text), "\n")); diff != "" {
			t.Errorf("%s: %s", c.key, diff)
		}
	}
	for decimal, right := range map[string]bool{"38,38": true, "1,0": true, "39,0": false, "0,0": false, "5,6": false, "5,-1": false, "5": false} {
		got := problems(t, minimal+"    fields: {a: \"decimal("+decimal+")\"}\n")
		if (got == nil) != right {
			t.Errorf("decimal(%s): %v", decimal, got)
		}
	}
}

// TestNearMissOfAVariable: a hint would give away what the variable holds.
func TestNearMissOfAVariable(t *testing.T) {
	_, err := config.Parse("f", []byte(minimal+"    schema: ${NEAR}\n"), environment(map[string]string{"NEAR": "evolved"}))
	if want := `f:5:13: schema is "${NEAR}": use one of evolve, freeze, quarantine`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestExpansionIsBounded(t *testing.T) {
	files := environment(map[string]string{"/f": strings.Repeat("x", 60<<10)})
	one := minimal + "    extractor: ${file:/f}${file:/f}${file:/f}\n"
	if _, err := config.Parse("f", []byte(one), files); err == nil || err.Error() != "f:5:16: extractor: the references stand for too much text" {
		t.Errorf("in one value: %.200v", err)
	}
	var all strings.Builder
	all.WriteString(minimal + "    metadata:\n")
	for i := range 100 {
		all.WriteString("      k" + strings.Repeat("x", i) + ": ${file:/f}\n")
	}
	_, err := config.Parse("f", []byte(all.String()), files)
	if err == nil || !strings.HasSuffix(err.Error(), ": the references stand for too much text") {
		t.Errorf("in the whole file: %.200v", err)
	}
}
