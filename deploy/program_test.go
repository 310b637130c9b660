package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

// The chart and the program must agree: on jobs.yaml, and on commands and flags.
func TestProgram(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "docarchive")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", program, "./cmd/docarchive")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	for name, c := range releases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, config := range c.configs {
				if text, has := config.Data["jobs.yaml"]; has {
					validate(t, program, text, c.pods["run"].Containers[0])
				}
			}
			for component, pod := range c.pods {
				args := pod.Containers[0].Args
				out, err := exec.CommandContext(t.Context(), program, append(args, "--help")...).CombinedOutput()
				if usage := "Usage:\n  docarchive " + args[0] + " "; err != nil || !strings.Contains(string(out), usage) {
					t.Errorf("%s: docarchive %v: %v\n%s", component, args, err, out)
				}
			}
		})
	}
}

// validate has the program check a jobs.yaml in the environment of a container,
// its secrets in another folder.
func validate(t *testing.T, program, jobs string, c core.Container) {
	t.Helper()
	dir := t.TempDir()
	for name, secret := range map[string]string{
		"api-key": "sk_test_0123456789", "hash-key": "0123456789abcdef", "database-url": "postgres://archive@db.example/jobs",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "jobs.yaml")
	jobs = strings.ReplaceAll(jobs, "${file:/run/secrets/docarchive/", "${file:"+dir+"/")
	if err := os.WriteFile(file, []byte(jobs), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "validate", "--config", file)
	for name, value := range environment(c) {
		if value == elsewhere {
			value = "https://secret.example/" + name
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if bucket := environment(c)["DOCARCHIVE_BUCKET"]; bucket == "" { // archive.url has no default
		cmd.Env = append(cmd.Env, "DOCARCHIVE_BUCKET=s3://bucket")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, jobs)
	}
}
