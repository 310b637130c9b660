package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Bounds on what references may stand for: in one file, in one value, and in a
// whole configuration.
const (
	maxFileValue = 64 << 10
	maxValue     = 128 << 10
	maxExpansion = 4 << 20
)

// expander replaces references in values.
type expander struct {
	options Options
	grown   int  // bytes put in for references so far
	lenient bool // what is missing stands for nothing
}

// expand replaces the references in text. What they stand for is not expanded
// again. faults says everything that is wrong, without the values.
func (e *expander) expand(text string) (value string, faults []string) {
	var out strings.Builder
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "${")
		out.WriteString(before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "", append(faults, "${ without its }: write ${NAME}, ${NAME:-default} or ${file:/path}")
		}
		rest = tail
		replacement, fault := e.resolve(name)
		if fault != "" {
			faults = append(faults, fault)
			continue
		}
		e.grown += len(replacement)
		if out.Len()+len(replacement) > maxValue || e.grown > maxExpansion {
			return "", append(faults, "the references stand for too much text")
		}
		out.WriteString(replacement)
	}
	value = out.String()
	if len(faults) == 0 && (!utf8.ValidString(value) || strings.ContainsRune(value, 0)) {
		faults = append(faults, fmt.Sprintf("%s stands for something that is not text", quote(masked(text))))
	}
	return value, faults
}

// resolve finds what one reference stands for.
func (e *expander) resolve(name string) (value, fault string) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return e.file(path)
	}
	name, fallback, optional := strings.Cut(name, ":-")
	switch {
	case !isVariable(name):
		return "", fmt.Sprintf("${%s} does not name a variable: write ${NAME}, ${NAME:-default} or ${file:/path}", shorten(name))
	case strings.Contains(fallback, "${"):
		return "", fmt.Sprintf("the default of ${%s} holds a reference itself, which is not supported", name)
	}
	value, ok := e.options.LookupEnv(name)
	switch {
	case ok && (value != "" || !optional):
		return value, ""
	case optional:
		return fallback, ""
	}
	if e.lenient {
		return "", ""
	}
	return "", fmt.Sprintf("variable %s is not set: set it, or give it a default as in ${%s:-default}", name, name)
}

func (e *expander) file(path string) (value, fault string) {
	if !filepath.IsAbs(path) {
		return "", fmt.Sprintf("${file:%s} must name an absolute path, as in ${file:/run/secrets/key}", shorten(path))
	}
	data, err := e.options.ReadFile(path)
	switch {
	case err != nil && e.lenient:
		return "", ""
	case err != nil:
		return "", fmt.Sprintf("${file:%s} cannot be read: %v", shorten(path), err)
	case len(data) > maxFileValue:
		return "", fmt.Sprintf("${file:%s} is larger than 64 KiB", shorten(path))
	}
	return strings.TrimRight(string(data), "\r\n"), ""
}

func isVariable(name string) bool {
	for i, c := range name {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// masked shows a value as it stands in the file, without the defaults of its
// references: a default may hold a password.
func masked(text string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, rest, _ := strings.Cut(after, "}")
		name, _, optional := strings.Cut(name, ":-")
		out.WriteString("${" + name)
		if optional {
			out.WriteString(":-…")
		}
		out.WriteString("}")
		text = rest
	}
}

// shorten keeps a message on one line.
func shorten(text string) string {
	text = quote(text)
	return text[1 : len(text)-1]
}
