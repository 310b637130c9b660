package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// origin is what the program was built from. Commit and Date, which is the
// commit's, are empty where neither the build nor Go recorded them.
type origin struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			o := newOrigin(info)
			if a.json() {
				return printJSON(cmd.OutOrStdout(), o)
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), o)
			return err
		},
	}
}

// newOrigin takes from info, which may be nil, what the build was not told.
func newOrigin(info *debug.BuildInfo) origin {
	o := origin{Version: version, Commit: commit, Date: date, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if commit != "" || info == nil {
		return o
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			o.Commit = setting.Value + o.Commit
		case setting.Key == "vcs.modified" && setting.Value == "true":
			o.Commit += "-dirty"
		case setting.Key == "vcs.time":
			o.Date = setting.Value
		}
	}
	return o
}

// String is one line: docarchive 1.2.3 (0123456789ab, 2026-11-24T02:17:00Z,
// go1.26.8, linux/amd64).
func (o origin) String() string {
	var parts []string
	for _, part := range []string{short(o.Commit), o.Date, o.Go, o.Platform} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return fmt.Sprintf("docarchive %s (%s)", o.Version, strings.Join(parts, ", "))
}

// short is a commit as people write it.
func short(commit string) string {
	hash, state, dirty := strings.Cut(commit, "-")
	if dirty {
		state = "-" + state
	}
	return hash[:min(len(hash), 12)] + state
}
