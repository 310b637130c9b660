package mysql

import (
	"strings"
	"testing"
)

func TestNotes(t *testing.T) {
	const strict = "STRICT_ALL_TABLES,NO_ZERO_DATE"
	for name, c := range map[string]struct {
		session, global, readOnly string
		want                      []string
	}{
		"fine":           {strict, "STRICT_TRANS_TABLES", "0", nil},
		"fine in words":  {strict, "STRICT_TRANS_TABLES", "OFF", nil},
		"lax server":     {strict, "", "0", []string{"the server is not strict"}},
		"lax session":    {"", strict, "0", []string{"the session is not strict"}},
		"replica":        {strict, strict, "1", []string{"the server is read-only"}},
		"replica, words": {strict, strict, "ON", []string{"the server is read-only"}},
	} {
		got := notes(c.session, c.global, c.readOnly)
		if len(got) != len(c.want) || len(got) == 1 && !strings.HasPrefix(got[0], c.want[0]) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
