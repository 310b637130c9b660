package store

import (
	"bytes"
	"context"
	"io"
	"time"
)

// Object is what a storage says about one object.
type Object struct {
	Key      string
	Size     int64     // in bytes
	Modified time.Time // by the storage's clock
}

// Content is what an upload sends. It may be opened several times.
type Content struct {
	Size int64 // in bytes; an upload of fewer or more is not made visible
	Open func() (io.ReadCloser, error)
}

func bytesContent(data []byte) Content {
	return Content{
		Size: int64(len(data)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

// Backend is one kind of storage. Each call is one attempt, without retries.
// Keys have been checked. Errors are of the kinds named in this package, and
// any failed write may have taken place. Methods may be called at once.
//
// [Store] is built on one, and tests put a faulty one in between.
type Backend interface {
	// Read opens an object.
	Read(ctx context.Context, key string) (io.ReadCloser, error)
	Stat(ctx context.Context, key string) (Object, error)
	// Create writes an object that must not exist yet, in one request.
	Create(ctx context.Context, key string, data []byte) error
	// Put writes an object, in place of another if there is one.
	Put(ctx context.Context, key string, c Content) error
	// Copy gives the object at from a second name, in place of another object
	// if its size differs.
	Copy(ctx context.Context, from, to string) error
	// Delete removes an object; one that does not exist is no error.
	Delete(ctx context.Context, key string) error
	// List calls fn for every object whose key begins with prefix, in no
	// particular order.
	List(ctx context.Context, prefix string, fn func(Object) error) error
	// Sweep removes what writes that crashed before the given time left behind,
	// and returns how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
	Close() error
}
