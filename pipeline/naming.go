package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

const (
	separator      = "__" // between the keys of a path
	siblingSuffix  = "__text"
	dataPrefix     = "data__"
	maxNameBytes   = 63 // PostgreSQL's limit, the shortest of the databases'
	hashHexLen     = 8
	ColumnOverflow = "overflow"
)

// prefixOf is what the names of a group's columns begin with.
func prefixOf(g Group) string {
	switch g {
	case GroupConfidence:
		return "confidence__"
	case GroupMetadata:
		return "metadata__"
	default:
		return ""
	}
}

// baseName derives a column's name from the keys that lead to it inside its
// group, before any collision with other fields is looked at. fixed are the
// columns whose names fields cannot have.
func baseName(fixed []Column, g Group, keys []string, pointer string) string {
	parts := make([]string, len(keys))
	for i, key := range keys {
		parts[i] = mangle(key)
	}
	name := prefixOf(g) + strings.Join(parts, separator)
	if g == GroupData && reserved(fixed, name) {
		name = dataPrefix + name
	}
	return shorten(name, pointer)
}

// reserved reports whether a field must not bear the name as it is, nor another
// that counts as the same.
func reserved(fixed []Column, name string) bool {
	name = fold(name)
	for _, prefix := range []string{prefixOf(GroupConfidence), prefixOf(GroupMetadata), dataPrefix} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	if name == ColumnOverflow {
		return true
	}
	for _, c := range fixed {
		if name == c.Name {
			return true
		}
	}
	return false
}

// mangle turns one key into a part of a column name: NFC, lower-cased, every
// run of other characters than letters, digits and _ replaced by one _.
func mangle(key string) string {
	var b strings.Builder
	run := false
	for _, r := range norm.NFC.String(strings.ToLower(norm.NFC.String(key))) {
		if r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			b.WriteRune(r)
			run = false
			continue
		}
		if !run {
			b.WriteByte('_')
		}
		run = true
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}

// shorten cuts a name that is too long and appends a hash of its path.
func shorten(name, path string) string {
	if len(name) <= maxNameBytes {
		return name
	}
	return suffixed(name, path)
}

// suffixed appends a hash of path to name, within the length limit.
func suffixed(name, path string) string {
	sum := sha256.Sum256([]byte(path))
	keep := min(len(name), maxNameBytes-1-hashHexLen)
	for keep > 0 && keep < len(name) && !utf8.RuneStart(name[keep]) {
		keep--
	}
	return name[:keep] + "_" + hex.EncodeToString(sum[:])[:hashHexLen]
}

// fold returns the form under which two names count as the same: engines that
// ignore case must be able to tell columns apart.
func fold(name string) string { return cases.Fold().String(name) }

// pointerTo returns the JSON Pointer (RFC 6901) of the keys.
func pointerTo(keys ...string) string {
	var b strings.Builder
	for _, key := range keys {
		b.WriteByte('/')
		key = strings.ReplaceAll(key, "~", "~0")
		b.WriteString(strings.ReplaceAll(key, "/", "~1"))
	}
	return b.String()
}
