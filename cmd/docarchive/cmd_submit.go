package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/pipeline/submission"
)

// submitOptions are the flags of submit.
type submitOptions struct {
	metadata    []string
	manifests   []string
	batchID     string
	journal     string
	concurrency int
	maxSize     int // MiB
	wait        bool
	timeout     time.Duration
	again       bool
	dryRun      bool
	form        *form
}

func (a *app) submitCommand() *cobra.Command {
	var o submitOptions
	cmd := &cobra.Command{
		Use:   "submit EXTRACTOR [FILE|GLOB|-]…",
		Short: "Submit documents; this costs credits",
		Long: `Submit documents to an extractor; this costs credits.

No document is paid for twice: a journal on this machine notes every submission
before it leaves, by the content's SHA-256, the extractor, the API and its key. A
batch that was interrupted is simply started again, and sends what is missing. A
submission whose answer was lost is looked for in the API's listing; if it is not
found it is held, since it may have been charged, and is sent again with --again
only.

A manifest is CSV with a header, or JSON lines (.jsonl): "file" names the
document, relative to the manifest, all other columns or keys are metadata. "-"
is one document from standard input.

With --wait each document stays in hand until its job is final, so --concurrency
is also the number of unfinished jobs; set it to what your plan allows.

Exit status: 0 if every document is submitted (and completed, with --wait) or was
before, 3 if some are not, 75 if the API was away, 77 if the key was refused.`,
		Example: `  docarchive submit ext_invoice scans/*.pdf --metadata department=accounting
  docarchive submit ext_invoice --manifest batch.csv --wait --concurrency 10
  docarchive submit ext_receipt - < receipt.png`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.submit(cmd.Context(), cmd.OutOrStdout(), args[0], args[1:], o)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.metadata, "metadata", nil, "KEY=VALUE that every job is to carry; may be repeated")
	f.StringArrayVar(&o.manifests, "manifest", nil, "documents and their metadata, as CSV or JSON lines; may be repeated")
	f.StringVar(&o.batchID, "batch-id", "", "batch_id in every job's metadata; made up if left out")
	f.StringVar(&o.journal, "journal", "", "the journal's file; one in the cache folder if left out")
	f.IntVar(&o.concurrency, "concurrency", 4, "documents in hand at once, 1 to 100")
	f.IntVar(&o.maxSize, "max-size", 100, "refuse documents of more MiB than this")
	f.BoolVar(&o.wait, "wait", false, "wait until the jobs are final")
	f.DurationVar(&o.timeout, "timeout", 0, "with --wait: give up on a job after this long; 0: never")
	f.BoolVar(&o.again, "again", false, "submit what was submitted before, or may have been: this is charged again")
	f.BoolVar(&o.dryRun, "dry-run", false, "check the documents and say what would be submitted")
	o.form = formFlag(f)
	return cmd
}

// check looks at the flags and returns the metadata of all documents.
func (o *submitOptions) check(now time.Time) (submission.Metadata, error) {
	switch {
	case o.concurrency < 1 || o.concurrency > 100:
		return nil, usagef("--concurrency must be from 1 to 100, not %d", o.concurrency)
	case o.maxSize < 1:
		return nil, usagef("--max-size must be at least 1 MiB, not %d", o.maxSize)
	case o.timeout < 0 || o.timeout > 0 && !o.wait:
		return nil, usagef("--timeout must not be negative, and goes with --wait")
	}
	texts, err := pairs("--metadata", o.metadata)
	if err != nil {
		return nil, err
	}
	if o.batchID != "" && texts[submission.MetaBatch] != "" {
		return nil, usagef("the batch id stands in --batch-id and in --metadata")
	}
	all := submission.Metadata{}
	all.Set(submission.MetaBatch, newRunID(now))
	if o.batchID != "" {
		all.Set(submission.MetaBatch, o.batchID)
	}
	for key, value := range texts {
		if strings.HasPrefix(key, "docarchive_") {
			return nil, usagef("metadata keys that begin with docarchive_ are reserved, such as %q", key)
		}
		all.Set(key, value)
	}
	return all, nil
}

