package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/adteco/docarchive/pipeline"
)

// message is one line of what went wrong. What has the same cause is the same,
// in whichever pipelines and windows it was met.
type message struct{ text, cause string }

// distinct words an error in lines. Of those with the same cause it keeps the
// first, and says how many there were. Long numbers, as in ports and in names of
// temporary files, make no other cause.
func distinct(err error) []string {
	all := messages(err)
	passing := regexp.MustCompile(`[0-9]{5,}`)
	for i := range all {
		all[i].cause = passing.ReplaceAllString(all[i].cause, "#")
	}
	times := map[string]int{}
	for _, m := range all {
		times[m.cause]++
	}
	var lines []string
	for _, m := range all {
		n := times[m.cause]
		if n == 0 {
			continue // said already
		}
		times[m.cause] = 0
		if n > 1 {
			m.text += fmt.Sprintf(" (met %d times)", n)
		}
		lines = append(lines, m.text)
	}
	return lines
}

// messages takes joined errors apart. What wraps them is said of each.
func messages(err error) []message {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		if inner := joined.Unwrap(); errors.Join(inner...).Error() == err.Error() {
			var all []message
			for _, err := range inner {
				all = append(all, messages(err)...)
			}
			return all
		}
	}
	inner := errors.Unwrap(err)
	if inner == nil {
		return plain(err)
	}
	prefix, ok := strings.CutSuffix(err.Error(), inner.Error())
	if !ok {
		return plain(err)
	}
	all := messages(inner)
	for i := range all {
		all[i].text = prefix + all[i].text
		if !places(err) {
			all[i].cause = prefix + all[i].cause
		}
	}
	return all
}

// places reports whether an error only says where another one was met.
func places(err error) bool {
	switch err.(type) {
	case *pipeline.WindowError, *pipeline.FailedError:
		return true
	}
	return false
}

// plain is an error that cannot be taken apart, in one line.
func plain(err error) []message {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		parts = append(parts, strings.TrimSpace(line))
	}
	text := strings.Join(parts, " ")
	return []message{{text, text}}
}
