package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/adteco/docarchive/bench/workload"
)

// build builds the product from the source tree that the command is run in.
func (b *bench) build(ctx context.Context) (binary string, err error) {
	binary = filepath.Join(b.dir, "docarchive")
	argv := []string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "github.com/adteco/docarchive/cmd/docarchive"}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build docarchive: %w: %s", err, tail(string(out)))
	}
	b.report.command("CGO_ENABLED=0 " + strings.ReplaceAll(strings.Join(argv, " "), b.dir, "$WORK"))
	return binary, nil
}

// product is an archive with its configuration, in a folder of its own.
type product struct {
	bench *bench
	dir   string
	jobs  int // expected
}

// recipe says how the product is to be configured.
type recipe struct {
	sink      string // a sink in YAML's flow style
	raw       bool
	window    string // 24h if empty
	since     string // the workload's start if empty
	pipelines int    // 1 if 0
}

const (
	parquetSink = "{type: parquet, partition: [created_month], compression: zstd}"
	csvSink     = "{type: csv, partition: [created_month]}"
)

// newProduct configures the product for a server of the workload.
func (b *bench) newProduct(s *source, spec workload.Spec, r recipe) (*product, error) {
	dir, err := b.scratch("product")
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"spool", "home"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	var y strings.Builder
	fmt.Fprintf(&y, "api: {base_url: %q, key: sk_test_bench, page_size: %d, concurrency: %d}\n", s.url+"/v1", pageSize, inFlight)
	fmt.Fprintf(&y, "cache: embedded\narchive: %q\npipelines:\n", "file://"+filepath.ToSlash(filepath.Join(dir, "archive")))
	since, window := r.since, r.window
	if since == "" {
		since = spec.Start().Format("2006-01-02")
	}
	if window == "" {
		window = "24h"
	}
	for n := range max(1, r.pipelines) {
		fmt.Fprintf(&y, "  jobs%d:\n    since: %s\n    window: %s\n    raw: %t\n    sinks:\n      - %s\n", n, since, window, r.raw, r.sink)
	}
	b.report.command("cat > jobs.yaml <<.\n" + strings.NewReplacer(dir, "$WORK/product", s.url, "http://ADDR").Replace(y.String()) + ".")
	p := &product{bench: b, dir: dir, jobs: max(1, r.pipelines) * spec.Jobs}
	return p, os.WriteFile(filepath.Join(dir, "jobs.yaml"), []byte(y.String()), 0o644)
}

// command is docarchive with arguments.
func (p *product) command(args ...string) command {
	argv := append([]string{p.bench.binary}, args...)
	argv = append(argv, "--config", filepath.Join(p.dir, "jobs.yaml"), "--quiet", "--output", "json")
	shown := "docarchive " + strings.Join(args, " ") + " --config jobs.yaml --quiet --output json"
	return command{argv: argv, shown: shown, dir: p.dir, env: []string{
		"TMPDIR=" + filepath.Join(p.dir, "spool"), "HOME=" + filepath.Join(p.dir, "home"),
		"DOCARCHIVE_CACHE_DIR=" + filepath.Join(p.dir, "home"),
	}}
}

// outcome is what a run reports of itself.
type outcome struct {
	Requests  int64 `json:"requests"`
	Pipelines []struct {
		Windows struct{ Due, Read, Changed, Sealed int }
		Jobs    struct{ New int }
	} `json:"pipelines"`
}

func (o *outcome) archived() (n int) {
	for _, p := range o.Pipelines {
		n += p.Jobs.New
	}
	return n
}

// run runs the product once.
func (p *product) run(ctx context.Context, s *source, args ...string) (*sample, *outcome, error) {
	m, err := p.bench.counted(ctx, s, p.command(append([]string{"run"}, args...)...))
	if err != nil {
		return nil, nil, err
	}
	var o outcome
	if err := json.Unmarshal(m.stdout, &o); err != nil {
		return nil, nil, fmt.Errorf("read the run's report: %w", err)
	}
	m.Output, err = dataBytes(p.archive())
	return m, &o, err
}

// whole runs the product once and sees to it that it archived every job.
func (p *product) whole(ctx context.Context, s *source) (*sample, error) {
	m, o, err := p.run(ctx, s)
	if err == nil && o.archived() != p.jobs {
		err = fmt.Errorf("docarchive archived %d jobs of %d", o.archived(), p.jobs)
	}
	return m, err
}

func (p *product) archive() string { return filepath.Join(p.dir, "archive") }

func (p *product) remove() error { return os.RemoveAll(p.dir) }

// fresh archives the workload with a new product and removes it.
func (b *bench) fresh(ctx context.Context, s *source, spec workload.Spec, r recipe) (m *sample, err error) {
	p, err := b.newProduct(s, spec, r)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	return p.whole(ctx, s)
}

// dataBytes is the size of the files that analysts read.
func dataBytes(archive string) (size int64, err error) {
	err = eachFile(archive, func(_ string, info fs.FileInfo) { size += info.Size() })
	return size, err
}

// eachFile calls visit for the files of an archive that analysts read.
func eachFile(archive string, visit func(name string, info fs.FileInfo)) error {
	return filepath.WalkDir(archive, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "_archive":
			return fs.SkipDir
		case !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), "."):
			return nil
		}
		info, err := entry.Info()
		if err == nil {
			visit(name, info)
		}
		return err
	})
}
