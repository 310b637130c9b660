package image_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

const dockerfile = "../Dockerfile"

// stages reads a Dockerfile as BuildKit does.
func stages(t *testing.T, text string) []instructions.Stage {
	t.Helper()
	parsed, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range parsed.Warnings {
		t.Errorf("%s", warning.Short)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	all := stages(t, string(text))
	if faults := faultsOf(all); len(faults) > 0 {
		t.Error(strings.Join(faults, "\n"))
	}
	goVersion, err := exec.CommandContext(t.Context(), "go", "list", "-C", "../..", "-m", "-f", "{{.GoVersion}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := "golang:" + strings.TrimSpace(string(goVersion)) + "-"; !strings.HasPrefix(all[0].BaseName, want) {
		t.Errorf("it builds with %s, go.mod wants %s…", all[0].BaseName, want)
	}
	for what, change := range map[string][2]string{
		"no user":      {"USER 65532:65532", ""},
		"user by name": {"USER 65532:65532", "USER nobody"},
		"a shell":      {"FROM scratch", "FROM debian:12.9-slim"},
		"shell form":   {`ENTRYPOINT ["/usr/bin/docarchive"]`, "ENTRYPOINT /usr/bin/docarchive"},
		"not pinned":   {"golang:1.26.8-bookworm", "golang:latest"},
		"cgo":          {"CGO_ENABLED=0", "CGO_ENABLED=1"},
		"no label":     {`org.opencontainers.image.revision="$COMMIT"`, `revision="$COMMIT"`},
		"no roots":     {"cp /etc/ssl/certs/ca-certificates.crt /root-of-image/etc/ssl/certs/", "true"},
	} {
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if changed == string(text) || len(faultsOf(stages(t, changed))) == 0 {
			t.Errorf("%s: nothing is found", what)
		}
	}
}

var pinned = regexp.MustCompile(`^[a-z0-9./-]+:[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?(@sha256:[0-9a-f]{64})?$`)

// faultsOf returns what is wrong with the stages of a Dockerfile.
func faultsOf(stages []instructions.Stage) (faults []string) {
	final := stages[len(stages)-1]
	for _, stage := range stages[:len(stages)-1] {
		if !pinned.MatchString(stage.BaseName) {
			faults = append(faults, stage.BaseName+" is not pinned to a version")
		}
	}
	if final.BaseName != "scratch" {
		faults = append(faults, "the image has more than the program needs: "+final.BaseName)
	}
	var user, entry string
	labels, runs := map[string]bool{}, ""
	for _, stage := range stages {
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.RunCommand:
				runs += strings.Join(c.CmdLine, " ") + "\n"
			case *instructions.UserCommand:
				user = c.User
			case *instructions.EntrypointCommand:
				if !c.PrependShell {
					entry = strings.Join(c.CmdLine, " ")
				}
			case *instructions.LabelCommand:
				for _, label := range c.Labels {
					labels[label.Key] = true
				}
			}
		}
	}
	if user != "65532:65532" {
		faults = append(faults, "it runs as "+user)
	}
	if entry != "/usr/bin/docarchive" {
		faults = append(faults, "its entry point is not the program")
	}
	for _, label := range []string{"title", "description", "source", "version", "revision", "created"} {
		if !labels["org.opencontainers.image."+label] {
			faults = append(faults, "it has no label "+label)
		}
	}
	for _, needed := range []string{
		"CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH", "-trimpath", "-X main.version=$VERSION",
		"cp /etc/ssl/certs/ca-certificates.crt", "zoneinfo.zip", "mkdir -m 1777 /root-of-image/tmp",
	} {
		if !strings.Contains(runs, needed) {
			faults = append(faults, "no stage has "+needed)
		}
	}
	return faults
}

// What Docker is given must be enough to build the program, and no more.
func TestDockerContext(t *testing.T) {
	t.Parallel()
	ignored, err := os.Open(dockerfile + ".dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	defer ignored.Close()
	patterns, err := ignorefile.ReadAll(ignored)
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	const root = "../.."
	context, sent := t.TempDir(), []string{}
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(relative, ".") || relative == "deploy" || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if excluded, err := matcher.MatchesOrParentMatches(relative); err != nil || excluded || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		sent = append(sent, relative)
		if err := os.MkdirAll(filepath.Join(context, filepath.Dir(relative)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(context, relative), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Error}}{{.}}{{end}}", "./cmd/docarchive")
	build.Dir, build.Env = context, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	if out, err := build.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "" {
		t.Errorf("the context does not suffice: %v\n%s", err, out)
	}
	for _, name := range sent {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(strings.Split(name, "/"), "testdata") {
			t.Errorf("%s is sent in vain", name)
		}
	}
	if !slices.Contains(sent, "go.sum") || slices.Contains(sent, "Makefile") {
		t.Errorf("sent are %v", sent)
	}
}
