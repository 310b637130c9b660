package sinks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/adteco/docarchive/pipeline"
)

// Folder names that stand for a value that has no text.
const (
	nullValue  = "__null__"
	emptyValue = "__empty__"
)

// maxValueLength keeps a folder's name, COLUMN=VALUE, well under the 255 bytes
// that file systems allow.
const maxValueLength = 100

// escapeValue makes a partition's value a folder name that cannot leave its
// folder: everything but [A-Za-z0-9_-] is percent-encoded, and what is too long
// is cut and told apart by a hash of the whole.
func escapeValue(value string) string {
	switch value {
	case "":
		return emptyValue
	case nullValue, emptyValue: // a text is never mistaken for what these mean
		return "%5F" + value[1:]
	}
	const digits = "0123456789ABCDEF"
	escaped := make([]byte, 0, len(value))
	for i := range len(value) {
		token := []byte{value[i]}
		if !isPlain(value[i]) {
			token = []byte{'%', digits[value[i]>>4], digits[value[i]&15]}
		}
		if len(escaped)+len(token) > maxValueLength {
			sum := sha256.Sum256([]byte(value))
			return string(escaped) + "-" + hex.EncodeToString(sum[:8])
		}
		escaped = append(escaped, token...)
	}
	return string(escaped)
}

func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// fileName is the name of the part with the given number, counted from 0 over
// all partitions of the destination.
func fileName(folder string, d pipeline.Destination, number int, extension string) string {
	return fmt.Sprintf("%s/%s-%06d-%03d%s.%s", folder, d.Window.Name(), d.Seq, number, d.Suffix, extension)
}
