package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/internal/report"
)

// void are the elements that have no end.
var void = map[string]bool{"meta": true, "link": true}

// known are the elements that a page is made of.
const known = " html head meta link title style body a header h1 p dl div dt dd time main nav ul li section h2 figure figcaption span svg desc line g rect text details summary table caption thead tbody tr th td b bdi footer "

var (
	width    = regexp.MustCompile(`^width:[0-9]{1,3}(\.[0-9]+)?%$`)
	reaching = regexp.MustCompile(`(?i)url\(|@import|//|expression|image-set`)
)

// markup reads a page strictly and returns what is wrong with it.
func markup(page []byte) (wrong []string) {
	add := func(texts ...string) { wrong = append(wrong, strings.Join(texts, " ")) }
	var open []string
	ids, labels := map[string]bool{}, []string{}
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if !errors.Is(z.Err(), io.EOF) {
				add(z.Err().Error())
			}
			break
		}
		switch t := z.Token(); kind {
		case html.StartTagToken:
			if !strings.Contains(known, " "+t.Data+" ") {
				add("unknown element", t.Data)
			}
			for _, a := range t.Attr {
				switch {
				case a.Key == "id" && ids[a.Val]:
					add("the id", a.Val, "is there twice")
				case a.Key == "id":
					ids[a.Val] = true
				case a.Key == "aria-labelledby":
					labels = append(labels, strings.Fields(a.Val)...)
				case a.Key == "href" && a.Val == "data:,":
				case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
					labels = append(labels, a.Val[1:])
				case strings.HasPrefix(a.Key, "on"), a.Key == "href", a.Key == "src", a.Key == "xlink:href", a.Key == "action", a.Key == "srcset":
					add("attribute", a.Key, a.Val)
				case a.Key == "style" && !width.MatchString(a.Val):
					add("attribute", a.Key, a.Val)
				}
			}
			if !void[t.Data] {
				open = append(open, t.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != t.Data {
				add("</"+t.Data+"> ends", strings.Join(open, " "))
				return wrong
			}
			open = open[:len(open)-1]
		case html.TextToken:
			if len(open) > 0 && open[len(open)-1] == "style" && reaching.MatchString(t.Data) {
				add("the style reaches out")
			}
		case html.CommentToken:
			add("comment", t.Data)
		}
	}
	if len(open) > 0 {
		add("not ended:", strings.Join(open, " "))
	}
	for _, id := range labels {
		if !ids[id] {
			add("nothing has the id", id)
		}
	}
	for _, r := range string(page) {
		if !unicode.IsPrint(r) && r != '\n' && r != '\u202f' {
			add("the page has the character", string(r))
		}
	}
	if len(page) > 1<<20 {
		add("the page is too large")
	}
	return wrong
}

func TestMarkup(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*report.Model{"run": sampleRun(), "period": samplePeriod(), "empty": {}} {
		if wrong := markup(render(t, m)); len(wrong) > 0 {
			t.Errorf("%s: %q", name, wrong)
		}
	}
}

// The reader of markup sees what it is there for.
func TestMarkupReaderSees(t *testing.T) {
	t.Parallel()
	for _, page := range []string{
		"<p>", "<p></b></p>", "<script></script>", `<p id="a"></p><p id="a"></p>`, `<a href="//x"></a>`, `<a href="#x"></a>`,
		`<p onclick="x"></p>`, "<p>\u202e</p>", "<p>\x00</p>", "<!-- -->", `<p style="background:url(x)"></p>`, "<style>@import x</style>",
	} {
		if len(markup([]byte(page))) == 0 {
			t.Errorf("nothing is wrong with %q", page)
		}
	}
}

func TestHostileTexts(t *testing.T) {
	t.Parallel()
	page := render(t, hostile())
	if wrong := markup(page); len(wrong) > 0 {
		t.Errorf("%d bytes: %.2000q", len(page), wrong)
	}
	for _, must := range []string{"and 183 more extractors", "&lt;script&gt;", `\u202e`, "…"} {
		if !bytes.Contains(page, []byte(must)) {
			t.Errorf("the page lacks %q", must)
		}
	}
}

