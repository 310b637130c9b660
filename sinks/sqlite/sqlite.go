// Package sqlite loads commit records into an SQLite file: the warehouse that
// needs no server.
//
// Decimals, dates, times and lists are text: SQLite has no types that hold them
// exactly. Times are RFC 3339 in UTC with microseconds, so they sort.
//
// The file's journal mode is left as it is. The default, a rollback journal,
// also holds on network disks, where the write-ahead log does not; a file that
// somebody switched to WAL stays so. Every commit is on disk when it returns.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

const scheme = "sqlite://"

// patience is how long a lock of another process is waited for, at each try.
const patience = 10 * time.Second

// Open returns the warehouse in the file that the URL names:
// sqlite://./archive/warehouse.db below the working folder, or
// sqlite:///data/warehouse.db. The file and its folder are made when they are
// first needed.
func Open(_ context.Context, location string, o database.Options) (pipeline.Warehouse, error) {
	path, err := parse(location)
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	return database.New(&engine{path, patience}, o)
}

func parse(location string) (string, error) {
	path, ok := strings.CutPrefix(location, scheme)
	if !ok {
		return "", fmt.Errorf("URL %q: want sqlite://./FILE or sqlite:///FOLDER/FILE", location)
	}
	if strings.ContainsAny(path, "?#") {
		return "", fmt.Errorf("URL %q: no options are known; write ? and # in a file's name as %%3F and %%23", location)
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		return "", fmt.Errorf("URL %q: %w", location, err)
	}
	if path == "" || strings.HasSuffix(path, "/") || path == ":memory:" {
		return "", fmt.Errorf("URL %q names no file", location)
	}
	return filepath.FromSlash(path), nil
}

// engine is one database file.
type engine struct {
	path     string
	patience time.Duration
}

// Dialect implements [database.Engine].
func (*engine) Dialect() *database.Dialect { return dialect() }

// Connect implements [database.Engine].
func (e *engine) Connect(ctx context.Context) (database.Session, error) {
	if err := os.MkdirAll(filepath.Dir(e.path), 0o755); err != nil {
		return nil, err
	}
	path := (&url.URL{Path: filepath.ToSlash(e.path)}).EscapedPath()
	pool, err := sql.Open("sqlite", fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)&_pragma=synchronous(FULL)", path, e.patience.Milliseconds()))
	if err != nil {
		return nil, err
	}
	s, err := database.ConnectSQL(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.path, err)
	}
	return &session{SQL: s, engine: e}, nil
}

// Classify implements [database.Engine]. A disk that is full or broken is no
// matter of waiting for the database.
func (*engine) Classify(err error) database.Kind {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return database.Broken
	}
	switch failure.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return database.Exists
	case sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		return database.Drifted // by a column of somebody else: ours hold nulls
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return database.Again
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
		return database.BadRow
	case sqlite3.SQLITE_ERROR:
		return classifyMessage(failure.Error())
	}
	return database.Broken
}

// classifyMessage tells apart what SQLite has one code for.
func classifyMessage(message string) database.Kind {
	switch {
	case strings.Contains(message, "no such "), strings.Contains(message, "has no column"):
		return database.Drifted
	case strings.Contains(message, "too many "):
		return database.Limited
	}
	return database.Broken
}

// session is one connection to the file.
type session struct {
	*database.SQL
	engine *engine
	insert struct {
		table *database.Table
		stmt  *sql.Stmt
		args  []any
	}
}

// Exec implements [database.Session].
func (s *session) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	n, err := s.SQL.Exec(ctx, statement, args...)
	return n, s.disk(err)
}

// disk marks errors of the disk with the system's own.
func (s *session) disk(err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%s: %w (%w)", s.engine.path, err, syscall.ENOSPC)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%s: %w (%w)", s.engine.path, err, syscall.EIO)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%s: %w (%w)", s.engine.path, err, syscall.EROFS)
	}
	return err
}

// Close implements [database.Session]. The statement goes first: as long as it
// lives, so does the connection, with its locks.
func (s *session) Close() error {
	var err error
	if s.insert.stmt != nil {
		err = s.insert.stmt.Close()
	}
	return errors.Join(err, s.SQL.Close())
}
