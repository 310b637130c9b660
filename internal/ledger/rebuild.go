package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// rebuildsDir holds the progress of rebuilds: a folder for each pipeline, in it
// one for each fingerprint, in it a file for each window.
const rebuildsDir = controlDir + "rebuilds/"

// maxProgress bounds the bytes of one window's progress.
const maxProgress = 64 << 20

var _ pipeline.RebuildLog = (*Ledger)(nil)

func rebuildDir(pipelineName, fingerprint string) (string, error) {
	if err := checkName("pipeline", pipelineName); err != nil {
		return "", err
	}
	if err := checkName("fingerprint", fingerprint); err != nil {
		return "", err
	}
	return rebuildsDir + pipelineName + "/" + fingerprint + "/", nil
}

// Progress implements [pipeline.RebuildLog].
func (l *Ledger) Progress(ctx context.Context, pipelineName, fingerprint string) (map[string]*pipeline.Rebuilt, error) {
	keys, err := l.progressKeys(ctx, pipelineName, fingerprint)
	if err != nil {
		return nil, err
	}
	progress := map[string]*pipeline.Rebuilt{}
	for _, key := range keys {
		r := new(pipeline.Rebuilt)
		found, err := l.read(ctx, key, maxProgress, pipeline.RebuiltVersion, r)
		if err != nil && !as[*DamageError](err) && !as[*VersionError](err) {
			return nil, err
		}
		if err == nil && found != "" && checkProgress(pipelineName, key, r) == nil {
			progress[r.Window] = r
		}
	}
	return progress, nil
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func (l *Ledger) progressKeys(ctx context.Context, pipelineName, fingerprint string) (keys []string, err error) {
	dir, err := rebuildDir(pipelineName, fingerprint)
	if err != nil {
		return nil, err
	}
	err = l.store.List(ctx, dir, func(o store.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	return keys, err
}

// checkProgress refuses progress that is not its key's.
func checkProgress(pipelineName, key string, r *pipeline.Rebuilt) error {
	if !strings.HasSuffix(key, "/"+r.Window+jsonSuffix) {
		return fmt.Errorf("it calls itself the progress with window %q", r.Window)
	}
	for i := range r.Records {
		for j := range r.Records[i].Files {
			if err := checkFile(pipelineName, &r.Records[i].Files[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

// KeepProgress implements [pipeline.RebuildLog]. It fills in r's version.
func (l *Ledger) KeepProgress(ctx context.Context, pipelineName, fingerprint string, r *pipeline.Rebuilt) error {
	dir, err := rebuildDir(pipelineName, fingerprint)
	if err != nil {
		return err
	}
	if err := checkName("window", r.Window); err != nil {
		return err
	}
	r.Version = pipeline.RebuiltVersion
	data, err := encode(r)
	if err != nil {
		return err
	}
	return l.store.Put(ctx, dir+r.Window+jsonSuffix, data)
}

// DropProgress implements [pipeline.RebuildLog].
func (l *Ledger) DropProgress(ctx context.Context, pipelineName, fingerprint string) error {
	keys, err := l.progressKeys(ctx, pipelineName, fingerprint)
	if err != nil {
		return err
	}
	return l.each(ctx, len(keys), func(ctx context.Context, i int) error { return l.store.Delete(ctx, keys[i]) })
}

// Adopt implements [pipeline.RebuildLog]. A file that this process staged not
// long ago costs nothing, a young one a look. An old one is copied, through the
// spool: garbage collection goes by its age.
func (l *Ledger) Adopt(ctx context.Context, f pipeline.File, spool string) (bool, error) {
	if err := checkFile("", &f); err != nil {
		return false, err
	}
	key, now := stagingKey(&f), l.options.Clock()
	if since, staged := l.stagedSince(key); staged && now.Sub(since) < l.options.CommitAge/2 {
		return true, nil
	}
	o, err := l.store.Stat(ctx, key)
	if err != nil {
		_, err := l.absent(ctx, err)
		return false, err
	}
	if o.Size != f.Size {
		return false, nil
	}
	if now.Sub(o.Modified) < l.options.CommitAge/2 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.staged[key] = earlier(now, o.Modified)
		return true, nil
	}
	return l.renew(ctx, f, spool)
}

func (l *Ledger) stagedSince(key string) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	since, staged := l.staged[key]
	return since, staged
}

// renew stages a staged file again. It reports whether the file was still there
// and whole.
func (l *Ledger) renew(ctx context.Context, f pipeline.File, spool string) (whole bool, err error) {
	local, err := os.CreateTemp(spool, "renew-*")
	if err != nil {
		return false, fmt.Errorf("%w: %w", store.ErrLocal, err)
	}
	defer func() { err = errors.Join(err, os.Remove(local.Name())) }()
	err = l.fetch(ctx, f, local)
	if closed := local.Close(); err == nil && closed != nil {
		err = fmt.Errorf("%w: %w", store.ErrLocal, closed)
	}
	switch {
	case as[*DamageError](err):
		return false, nil
	case err != nil:
		_, err := l.absent(ctx, err)
		return false, err
	}
	if err := l.Stage(ctx, pipeline.Part{File: f, Spool: local.Name()}); err != nil {
		return false, err
	}
	return true, nil
}

// fetch copies a staged file, and checks it on the way.
func (l *Ledger) fetch(ctx context.Context, f pipeline.File, to io.Writer) (err error) {
	staged := f
	staged.Path = stagingKey(&f)
	in, err := l.OpenFile(ctx, staged)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if _, err = io.Copy(to, in); err != nil {
		return fmt.Errorf("copy %s: %w", staged.Path, err)
	}
	return nil
}
