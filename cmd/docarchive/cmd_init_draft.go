package main

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

const (
	// mostPipelines is up to how many extractors get a pipeline each: every
	// pipeline takes requests of its own, every night.
	mostPipelines = 100
	// mostInWindow is how many jobs a window should hold at most. A window is
	// proven and committed as one: what interrupts it costs all its requests.
	mostInWindow = 50_000
	// longestSlug leaves room for the names of child tables.
	longestSlug = 40
)

// draft is the jobs.yaml that init suggests.
type draft struct {
	*survey
	Pipelines []drafted `json:"pipelines"`
	Left      []string  `json:"left_out"` // extractors without jobs
	Requests  int64     `json:"requests"` // of the first run, estimated
	Hours     float64   `json:"hours,omitempty"`
}

// drafted is one pipeline of the draft.
type drafted struct {
	Name      string  `json:"name"`
	Extractor string  `json:"extractor,omitempty"` // empty: all
	Title     string  `json:"-"`
	Jobs      int64   `json:"jobs"`
	Hours     int     `json:"window_hours"`
	Windows   int     `json:"windows"`
	Requests  int64   `json:"requests"` // of the first run
	Fields    []field `json:"fields,omitempty"`
}

// field is a suggestion for one field.
type field struct {
	Path string `json:"path"`
	Type string `json:"type"`
	Why  string `json:"-"`
}

func newDraft(s *survey) *draft {
	d := &draft{survey: s}
	var with []extractor
	for _, e := range s.Extractors {
		switch {
		case !e.HasJobs:
			d.Left = append(d.Left, e.ID)
		case !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`).MatchString(e.ID):
			s.note("extractor %.80q has an id that cannot be written, and no pipeline", e.ID)
		default:
			with = append(with, e)
		}
	}
	slices.SortStableFunc(with, func(a, b extractor) int { return cmp.Compare(b.Jobs, a.Jobs) })
	if len(with) > mostPipelines {
		s.note("%d extractors have jobs: one pipeline takes them all, in folders by extractor", len(with))
	}
	if len(with) == 0 || len(with) > mostPipelines {
		d.add(drafted{Name: allJobs, Title: "every extractor", Jobs: s.Jobs})
		return d
	}
	taken := map[string]bool{allJobs: true}
	for _, e := range with {
		d.add(drafted{Name: slug(e.ID, taken), Extractor: e.ID, Title: title(e), Jobs: e.Jobs, Fields: suggestions(e.Fields)})
	}
	return d
}

// allJobs is the pipeline that takes the jobs of all extractors.
const allJobs = "everything"

// add sizes a pipeline and adds it.
func (d *draft) add(p drafted) {
	p.Hours = windowHours(p.Jobs / surveyDays)
	p.Windows = surveyDays*24/p.Hours + 1 // the first and the last are not whole
	p.Requests = pipeline.ReadingRequests(p.Windows, p.Jobs, d.PageSize)
	d.Pipelines = append(d.Pipelines, p)
	d.Requests += p.Requests
	if d.PerMinute > 0 {
		d.Hours = float64(d.Requests) / d.PerMinute / 60
	}
}

// windowHours is the longest window, of a day at most, that holds no more than
// is reasonable of so many jobs a day.
func windowHours(perDay int64) int {
	for _, hours := range []int{24, 12, 8, 6, 4, 3, 2} {
		if perDay*int64(hours)/24 <= mostInWindow {
			return hours
		}
	}
	return 1
}

// slug makes a pipeline's name of an extractor's id, unlike those taken.
func slug(id string, taken map[string]bool) string {
	text := strings.TrimPrefix(strings.ToLower(id), "ext_")
	text = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(text, "_"), "_")
	text = strings.TrimRight(text[:min(len(text), longestSlug)], "_")
	if text == "" {
		text = "pipeline"
	}
	name := text
	for n := 2; taken[name]; n++ {
		name = text + "_" + strconv.Itoa(n)
	}
	taken[name] = true
	return name
}

// title is how a comment names an extractor.
func title(e extractor) string {
	name := strings.TrimSpace(printable(e.Name))
	if name == "" {
		return e.ID
	}
	if utf8.RuneCountInString(name) > 60 {
		name = string([]rune(name)[:60]) + "…"
	}
	return name
}

// suggestions are the fields of which a choice can be made.
func suggestions(definitions []docextract.FieldDefinition) []field {
	var all []field
	taken := map[string]bool{}
	for _, f := range definitions {
		s := field{Path: f.Name}
		switch f.Type {
		case "array":
			s.Type, s.Why = "table", "a child table; or list, json; json if left out"
		case "currency":
			s.Type, s.Why = "decimal(18,2)", "decimal(18,4) if left out"
		default:
			continue
		}
		// A dot would be read as the way into an object.
		if f.Name == "" || len(f.Name) > 120 || strings.ContainsAny(f.Name, ".$") || printable(f.Name) != f.Name || taken[f.Name] {
			continue
		}
		taken[f.Name] = true
		all = append(all, s)
	}
	return all
}

// yaml is the file's text. It holds nothing of the server's but checked ids and
// numbers, and comments of one line.
func (d *draft) yaml() ([]byte, error) {
	t, err := template.New("jobs.yaml").Funcs(template.FuncMap{
		"yamlText": yamlText, "volume": volume,
		"time": func(requests int64) string { return timeFor(requests, d.PerMinute) },
	}).Parse(draftText)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, d)
	return b.Bytes(), err
}

// Default is what the file says of the API's address where the environment does
// not: the address that was asked, if it can stand in a file as it is.
func (d *draft) Default() string {
	if regexp.MustCompile(`^https?://[A-Za-z0-9.:/_-]+$`).MatchString(d.BaseURL) {
		return d.BaseURL
	}
	return docextract.DefaultBaseURL
}

// Rate says in a comment what the server allows.
func (d *draft) Rate() string {
	if d.PerMinute <= 0 {
		return "the server did not tell its limit"
	}
	return fmt.Sprintf("the server told %.4g a minute", d.PerMinute)
}

// Whole reports whether one pipeline takes everything.
func (d *draft) Whole() bool { return d.Pipelines[0].Extractor == "" }

// yamlText writes a text such that YAML reads a text.
func yamlText(text string) string {
	words := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
	if regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(text) && !slices.Contains(words, text) {
		return text
	}
	return strconv.Quote(text)
}

// volume says how much there is.
func volume(jobs int64) string {
	if jobs == docextract.UnknownTotal {
		return "how many jobs it has is not known"
	}
	return fmt.Sprintf("%s in 90 days, %d a day", words.Count(jobs, "job"), jobs/surveyDays)
}
