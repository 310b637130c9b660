package pipeline

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestWindowAt(t *testing.T) {
	for _, c := range []struct {
		at         string
		size       time.Duration
		start, end string
		name       string
	}{
		{"2026-11-22T13:14:15Z", day, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "20261122"},
		{"2026-11-22T00:00:00Z", day, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "20261122"},
		{"2026-11-23T00:30:00+01:00", day, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "20261122"},
		{"2026-11-22T05:59:59Z", 6 * time.Hour, "2026-11-22T00:00:00Z", "2026-11-22T06:00:00Z", "20261122T0000"},
		{"2026-11-22T06:00:00Z", 6 * time.Hour, "2026-11-22T06:00:00Z", "2026-11-22T12:00:00Z", "20261122T0600"},
		{"2026-11-22T23:59:59Z", time.Hour, "2026-11-22T23:00:00Z", "2026-11-23T00:00:00Z", "20261122T2300"},
		{"2026-11-25T23:00:00Z", 7 * day, "2026-11-19T00:00:00Z", "2026-11-26T00:00:00Z", "20261119"},
		{"2026-11-26T00:00:00Z", 7 * day, "2026-11-26T00:00:00Z", "2026-12-03T00:00:00Z", "20261126"},
		{"1970-01-01T00:00:00Z", 7 * day, "1970-01-01T00:00:00Z", "1970-01-08T00:00:00Z", "19700101"},
		{"1969-12-31T00:00:00Z", day, "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "19691231"},
		{"1969-12-30T13:00:00Z", day, "1969-12-30T00:00:00Z", "1969-12-31T00:00:00Z", "19691230"},
		{"2026-11-22T13:00:00Z", 36 * time.Hour, "2026-11-22T12:00:00Z", "2026-11-24T00:00:00Z", "20261122T1200"},
	} {
		w := WindowAt(at(c.at), c.size)
		if w.Start != at(c.start).UTC() || w.End != at(c.end).UTC() || w.Name() != c.name {
			t.Errorf("%s in %s: %s, named %s; want from %s, named %s", c.at, c.size, w, w.Name(), c.start, c.name)
		}
	}
}

func TestWindows(t *testing.T) {
	names := func(from, to string, size time.Duration) (all []string) {
		for _, w := range Windows(at(from), at(to), size) {
			all = append(all, w.Name())
		}
		return all
	}
	for _, c := range []struct {
		from, to string
		size     time.Duration
		want     []string
	}{
		{"2026-11-22T12:00:00Z", "2026-11-24T00:00:00Z", day, []string{"20261122", "20261123"}},
		{"2026-11-22T12:00:00Z", "2026-11-24T00:00:01Z", day, []string{"20261122", "20261123", "20261124"}},
		{"2026-11-22T05:00:00Z", "2026-11-22T12:30:00Z", 6 * time.Hour, []string{"20261122T0000", "20261122T0600", "20261122T1200"}},
		{"2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z", 7 * day, []string{"20261119", "20261126"}},
		{"2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z", day, nil},
	} {
		if diff := cmp.Diff(c.want, names(c.from, c.to, c.size)); diff != "" {
			t.Errorf("%s to %s (-want +got): %s", c.from, c.to, diff)
		}
	}
}

// Every time lies in exactly one window, whenever and from wherever it is asked
// for, and no two windows have one name.
func TestWindowsCutTimeInTheSamePlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := time.Duration(rapid.IntRange(1, 400).Draw(t, "hours")) * time.Hour
		if rapid.Bool().Draw(t, "days") {
			size = time.Duration(rapid.IntRange(1, 40).Draw(t, "days")) * day
		}
		moment := time.Unix(rapid.Int64Range(-1e9, 7e9).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano"))
		w := WindowAt(moment, size)
		if !w.Contains(moment) || w.End.Sub(w.Start) != size || w.Empty() || w.Contains(w.End) || !w.Contains(w.Start) {
			t.Fatalf("%s is not in %s", moment, w)
		}
		if w.Start.Unix()%int64(size/time.Second) != 0 {
			t.Fatalf("%s does not begin at a multiple of %s", w, size)
		}
		inside := w.Start.Add(time.Duration(rapid.Int64Range(0, int64(size)-1).Draw(t, "inside")))
		if again := WindowAt(inside, size); again != w {
			t.Fatalf("%s lies in %s, and in %s", inside, w, again)
		}
		named := map[string]bool{}
		for _, next := range Windows(moment, moment.Add(20*size), size) {
			if named[next.Name()] {
				t.Fatalf("two windows are named %s", next.Name())
			}
			named[next.Name()] = true
		}
	})
}
