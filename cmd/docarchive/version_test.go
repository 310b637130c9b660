package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	recorded := func(modified string) *debug.BuildInfo {
		return &debug.BuildInfo{Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef0123"},
			{Key: "vcs.time", Value: "2026-11-24T02:17:00Z"},
			{Key: "vcs.modified", Value: modified},
		}}
	}
	for _, c := range []struct {
		info   *debug.BuildInfo
		commit string
		line   string
	}{
		{recorded("false"), "0123456789abcdef0123", "docarchive devel (0123456789ab, 2026-11-24T02:17:00Z, go"},
		{recorded("true"), "0123456789abcdef0123-dirty", "docarchive devel (0123456789ab-dirty, 2026-11-24T02:17:00Z, go"},
		{&debug.BuildInfo{}, "", "docarchive devel (go"},
		{nil, "", "docarchive devel (go"},
	} {
		o := newOrigin(c.info)
		if line := o.String(); o.Commit != c.commit || !strings.HasPrefix(line, c.line) || !strings.HasSuffix(line, o.Platform+")") {
			t.Errorf("commit %q, line %q; want %q, %q…", o.Commit, line, c.commit, c.line)
		}
	}
}
