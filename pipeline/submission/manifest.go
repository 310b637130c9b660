package submission

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"
)

// Metadata is what a job is to carry: keys and JSON values.
type Metadata map[string]json.RawMessage

// Set puts a text under a key.
func (m Metadata) Set(key, text string) {
	value, err := json.Marshal(text)
	if err != nil {
		return // no text is beyond JSON
	}
	m[key] = value
}

// Item is a document to submit, with metadata of its own.
type Item struct {
	Name     string // as it is reported
	Path     string // where it lies
	Metadata Metadata
}

// fileKey is the manifest's column, or key, that names the document.
const fileKey = "file"

// longestLine bounds a line of a JSON-lines manifest, in bytes.
const longestLine = 1 << 20

// Manifest reads items from a manifest: CSV with a header line, or JSON lines
// if its name ends with .jsonl or .ndjson. "file" names the document, relative
// to the manifest's folder; everything else is metadata. An error stands for
// one line, which the item then names, and more lines may follow.
func Manifest(name string, r io.Reader) iter.Seq2[Item, error] {
	read := csvManifest
	if ext := strings.ToLower(filepath.Ext(name)); ext == ".jsonl" || ext == ".ndjson" {
		read = linesManifest
	}
	return func(yield func(Item, error) bool) {
		read(r, func(line int, m Metadata, err error) bool {
			var item Item
			if err == nil {
				item, err = m.item(filepath.Dir(name))
			}
			if err != nil {
				item = Item{Name: fmt.Sprintf("%s:%d", name, line)}
			}
			return yield(item, err)
		})
	}
}

// item takes the document's name out of the metadata.
func (m Metadata) item(folder string) (Item, error) {
	var file string
	if err := json.Unmarshal(m[fileKey], &file); err != nil || file == "" {
		return Item{}, errors.New(`the line does not say which file (column or key "file")`)
	}
	delete(m, fileKey)
	if !filepath.IsAbs(file) {
		file = filepath.Join(folder, file)
	}
	return Item{Name: file, Path: file, Metadata: m}, nil
}

// csvManifest calls yield with each line. An empty field sets nothing.
func csvManifest(r io.Reader, yield func(line int, m Metadata, err error) bool) {
	rows := csv.NewReader(skipMark(r))
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		yield(1, nil, fmt.Errorf("the manifest has no header line: %w", err))
		return
	}
	header = append([]string(nil), header...)
	for {
		record, err := rows.Read()
		if err == io.EOF {
			return
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			wrong := errors.Is(err, csv.ErrFieldCount) // the next line can be read
			if !yield(syntax.Line, nil, syntax.Err) || !wrong {
				return
			}
			continue
		}
		if err != nil {
			yield(0, nil, err)
			return
		}
		line, _ := rows.FieldPos(0)
		m := Metadata{}
		for i, value := range record {
			if value != "" && header[i] != "" {
				m.Set(header[i], value)
			}
		}
		if !yield(line, m, nil) {
			return
		}
	}
}

// skipMark leaves out the byte order mark that spreadsheets put in front.
func skipMark(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if head, err := b.Peek(3); err == nil && string(head) == "\ufeff" {
		_, _ = b.Discard(3) // they are there
	}
	return b
}

func linesManifest(r io.Reader, yield func(line int, m Metadata, err error) bool) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), longestLine)
	n := 0
	for lines.Scan() {
		n++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		m, err := lineMetadata(text)
		if !yield(n, m, err) {
			return
		}
	}
	if err := lines.Err(); err != nil {
		yield(n+1, nil, err)
	}
}

// lineMetadata reads {"file":…,"metadata":{…}} or {"file":…,KEY:VALUE…}.
func lineMetadata(text []byte) (Metadata, error) {
	m := Metadata{}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, errors.New("the line is not a JSON object")
	}
	var inner Metadata
	if raw, ok := m["metadata"]; ok && json.Unmarshal(raw, &inner) == nil && inner != nil {
		delete(m, "metadata")
		for key, value := range inner {
			if _, twice := m[key]; twice {
				return nil, fmt.Errorf("the key %q stands in the line and in its metadata", key)
			}
			m[key] = value
		}
	}
	return m, nil
}
