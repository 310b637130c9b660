package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

var (
	_ pipeline.DocumentShelf = (*Ledger)(nil)
	_ pipeline.KeptDocuments = (*Ledger)(nil)
)

func documentKey(sum string) string { return documentsDir + sum }

// checkSum refuses what is not the checksum of a document.
func checkSum(sum string) error {
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 32 || hex.EncodeToString(raw) != sum {
		return fmt.Errorf("%q is not the checksum of a document", sum)
	}
	return nil
}

// KeepDocument stores a spooled document under its checksum, once for all jobs
// that have it. A spooled file of another size or checksum is an error. An old
// one is written again, since garbage collection goes by its age: what names it
// must be committed within the commit age.
func (l *Ledger) KeepDocument(ctx context.Context, spool, sum string, size int64) error {
	if err := checkSum(sum); err != nil {
		return err
	}
	key := documentKey(sum)
	part := pipeline.Part{File: pipeline.File{Path: key, SHA256: sum, Size: size}, Spool: spool}
	if err := checkSpool(&part); err != nil {
		return err
	}
	o, err := l.store.Stat(ctx, key)
	switch {
	case err == nil && o.Size == size && l.options.Clock().Sub(o.Modified) < l.options.CommitAge/2:
		return nil
	case err != nil && !errors.Is(err, store.ErrNotExist):
		return err
	}
	return l.store.PutFile(ctx, key, spool)
}

// OpenDocument opens an archived document. Reading it to its end fails with a
// [DamageError] if its bytes are not those that the checksum names.
func (l *Ledger) OpenDocument(ctx context.Context, sum string, size int64) (io.ReadCloser, error) {
	if err := checkSum(sum); err != nil {
		return nil, err
	}
	return l.OpenFile(ctx, pipeline.File{Path: documentKey(sum), SHA256: sum, Size: size})
}

// documents checks the documents that a record's list names.
func (v *verification) documents(ctx context.Context, r *pipeline.Record, f *pipeline.File) error {
	rows := int64(0)
	const some = 256 // looked at together
	var batch []pipeline.KeptDocument
	check := func() error {
		damage := make([]error, len(batch))
		err := v.ledger.each(ctx, len(batch), func(ctx context.Context, i int) error {
			err := v.document(ctx, &batch[i])
			var found *DamageError
			if errors.As(err, &found) {
				damage[i], err = err, nil
			}
			return err
		})
		for i := 0; err == nil && i < len(damage); i++ {
			err = v.found(damage[i], r.Window, r.Seq)
		}
		batch = batch[:0]
		return err
	}
	err := v.ledger.listed(ctx, f, func(d pipeline.KeptDocument) error {
		rows++
		if d.SHA256 == "" {
			return nil
		}
		if batch = append(batch, d); len(batch) < some {
			return nil
		}
		return check()
	})
	if err == nil {
		err = check()
	}
	if err == nil && (rows != f.Rows || rows != r.Rows) {
		err = damaged(f.Path, "it tells the documents of %d jobs, and its record has %d", rows, r.Rows)
	}
	return err
}

// document checks that one document is there, of the right size, and where that
// is asked for of the right bytes.
func (v *verification) document(ctx context.Context, d *pipeline.KeptDocument) error {
	key := documentKey(d.SHA256)
	if err := checkSum(d.SHA256); err != nil {
		return damaged(key, "job %s: %v", d.ID, err)
	}
	if v.deep {
		return v.file(ctx, &pipeline.File{Path: key, SHA256: d.SHA256, Size: d.Size})
	}
	o, err := v.ledger.store.Stat(ctx, key)
	if err != nil {
		gone, err := v.ledger.absent(ctx, err)
		if gone {
			return damaged(key, "the document of job %s is missing", d.ID)
		}
		return err
	}
	if o.Size != d.Size {
		return damaged(key, "the document of job %s has %d bytes instead of %d", d.ID, o.Size, d.Size)
	}
	return nil
}

// listed calls yield with the lines of a record's list of documents, whether it
// is published or only staged.
func (l *Ledger) listed(ctx context.Context, f *pipeline.File, yield func(pipeline.KeptDocument) error) (err error) {
	place := *f
	if done, err := l.inPlace(ctx, f); err != nil {
		return err
	} else if !done {
		place.Path = stagingKey(f)
	}
	body, err := l.OpenFile(ctx, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	return pipeline.ReadDocumentList(body, yield)
}

// removeDocuments removes the documents that are old and that no list names.
func (l *Ledger) removeDocuments(ctx context.Context, g *Garbage, before time.Time) error {
	old := map[[sha256.Size]byte]struct{}{}
	err := l.store.List(ctx, documentsDir, func(o store.Object) error {
		sum, err := hex.DecodeString(strings.TrimPrefix(o.Key, documentsDir))
		if err == nil && len(sum) == sha256.Size && o.Modified.Before(before) {
			old[[sha256.Size]byte(sum)] = struct{}{}
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return err
	}
	// The logs are read after the listing: what was committed since is seen.
	if err := l.records(ctx, func(r *pipeline.Record) error { return l.spareDocuments(ctx, old, r) }); err != nil {
		return err
	}
	for sum := range old {
		removed, err := l.removeAged(ctx, documentKey(hex.EncodeToString(sum[:])), before)
		if err != nil {
			return err
		}
		if removed >= 0 {
			g.Documents++
			g.Bytes += removed
		}
	}
	return nil
}

// spareDocuments takes out of old what a record's lists name.
func (l *Ledger) spareDocuments(ctx context.Context, old map[[sha256.Size]byte]struct{}, r *pipeline.Record) error {
	for i := range r.Files {
		if r.Files[i].Kind != pipeline.KindDocuments {
			continue
		}
		err := l.listed(ctx, &r.Files[i], func(d pipeline.KeptDocument) error {
			if sum, err := hex.DecodeString(d.SHA256); err == nil && len(sum) == sha256.Size {
				delete(old, [sha256.Size]byte(sum))
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", r.Files[i].Path, err)
		}
	}
	return nil
}
