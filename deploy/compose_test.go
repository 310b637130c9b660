package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// TestCompose loads the example as docker compose does, and has the program
// check its jobs.yaml and its commands.
func TestCompose(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs("compose")
	if err != nil {
		t.Fatal(err)
	}
	load := func(environment types.Mapping) (*types.Project, error) {
		return loader.LoadWithContext(t.Context(), types.ConfigDetails{
			WorkingDir: dir, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml")}}, Environment: environment,
		})
	}
	if _, err := load(nil); err == nil {
		t.Error("it loads without passwords")
	}
	project, err := load(types.Mapping{"POSTGRES_PASSWORD": "a", "S3_SECRET_KEY": "b"})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range project.Services {
		if !regexp.MustCompile(`^(docarchive:local|[a-z/]+:v?[0-9]+\.?[0-9.]*(-alpine)?)$`).MatchString(s.Image) {
			t.Errorf("%s: image %s is not pinned", name, s.Image)
		}
		for on, d := range s.DependsOn {
			if d.Condition == types.ServiceConditionHealthy && project.Services[on].HealthCheck == nil {
				t.Errorf("%s waits for the health of %s, which is not checked", name, on)
			}
		}
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	program := filepath.Join(t.TempDir(), "docarchive")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", program, "./cmd/docarchive")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	validate := exec.CommandContext(t.Context(), program, "validate", "-c", filepath.Join(dir, "jobs.yaml"))
	for name, value := range project.Services["docarchive"].Environment {
		validate.Env = append(validate.Env, name+"="+*value)
	}
	if out, err := validate.CombinedOutput(); err != nil {
		t.Errorf("validate: %v\n%s", err, out)
	}
	for _, service := range []string{"simulator", "docarchive"} {
		args := append([]string(project.Services[service].Command), "--help")
		if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", service, err, out)
		}
	}
}