// Whatever a model holds, its page is sound.
func TestAnyModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := anyModel(t)
		var b bytes.Buffer
		if err := report.Render(&b, m); err != nil {
			t.Fatal(err)
		}
		if wrong := markup(b.Bytes()); len(wrong) > 0 {
			t.Fatalf("%.500q", wrong)
		}
		if _, err := json.Marshal(m); err != nil {
			t.Fatal(err)
		}
	})
}

// anyModel draws a model whose texts and numbers may be anything.
func anyModel(t *rapid.T) *report.Model {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "<b>", "&#0;", `"'`, "\xff\xfe", "}}{{", "-->", "]]>", "\u2028"}))
	n := rapid.Int64()
	real := rapid.Float64()
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), 0).UTC()
	})
	optional := func(v int) *int { return &v }
	s := func(what string) string { return text.Draw(t, what) }
	m := &report.Model{
		Subject: report.Subject{
			Kind: report.Kind(rapid.SampledFrom([]string{"run", "period", "<"}).Draw(t, "kind")), RunID: s("run"),
			Outcome: report.Outcome(s("outcome")), ArchiveID: s("archive"), From: at.Draw(t, "from"), To: at.Draw(t, "to"),
		},
		Totals:   report.Totals{Archived: n.Draw(t, "archived"), Rows: n.Draw(t, "rows"), Bytes: n.Draw(t, "bytes"), Seconds: real.Draw(t, "seconds")},
		Requests: report.Requests{Made: n.Draw(t, "made"), PerMinute: n.Draw(t, "pace"), Budget: n.Draw(t, "budget")},
	}
	for range rapid.IntRange(0, 4).Draw(t, "entries") {
		from := at.Draw(t, "day")
		m.Days = append(m.Days, report.Day{Date: from, Completed: n.Draw(t, "completed"), Failed: n.Draw(t, "failed")})
		m.Pipelines = append(m.Pipelines, report.Pipeline{
			Name: s("pipeline"), Requests: n.Draw(t, "requests"), Sinks: []report.Sink{{Label: s("sink"), Rows: n.Draw(t, "rows")}},
			Standing: &report.Standing{Reached: &from, DaysLeft: optional(int(n.Draw(t, "left")))},
		})
		m.Health.Measured = n.Draw(t, "measured")
		m.Health.Time = &report.Timing{P50: real.Draw(t, "p50"), P95: real.Draw(t, "p95"), Avg: real.Draw(t, "avg"), Max: real.Draw(t, "max")}
		m.Health.Extractors = append(m.Health.Extractors, report.Extractor{ID: s("extractor"), Completed: n.Draw(t, "completed"), Time: m.Health.Time})
		m.Health.Times = append(m.Health.Times, report.Bin{From: real.Draw(t, "bin"), To: real.Draw(t, "to"), Jobs: n.Draw(t, "jobs")})
		m.Health.Fields = append(m.Health.Fields, report.Field{Name: s("field"), Mean: real.Draw(t, "mean")})
		m.Health.Errors = append(m.Health.Errors, report.ErrorCount{Code: s("code"), Jobs: n.Draw(t, "jobs")})
		m.Schema = append(m.Schema, report.SchemaChange{Dataset: s("dataset"), Column: s("column"), Source: s("source")})
		m.Resubmissions = append(m.Resubmissions, report.Resubmission{Pipeline: s("pipeline"), Credits: real.Draw(t, "credits"), Stopped: s("stopped")})
		m.Runs = append(m.Runs, report.Run{ID: s("run"), Seconds: real.Draw(t, "seconds"), Requests: report.Requests{Made: n.Draw(t, "made"), Budget: n.Draw(t, "budget")}})
		m.Problems = append(m.Problems, report.Message{Pipeline: s("pipeline"), Place: s("place"), Text: s("text")})
		m.Notes = append(m.Notes, s("note"))
	}
	return m
}
