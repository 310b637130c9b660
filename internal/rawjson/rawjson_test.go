package rawjson_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/adteco/docarchive/internal/rawjson"
)

func TestCheckAgreesWithEncodingJSON(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, `{"a":1}`, `[1,2,[3,{"x":null}]]`, `"a\u00e9\n"`, `-0.5e+10`, `true`, ` null `,
		``, `{`, `[1,]`, `{"a":1,}`, `{"a" 1}`, `01`, `1.`, `.5`, `1e`, `+1`, `tru`, `"\x"`, `"\u12"`, "\"\x01\"",
		`[1 2]`, `{"a":1 "b":2}`, `{a:1}`, `1 2`, `"abc`, `[}`, `{]`, `--1`, `nul`,
	} {
		if got, want := rawjson.Check([]byte(text)) == nil, json.Valid([]byte(text)); got != want {
			t.Errorf("Check(%q) accepts: %v, encoding/json: %v", text, got, want)
		}
	}
}

// TestDepth skips what nests absurdly, and follows only so far.
func TestDepth(t *testing.T) {
	const depth = 10 * rawjson.MaxDepth
	deep := []byte(strings.Repeat("[", depth) + strings.Repeat("]", depth))
	if err := rawjson.Check(deep); err != nil {
		t.Errorf("depth %d: %v", depth, err)
	}
	if err := rawjson.Check(deep[:len(deep)-1]); err == nil {
		t.Error("a bracket is missing, and nothing was said")
	}
	s := rawjson.NewScanner(deep)
	reached := 0
	var follow func() error
	follow = func() error {
		reached++
		if s.Peek() != rawjson.Array {
			return nil
		}
		return s.Array(follow)
	}
	if err := s.Array(follow); err == nil || reached != rawjson.MaxDepth {
		t.Errorf("followed to depth %d: %v", reached, err)
	}
}

func TestTextTellsWhatIsLost(t *testing.T) {
	for _, c := range []struct {
		raw, text string
		exact     bool
	}{
		{`"plain"`, "plain", true},
		{`"\ud83d\ude00"`, "😀", true},
		{`"\ud800"`, "\ufffd", false},
		{`"\ud800\u0041"`, "\ufffdA", false},
		{`"\udc00x"`, "\ufffdx", false},
		{"\"\xff\"", "\ufffd", false},
		{`"\ufffd"`, "\ufffd", true},
		{`"\u0000\b\f\n\r\t\/\\\""`, "\x00\b\f\n\r\t/\\\"", true},
	} {
		text, exact := rawjson.Text([]byte(c.raw))
		if text != c.text || exact != c.exact {
			t.Errorf("Text(%s) = %q, %v; want %q, %v", c.raw, text, exact, c.text, c.exact)
		}
	}
}

func TestAppendPrintableKeepsEveryByte(t *testing.T) {
	if got := string(rawjson.AppendPrintable(nil, []byte("\"\xffé\xc3\""))); got != `"\udcffé\udcc3"` {
		t.Errorf("got %s", got)
	}
}

// FuzzCheck compares acceptance and every string's value with encoding/json.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u0041"]}`, `[]`, `"\ud83d\ude00"`, `{"":{}}`, `[[[`, `1e400`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) >= rawjson.MaxDepth {
			return // encoding/json gives up on what nests deeper
		}
		err := rawjson.Check(data)
		if got, want := err == nil, json.Valid(data); got != want {
			t.Fatalf("Check(%q): %v, encoding/json valid: %v", data, err, want)
		}
		if err != nil {
			return
		}
		s := rawjson.NewScanner(data)
		if s.Peek() != rawjson.String {
			return
		}
		raw, err := s.Value()
		if err != nil {
			t.Fatal(err)
		}
		var want string
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		got, _ := rawjson.Text(raw)
		if got != want {
			t.Fatalf("Text(%q) = %q, encoding/json %q", raw, got, want)
		}
		if printable := rawjson.AppendPrintable(nil, raw); !utf8.Valid(printable) || !json.Valid(printable) {
			t.Fatalf("AppendPrintable(%q) = %q", raw, printable)
		}
		var back string
		if err := json.Unmarshal(rawjson.AppendQuoted(nil, got), &back); err != nil || back != got {
			t.Fatalf("AppendQuoted(%q): %q, %v", got, back, err)
		}
	})
}
