package image_test

import (
	"debug/elf"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const entrypoint = "/ko-app/docarchive"

func TestImage(t *testing.T) {
	t.Parallel()
	b := buildImage(t)
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, slices.Sorted(maps.Keys(b.images))); diff != "" {
		t.Fatalf("platforms (-want +got):\n%s", diff)
	}
	for platform, machine := range map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			checkConfig(t, b.images[platform])
			root := t.TempDir()
			unpack(t, b.images[platform], root)
			checkStatic(t, filepath.Join(root, entrypoint), machine)
			if platform == "linux/"+runtime.GOARCH {
				runConfined(t, root)
			}
		})
	}
	checkSBOMs(t, b.sboms)
}

func checkConfig(t *testing.T, image v1.Image) {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := file.Config
	if c.User != "65532:65532" {
		t.Errorf("it runs as %q; Kubernetes can only tell of a number that it is not root", c.User)
	}
	if diff := cmp.Diff([]string{entrypoint}, c.Entrypoint); diff != "" {
		t.Errorf("entry point (-want +got):\n%s", diff)
	}
	for label, want := range map[string]string{
		"org.opencontainers.image.title": "docarchive", "org.opencontainers.image.version": version,
		"org.opencontainers.image.source": "https://github.com/adteco/docarchive",
	} {
		if got := c.Labels[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
}

// checkStatic makes sure that a program needs nothing of the system it runs on.
func checkStatic(t *testing.T, program string, machine elf.Machine) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != machine {
		t.Errorf("it is for %v, want %v", f.Machine, machine)
	}
	for _, segment := range f.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			t.Errorf("it is linked dynamically: %v", segment.Type)
		}
	}
	if f.Section(".debug_info") != nil || f.Section(".symtab") != nil {
		t.Error("it is not stripped")
	}
}

// checkSBOMs looks for each module that the program is made of.
func checkSBOMs(t *testing.T, dir string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./cmd/docarchive")
	list.Dir, list.Env = "../..", append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the modules: %v", err)
	}
	modules := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(modules)
	modules = slices.Compact(modules)
	for _, arch := range []string{"amd64", "arm64"} {
		found, err := filepath.Glob(filepath.Join(dir, "*-linux-"+arch+".spdx.json"))
		if err != nil || len(found) != 1 {
			everything, _ := os.ReadDir(dir)
			t.Fatalf("%d SBOMs for %s (%v) in %v", len(found), arch, err, everything)
		}
		data, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		var sbom struct {
			Version  string `json:"spdxVersion"`
			Packages []struct {
				Name         string `json:"name"`
				Version      string `json:"versionInfo"`
				ExternalRefs []struct {
					Locator string `json:"referenceLocator"`
				} `json:"externalRefs"`
			} `json:"packages"`
		}
		if err := json.Unmarshal(data, &sbom); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(sbom.Version, "SPDX-2") {
			t.Errorf("it is no SPDX: %q", sbom.Version)
		}
		listed := map[string]bool{}
		for _, p := range sbom.Packages {
			listed[p.Name] = true
			for _, ref := range p.ExternalRefs {
				if _, module, is := strings.Cut(ref.Locator, "pkg:golang/"); is && !strings.Contains(module, p.Version) {
					t.Errorf("%s: %s is listed as %s", arch, p.Name, ref.Locator)
				}
			}
		}
		for _, module := range modules {
			if path, _, _ := strings.Cut(module, " "); !listed[path] {
				t.Errorf("the SBOM for %s lacks %s", arch, path)
			}
		}
	}
}

// runConfined runs the program of an image as a pod of the chart does: as
// nobody in particular, its root read-only, with one writable folder. Where the
// tests may not make a root of their own it runs on this machine's.
func runConfined(t *testing.T, root string) {
	t.Helper()
	jobs, err := os.ReadFile("../../jobs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"etc/docarchive", "spool"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/docarchive/jobs.yaml"), jobs, 0o644); err != nil {
		t.Fatal(err)
	}
	program := func(args ...string) string {
		t.Helper()
		out, err := confined(t, root, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("docarchive %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := program("version"); !strings.HasPrefix(out, "docarchive "+version+" (") {
		t.Errorf("it says: %s", out)
	}
	first := program("demo", "--config", config(root))
	if !strings.Contains(first, "everything") {
		t.Errorf("the demo says:\n%s", first)
	}
}

func rooted() bool { return os.Geteuid() == 0 }

func config(root string) string {
	if rooted() {
		root = "/"
	}
	return filepath.Join(root, "etc/docarchive/jobs.yaml")
}

// confined is a command of the program in the root of its image.
func confined(t *testing.T, root string, args ...string) *exec.Cmd {
	t.Helper()
	if !rooted() {
		spool := filepath.Join(root, "spool")
		cmd := exec.CommandContext(t.Context(), filepath.Join(root, entrypoint), args...)
		cmd.Env = []string{"TMPDIR=" + spool, "DOCARCHIVE_SPOOL=" + spool, "DOCARCHIVE_BUCKET=file://" + filepath.Join(spool, "archive")}
		return cmd
	}
	const script = `mount --bind "$0" "$0" && mount -t tmpfs -o size=1g,mode=1777 spool "$0/spool" &&
mount -o remount,ro,bind "$0" && exec chroot --userspec=65532:65532 "$0" ` + entrypoint + ` "$@"`
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, root}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR=/spool", "DOCARCHIVE_SPOOL=/spool", "DOCARCHIVE_BUCKET=file:///spool/archive"}
	return cmd
}
