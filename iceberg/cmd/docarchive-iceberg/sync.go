package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/apache/iceberg-go/catalog"
	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/iceberg"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
)

// The exit statuses, as docarchive has them.
const (
	exitFailed      = 1
	exitUsage       = 64
	exitDamaged     = 65
	exitTemporary   = 75
	exitConfig      = 78
	exitInterrupted = 130
)

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitStatus(ctx context.Context, err error) int {
	var damage *ledger.DamageError
	var usage usageError
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &damage):
		return exitDamaged
	case errors.Is(err, ledger.ErrNoArchive), errors.Is(err, iceberg.ErrChanged):
		return exitConfig
	case store.Temporary(err), errors.Is(err, fs.ErrNotExist): // a file that is not published yet, or was replaced meanwhile
		return exitTemporary
	}
	return exitFailed
}

// syncFlags are the flags of sync.
type syncFlags struct {
	archive, location    string
	catalog, warehouse   string
	namespace, sink      string
	set                  map[string]string
	create, json, silent bool
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:          "docarchive-iceberg",
		Short:        "Register an archive's Parquet files in Apache Iceberg tables",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newSync(stdout, stderr))
	return root
}

func newSync(stdout, stderr io.Writer) *cobra.Command {
	var o syncFlags
	cmd := &cobra.Command{
		Use:   "sync [PIPELINE…]",
		Short: "Bring the tables up to date with the archive",
		Long: `Bring the Iceberg tables up to date with the archive, for all of its pipelines or
for those named: a table NAMESPACE.PIPELINE, and one for each child table. Every
commit record becomes a snapshot, and so does what compact and rebuild replaced.
The tables refer to the archive's own files; nothing is copied and nothing deleted.

It may be interrupted, repeated, and run twice at once. Run it after every run
and right after every compact or rebuild: these delete the files that they
replace, and a table that still refers to them cannot be read until then.`,
		Example: `  docarchive-iceberg sync --archive s3://archive --catalog rest+https://catalog.example.com --create
  docarchive-iceberg sync --archive file:///srv/archive --catalog sql+sqlite:///srv/catalog.db --warehouse file:///srv/warehouse invoices`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), stdout, stderr, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.archive, "archive", "", "URL of the archive, as in jobs.yaml")
	f.StringVar(&o.location, "location", "", "URL under which query engines find the archive's files, where it is not the archive's own")
	f.StringVar(&o.catalog, "catalog", "", "sql+sqlite:///PATH, sql+postgres://…, rest+https://… or glue://")
	f.StringVar(&o.warehouse, "warehouse", "", "URL for the metadata of new tables, outside the archive")
	f.StringVar(&o.namespace, "namespace", "docs", "namespace of the tables; levels are separated by dots")
	f.StringVar(&o.sink, "sink", "", "the Parquet sink, such as parquet:invoices, where a pipeline has several")
	f.StringToStringVar(&o.set, "set", nil, "property of the catalog or of its storage, such as s3.endpoint=http://…; may be repeated")
	f.BoolVar(&o.create, "create", false, "make tables that do not exist")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	f.BoolVarP(&o.silent, "quiet", "q", false, "no messages besides errors")
	return cmd
}

func (o *syncFlags) run(ctx context.Context, stdout, stderr io.Writer, pipelines []string) (err error) {
	location, err := o.check()
	if err != nil {
		return usageError{err}
	}
	s, err := store.Open(ctx, o.archive, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := ledger.OpenExisting(ctx, s, ledger.Options{})
	if err != nil {
		return err
	}
	all := len(pipelines) == 0
	if all {
		if pipelines, err = iceberg.PipelineNames(ctx, s); err != nil {
			return err
		}
	}
	c, err := iceberg.OpenCatalog(ctx, o.catalog, o.warehouse, o.set)
	if err != nil {
		return err
	}
	if closer, ok := c.(catalog.Closer); ok {
		defer func() { err = errors.Join(err, closer.Close()) }()
	}
	level := slog.LevelInfo
	if o.silent {
		level = slog.LevelError
	}
	options := iceberg.Options{
		Ledger: l, Location: location, Catalog: c, Namespace: o.namespace, Sink: o.sink, Create: o.create,
		Log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})),
	}
	results := []iceberg.Result{}
	var failed []error
	for _, name := range pipelines {
		done, err := iceberg.Sync(ctx, options, name)
		results = append(results, done...)
		if none := all && errors.Is(err, iceberg.ErrNoRecord); err != nil && !none {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errors.Join(failed...), o.print(stdout, results))
}

// check returns the archive's location.
func (o *syncFlags) check() (string, error) {
	if o.archive == "" || o.catalog == "" {
		return "", errors.New("--archive and --catalog are needed")
	}
	location := strings.TrimSuffix(o.location, "/")
	if location == "" {
		var err error
		if location, err = iceberg.Location(o.archive); err != nil {
			return "", err
		}
	}
	if strings.HasPrefix(o.warehouse+"/", location+"/") {
		return "", errors.New("--warehouse must lie outside the archive")
	}
	return location, nil
}

func (o *syncFlags) print(out io.Writer, results []iceberg.Result) error {
	if o.json {
		return json.NewEncoder(out).Encode(results)
	}
	for _, r := range results {
		text := "up to date"
		if r.Snapshots > 0 {
			text = fmt.Sprintf("snapshots %d, files +%d -%d", r.Snapshots, r.Added, r.Removed)
		}
		if _, err := fmt.Fprintf(out, "%s\t%s\tfiles now %d\n", r.Table, text, r.Files); err != nil {
			return err
		}
	}
	return nil
}