func (a *app) submit(ctx context.Context, out io.Writer, extractor string, files []string, o submitOptions) (err error) {
	metadata, err := o.check(a.now())
	if err != nil {
		return err
	}
	if len(files) == 0 && len(o.manifests) == 0 {
		return usagef("nothing to submit; name files, or a --manifest")
	}
	w, err := a.reach(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := a.checkExtractor(ctx, w, extractor); err != nil {
		return err
	}
	spool, remove, err := a.makeSpool(a.now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	services, err := a.submissionServices(w, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, services.Journal.Close()) }()
	source := &submitSource{files: files, manifests: o.manifests, stdin: a.stdin, spool: spool, maxSize: int64(o.maxSize) << 20}
	view := a.newSubmitView(a.hide.writer(out), o)
	err = submission.Run(ctx, services, submission.Options{
		Extractor: extractor, Metadata: metadata, MaxSize: source.maxSize, Concurrency: o.concurrency, Again: o.again, DryRun: o.dryRun,
	}, source.items, view.add)
	if err != nil {
		err = fmt.Errorf("the batch ended early, start it again to go on: %w", err)
	}
	return errors.Join(err, view.end())
}

// checkExtractor refuses an extractor that does not exist before anything is
// read or noted.
func (a *app) checkExtractor(ctx context.Context, w *workplace, id string) error {
	extractor, err := w.client.Extractor(ctx, id)
	switch {
	case docextract.NotFound(err):
		all, err := w.client.Extractors(ctx)
		if err != nil {
			return err
		}
		var ids []string
		for _, e := range all {
			ids = append(ids, e.ID)
		}
		return usagef("there is no extractor %q; the organisation has: %s", id, strings.Join(ids, ", "))
	case err != nil:
		return err
	case !extractor.IsActive:
		a.log.Warn("the extractor is not active", "extractor", id)
	}
	return nil
}

// submissionServices opens what a batch works with; its journal must be closed.
func (a *app) submissionServices(w *workplace, o submitOptions) (s submission.Services, err error) {
	path := o.journal
	if path == "" {
		if path, err = a.journalPath(w.cfg); err != nil {
			return s, err
		}
	}
	submitter, err := w.accounts[""].openSubmitter()
	if err != nil {
		return s, err
	}
	s = submission.Services{
		Submit: submitter.Submit, Stopping: a.stop.begin, Clock: docextract.Clock{Now: time.Now, Sleep: pause},
		Walk: func(ctx context.Context, q docextract.Query, yield func(docextract.Job) error) error {
			walk := &jobWalk{list: w.client.List, query: q, pageSize: w.cfg.API.PageSize}
			return walk.run(ctx, 0, yield)
		},
	}
	if o.wait {
		s.Wait = func(ctx context.Context, id string) (docextract.Job, error) {
			if o.timeout > 0 {
				why := fmt.Errorf("its job is not final after %v: %w", o.timeout, context.DeadlineExceeded)
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, why)
				defer cancel()
			}
			return w.waiter().wait(ctx, id)
		}
	}
	s.Journal, err = submission.OpenJournal(path, time.Now)
	return s, err
}

// journalPath is where submissions with the configured key are noted.
func (a *app) journalPath(cfg *config.Config) (string, error) {
	dir, has := a.getenv("DOCARCHIVE_CACHE_DIR")
	if !has {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", usagef("there is no home directory for the journal of submissions; name a file that lasts with --journal")
		}
		dir = filepath.Join(base, "docarchive")
	}
	account := sha256.Sum256([]byte(cfg.API.BaseURL + "\n" + cfg.API.Key))
	return filepath.Join(dir, "submissions", hex.EncodeToString(account[:8])+".jsonl"), nil
}
