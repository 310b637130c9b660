package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/pipeline"
)

// idsSlice is how many ids are handed over at once.
const idsSlice = 4096

// ArchivedIDs calls yield with the ids that the history's records archived, in
// slices of at most 4096 that yield must not keep. What is yielded may be used
// only if ArchivedIDs then returns nil: the checksum of a file of ids is known
// at its end.
func (l *Ledger) ArchivedIDs(ctx context.Context, h *pipeline.History, yield func(ids []string) error) error {
	if h.Head == nil {
		return nil
	}
	reached := errors.New("the history's head is reached")
	hash := ""
	err := l.walk(ctx, h.Pipeline, h.Window.Name(), func(r *pipeline.Record, sum string) error {
		if err := l.recordIDs(ctx, r, yield); err != nil {
			return err
		}
		if hash = sum; r.Seq == h.Head.Seq {
			return reached
		}
		return nil
	})
	switch {
	case err != nil && err != reached:
		return err
	case err == nil || hash != h.HeadHash:
		return damaged(recordKey(h.Pipeline, h.Window.Name(), h.Head.Seq), "it is not the record that was read before")
	}
	return nil
}

// recordIDs yields the ids of one record.
func (l *Ledger) recordIDs(ctx context.Context, r *pipeline.Record, yield func(ids []string) error) error {
	if r.IDsFile != "" {
		return l.readIDs(ctx, r, yield)
	}
	for ids := r.IDs; len(ids) > 0; {
		n := min(len(ids), idsSlice)
		if err := yield(ids[:n:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// readIDs streams the file of ids that a record names.
func (l *Ledger) readIDs(ctx context.Context, r *pipeline.Record, yield func(ids []string) error) error {
	key := idsKey(r.IDsFile)
	body, err := l.store.Open(ctx, key)
	if err != nil {
		if gone, err := l.absent(ctx, err); err != nil {
			return err
		} else if gone {
			return damaged(key, "it is missing, and %s names it", recordKey(r.Pipeline, r.Window, r.Seq))
		}
	}
	defer body.Close()
	sum := sha256.New()
	source := &source{r: io.TeeReader(body, sum)}
	n, err := decodeIDs(source, yield)
	if err == nil {
		_, err = io.Copy(io.Discard, source) // what follows the list, so that all is hashed
	}
	var bad *badIDs
	switch {
	case source.err != nil:
		return fmt.Errorf("read %s: %w", key, source.err)
	case errors.As(err, &bad):
		return damaged(key, "%v", bad.err)
	case err != nil:
		return err // yield's
	case hex.EncodeToString(sum.Sum(nil)) != r.IDsFile:
		return damaged(key, "its checksum is not its name")
	case n != r.Rows:
		return damaged(key, "it has %d ids for %d rows", n, r.Rows)
	}
	return nil
}

// source remembers what reading itself failed with, to tell it from damage.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// badIDs is a defect of a file of ids.
type badIDs struct{ err error }

func (b *badIDs) Error() string { return b.err.Error() }

func decodeIDs(r io.Reader, yield func(ids []string) error) (n int64, err error) {
	const window = 64 << 20 // bytes of memory that a file may ask for
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(window))
	if err != nil {
		return 0, &badIDs{err}
	}
	defer z.Close()
	d := json.NewDecoder(z)
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return 0, &badIDs{errors.Join(errors.New("it is not a list"), err)}
	}
	last, slice := "", make([]string, 0, idsSlice)
	for d.More() {
		var id string
		if err := d.Decode(&id); err != nil {
			return n, &badIDs{err}
		}
		if id <= last {
			return n, &badIDs{errors.New("its ids are not in order")}
		}
		last = id
		n++
		if slice = append(slice, id); len(slice) == idsSlice {
			if err := yield(slice); err != nil {
				return n, err
			}
			slice = slice[:0]
		}
	}
	if _, err := d.Token(); err != nil {
		return n, &badIDs{err}
	}
	if len(slice) > 0 {
		err = yield(slice)
	}
	return n, err
}
