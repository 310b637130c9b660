package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/adteco/docarchive/internal/failpoint"
)

func (f *folder) Create(ctx context.Context, key string, data []byte) error {
	return f.write(ctx, key, bytesContent(data), func(root *os.Root, temp string) error {
		err := root.Link(temp, key)
		if refusesLinks(err) {
			return fmt.Errorf("%w: the file system has no hard links: %w", ErrNoConditionalWrites, err)
		}
		return fileError(err)
	})
}

func (f *folder) Put(ctx context.Context, key string, c Content) error {
	return f.write(ctx, key, c, func(root *os.Root, temp string) error {
		return fileError(root.Rename(temp, key))
	})
}

// write spools content beside its key, lets place give it its name, and makes
// the name durable. If place loses to another writer, it is that writer's name
// which is made durable, so that whoever reads it may rely on it.
func (f *folder) write(ctx context.Context, key string, c Content, place func(root *os.Root, temp string) error) error {
	root, err := f.begin(ctx, true)
	if err != nil {
		return err
	}
	dir := path.Dir(key)
	if err := f.makeDir(root, dir); err != nil {
		return err
	}
	temp := path.Join(dir, tempPrefix+rand.Text()+tempSuffix)
	err = spool(ctx, root, temp, c)
	if err == nil {
		err = place(root, temp)
	}
	if err == nil {
		err = failpoint.Hit(failpoint.FileNamed)
	}
	if removeErr := root.Remove(temp); err == nil && removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
		err = fileError(removeErr)
	}
	if err == nil || errors.Is(err, ErrExists) {
		if syncErr := syncDir(root, dir); syncErr != nil {
			return syncErr
		}
	}
	if err == nil {
		err = failpoint.Hit(failpoint.FileDurable)
	}
	return err
}

// spool writes content to a new file and through to the disk.
func spool(ctx context.Context, root *os.Root, name string, c Content) (err error) {
	in, err := c.Open()
	if err != nil {
		return classified(ErrLocal, err)
	}
	defer in.Close()
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fileError(err)
	}
	defer func() {
		if closeErr := out.Close(); err == nil && closeErr != nil {
			err = classified(ErrLocal, closeErr)
		}
	}()
	if err := failpoint.Hit(failpoint.FileBegun); err != nil {
		return err
	}
	if err := copyExactly(ctx, out, in, c.Size); err != nil {
		return err
	}
	if err := failpoint.Hit(failpoint.FileWritten); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return classified(ErrLocal, err)
	}
	return failpoint.Hit(failpoint.FileSynced)
}

// copyExactly copies size bytes and the end of the source. It goes in slices
// that the kernel may copy by itself, and looks at the context in between.
func copyExactly(ctx context.Context, out io.Writer, in io.Reader, size int64) error {
	const slice = 64 << 20
	for left := size; left > 0; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := io.CopyN(out, in, min(left, slice))
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return classified(ErrLocal, err)
		}
		left -= n
	}
	if n, err := in.Read(make([]byte, 1)); n > 0 || err != io.EOF && err != nil {
		return classified(ErrLocal, fmt.Errorf("the source has more than %d bytes: %w", size, errors.Join(errChanged, err)))
	}
	return nil
}

var errChanged = errors.New("it changed while it was read")

// Copy is a hard link.
func (f *folder) Copy(ctx context.Context, from, to string) error {
	root, err := f.begin(ctx, false)
	if err != nil {
		return err
	}
	source, err := root.Stat(from)
	if err != nil {
		return fileError(err)
	}
	dir := path.Dir(to)
	if err := f.makeDir(root, dir); err != nil {
		return err
	}
	err = root.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		err = replaceUnless(root, from, to, source.Size())
	}
	if err != nil {
		return fileError(err)
	}
	if err := failpoint.Hit(failpoint.CopyNamed); err != nil {
		return err
	}
	return syncDir(root, dir)
}

// replaceUnless puts a second name of from in place of to, unless to has the
// size already.
func replaceUnless(root *os.Root, from, to string, size int64) error {
	if there, err := root.Stat(to); err == nil && there.Mode().IsRegular() && there.Size() == size {
		return nil
	}
	temp := path.Join(path.Dir(to), tempPrefix+rand.Text()+tempSuffix)
	if err := root.Link(from, temp); err != nil {
		return err
	}
	if err := root.Rename(temp, to); err != nil {
		return errors.Join(err, root.Remove(temp))
	}
	return nil
}

// makeDir makes a directory and its parents, and their names durable. A
// directory that another process made may not be on disk yet, so that each is
// written through once by each process.
func (f *folder) makeDir(root *os.Root, dir string) error {
	if dir == "." {
		return nil
	}
	f.mu.Lock()
	_, done := f.durable[dir]
	f.mu.Unlock()
	if done {
		if _, err := root.Stat(dir); err == nil {
			return nil
		}
	}
	parent := path.Dir(dir)
	if err := f.makeDir(root, parent); err != nil {
		return err
	}
	if err := root.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return fileError(err)
	}
	if err := syncDir(root, parent); err != nil {
		return err
	}
	f.mu.Lock()
	f.durable[dir] = struct{}{}
	f.mu.Unlock()
	return nil
}

func syncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return fileError(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return classified(ErrLocal, err)
	}
	return nil
}
