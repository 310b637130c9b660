package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
)

// maxSize is the largest configuration file in bytes.
const maxSize = 1 << 20

// Options are the ways out of the file. The zero value uses the process's own
// environment and file system.
type Options struct {
	// LookupEnv finds the value of a variable for ${NAME}; nil: [os.LookupEnv].
	LookupEnv func(name string) (value string, ok bool)
	// ReadFile returns the content for ${file:PATH}; nil: regular files only, and
	// no more of them than a reference may hold.
	ReadFile func(path string) ([]byte, error)
	// KeyOptional leaves api.key empty where the variable or file that it is
	// taken from is missing, for work that makes no request.
	KeyOptional bool
}

func (o Options) withDefaults() Options {
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	if o.ReadFile == nil {
		o.ReadFile = readRegular
	}
	return o
}

// Load reads the configuration file at path. The error is a *[Problems] where
// the file has mistakes, and wraps an *[os.PathError] where it cannot be read.
func Load(path string, o Options) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return Parse(path, data, o)
}

// Parse reads a configuration from data; name stands for it in problems. The
// error is a *[Problems].
func Parse(name string, data []byte, o Options) (*Config, error) {
	r := &report{file: name}
	root := readYAML(data, r)
	if root == nil {
		return nil, r.err()
	}
	cfg := &Config{File: name}
	d := newDecoder(r, o.withDefaults())
	d.structure("", "the file", root, reflect.ValueOf(cfg).Elem())
	check(cfg, d)
	if err := r.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// readRegular reads a file that must be a regular one: a pipe or a device could
// keep the program waiting for ever. It returns at most one byte more than a
// reference may hold.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileValue+1))
	return data, errors.Join(err, f.Close())
}
