package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gocloud.dev/blob"
)

// Buffers of one upload. A driver holds a few of these at once.
const (
	uploadBuffer      = 8 << 20
	uploadConcurrency = 2
)

// cloud is a bucket that a driver of gocloud.dev speaks to.
type cloud struct {
	bucket       *blob.Bucket
	name, prefix string // of the service's bucket, and below which part of it bucket lies
}

func (c *cloud) Read(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := c.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, c.classify(err)
	}
	return &cloudReader{r, c}, nil
}

// cloudReader classifies what goes wrong in the middle. That is temporary
// unless the service says otherwise, for it has begun to answer.
type cloudReader struct {
	*blob.Reader
	cloud *cloud
}

func (r *cloudReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		if err = r.cloud.classify(err); !Denied(err) && !errors.Is(err, context.Canceled) && !Temporary(err) {
			err = fmt.Errorf("%w: %w", ErrTemporary, err)
		}
	}
	return n, err
}

func (c *cloud) Stat(ctx context.Context, key string) (Object, error) {
	a, err := c.bucket.Attributes(ctx, key)
	if err != nil {
		return Object{}, c.classify(err)
	}
	return Object{Key: key, Size: a.Size, Modified: a.ModTime}, nil
}

func (c *cloud) Create(ctx context.Context, key string, data []byte) error {
	return c.upload(ctx, key, bytesContent(data), &blob.WriterOptions{
		IfNotExist: true, MaxConcurrency: 1, BufferSize: max(uploadBuffer, len(data)+1),
	})
}

func (c *cloud) Put(ctx context.Context, key string, content Content) error {
	return c.upload(ctx, key, content, &blob.WriterOptions{
		MaxConcurrency: uploadConcurrency, BufferSize: uploadBuffer,
	})
}

// upload is the only way in which anything is written to a bucket. A driver's
// writer commits what it got even after an error, unless its context is
// cancelled first: the source does that before it reports one. Only the
// bucket's Upload is safe with all drivers when a write fails late.
func (c *cloud) upload(ctx context.Context, key string, content Content, o *blob.WriterOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, err := content.Open()
	if err != nil {
		return classified(ErrLocal, err)
	}
	defer in.Close()
	source := &exactSource{in: in, left: content.Size, abort: cancel}
	o.ContentType = "application/octet-stream"
	err = c.bucket.Upload(ctx, key, source, o)
	if source.err != nil {
		return classified(ErrLocal, source.err)
	}
	return c.classify(err)
}

// exactSource reads as many bytes as were announced. If there are fewer or more
// or reading fails, it aborts the upload before anybody learns of it.
type exactSource struct {
	in    io.Reader
	left  int64
	abort context.CancelFunc
	err   error // what went wrong with the source
}

func (s *exactSource) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	s.left -= int64(n)
	switch {
	case s.left < 0:
		err = errChanged
	case err == io.EOF && s.left > 0:
		err = io.ErrUnexpectedEOF
	case err == nil || err == io.EOF:
		return n, err
	}
	s.err = err
	s.abort()
	return n, err
}

// Copy guards against the driver for Azure, which panics if it cannot ask how a
// long copy stands.
func (c *cloud) Copy(ctx context.Context, from, to string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the driver failed while it waited for the copy: %v", ErrTemporary, p)
		}
	}()
	return c.classify(c.bucket.Copy(ctx, to, from, nil))
}

func (c *cloud) Delete(ctx context.Context, key string) error {
	err := c.classify(c.bucket.Delete(ctx, key))
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	return err
}

func (c *cloud) List(ctx context.Context, prefix string, fn func(Object) error) error {
	objects := c.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := objects.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return c.classify(err)
		}
		if o.IsDir {
			continue
		}
		if err := fn(Object{Key: o.Key, Size: o.Size, Modified: o.ModTime}); err != nil {
			return err
		}
	}
}

// Sweep has nothing to do: a write that crashed left no object.
func (c *cloud) Sweep(context.Context, time.Time) (int, error) { return 0, nil }

func (c *cloud) Close() error { return c.bucket.Close() }
