package submission_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/pipeline/submission"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct{ content, mime, wrong string }{
		{"%PDF-1.7", "application/pdf", ""},
		{"\n\n%PDF-1.4", "application/pdf", ""},
		{"\xff\xd8\xff\xe0", "image/jpeg", ""},
		{"\x89PNG\r\n\x1a\nrest", "image/png", ""},
		{"II*\x00rest", "image/tiff", ""},
		{"MM\x00*rest", "image/tiff", ""},
		{"GIF89a", "image/gif", ""},
		{"RIFF....WEBPVP8 ", "image/webp", ""},
		{"", "", "is empty"},
		{"hello", "", "is text/plain"},
		{"RIFF....WAVE", "", "only PDF and images"},
		{"%PDF-" + strings.Repeat("x", 5000), "", "has 5005 bytes, more than the 5000 allowed"},
	} {
		path := filepath.Join(dir, "document")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		doc, err := submission.Inspect(path, 5000)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%.20q: %v, want %s", c.content, err, c.wrong)
			}
			continue
		}
		if err != nil || doc.MIMEType != c.mime || doc.Size != int64(len(c.content)) {
			t.Errorf("%q: %+v, %v", c.content, doc, err)
		}
	}
	for path, want := range map[string]string{dir: "is a directory", filepath.Join(dir, "none"): "cannot be read: no such file", os.DevNull: "not a regular file"} {
		if _, err := submission.Inspect(path, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string // file, metadata; or what is wrong
	}{
		{
			"m.csv", "\ufefffile,customer,note\na.pdf,c1,\"x, y\"\n/abs/b.pdf,,\nshort\n,c3,\nlast.pdf,c4,z\n",
			[]string{
				`d/a.pdf customer="c1" note="x, y"`, `/abs/b.pdf`, "d/m.csv:4 wrong number of fields",
				"d/m.csv:5 the line does not say", `d/last.pdf customer="c4" note="z"`,
			},
		},
		{"m.csv", "", []string{"d/m.csv:1 the manifest has no header line"}},
		{"m.csv", "file,x\n\"a,b\nc", []string{"d/m.csv:3 extraneous or missing"}},
		{
			"m.jsonl", `{"file":"a.pdf","n":3,"metadata":{"k":"v"}}` + "\n\n" + `[1]` + "\n" + `{"k":"v"}` + "\n" + `{"file":"b.pdf","k":1,"metadata":{"k":2}}` + "\n",
			[]string{`d/a.pdf k="v" n=3`, "d/m.jsonl:3 the line is not a JSON object", "d/m.jsonl:4 the line does not say", "d/m.jsonl:5 the key \"k\" stands"},
		},
	} {
		var got []string
		for item, err := range submission.Manifest(filepath.Join("d", c.name), strings.NewReader(c.text)) {
			text := item.Name
			for _, key := range []string{"customer", "k", "n", "note"} {
				if value, ok := item.Metadata[key]; ok {
					text += " " + key + "=" + string(value)
				}
			}
			if err != nil {
				text += " " + err.Error()
			}
			got = append(got, text)
		}
		for i := range got {
			if i < len(c.want) && strings.HasPrefix(got[i], c.want[i]) {
				got[i] = c.want[i]
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestReservedMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	j := w.journal()
	defer shut(t, j)
	var got submission.Result
	err := submission.Run(t.Context(), w.services(j), options(), func(yield func(submission.Item, error) bool) {
		m := submission.Metadata{}
		m.Set(submission.MetaIntent, "forged")
		if yield(submission.Item{Name: "f", Path: w.names[0], Metadata: m}, nil) {
			yield(submission.Item{Name: "m.csv:3"}, errors.New("is odd"))
		}
	}, func(r submission.Result) {
		if r.File == "f" {
			got = r
		}
	})
	if err != nil || got.Outcome != submission.Refused || !strings.Contains(got.Reason, "reserved") || len(w.sim.Submissions()) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
