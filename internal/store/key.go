package store

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Lengths in bytes that every storage can hold.
const (
	maxKey     = 1024
	maxSegment = 255
)

// temporary files of the local folder; no key may look like one.
const (
	tempPrefix = ".docarchive-"
	tempSuffix = ".tmp"
)

// CheckKey reports with [ErrKey] a key that not every storage can hold, or that
// could leave the archive's folder. Keys are never escaped: what is refused here
// has to be escaped by whoever makes names.
func CheckKey(key string) error {
	reason := ""
	switch {
	case key == "":
		reason = "it is empty"
	case len(key) > maxKey:
		reason = fmt.Sprintf("it is longer than %d bytes", maxKey)
	case !utf8.ValidString(key):
		reason = "it is not UTF-8"
	case strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
		reason = "it holds a control character or a backslash"
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case reason != "":
		case segment == "":
			reason = "a segment is empty"
		case segment == "." || segment == "..":
			reason = "a segment is a dot name"
		case len(segment) > maxSegment:
			reason = fmt.Sprintf("a segment is longer than %d bytes", maxSegment)
		case isTemp(segment):
			reason = "it is named like a temporary file"
		}
	}
	if reason != "" {
		return fmt.Errorf("%w: %q: %s", ErrKey, key, reason)
	}
	return nil
}

func isTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}
