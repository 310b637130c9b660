package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a configuration file. Line and Column count from 1, the
// column in characters. The zero Position is no place.
type Position struct {
	File         string
	Line, Column int
}

// String is "file:line:column".
func (p Position) String() string {
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one mistake in a configuration file. Message never holds a secret:
// what a reference stood for is never quoted.
type Problem struct {
	File         string
	Line, Column int
	Message      string
}

// String is "file:line:column: message".
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Error is [Problem.String].
func (p Problem) Error() string { return p.String() }

// Problems are all the mistakes of one file, in the order of the file. It is
// never returned empty.
type Problems []Problem

// Error has one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds the report on a file that is wrong throughout.
const maxProblems = 200

// report collects the problems of one file.
type report struct {
	file     string
	problems Problems
}

func (r *report) add(at Position, format string, args ...any) {
	if len(r.problems) > maxProblems {
		return
	}
	message := "too many mistakes; the rest is not shown"
	if len(r.problems) < maxProblems {
		message = fmt.Sprintf(format, args...)
	}
	r.problems = append(r.problems, Problem{File: r.file, Line: at.Line, Column: at.Column, Message: message})
}

// err returns the problems sorted by position, or nil where there are none.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &r.problems
}

// quote shows text in a message, shortened so that the message stays one line.
func quote(text string) string {
	const longest = 60
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// hint names the one of known that wrong was most likely meant to be, or lists
// them all where none is near.
func hint(wrong string, known []string) string {
	if best := nearest(wrong, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "use one of " + strings.Join(known, ", ")
}

// nearest returns the known name at the least edit distance from wrong, or ""
// where none is near enough to be meant.
func nearest(wrong string, known []string) string {
	const longest = 64
	if len(wrong) > longest {
		return ""
	}
	wrong = strings.ToLower(wrong)
	best, least := "", max(2, len(wrong)/3)+1
	for _, name := range known {
		// A short name is within two edits of anything.
		limit := min(least, max(2, len(name)/2+1))
		if d := distance(wrong, name); d < limit {
			best, least = name, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
