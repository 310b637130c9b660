package database

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Options say what a warehouse is for.
type Options struct {
	Table     string // of the jobs, may be SCHEMA.NAME; empty: the pipeline's name
	Pipeline  string
	ArchiveID string           // loads of other archives are not seen
	Log       *slog.Logger     // nil: nothing is logged
	Tries     uint             // of a load when the database is away or busy, with growing pauses; 0: 8
	Now       func() time.Time // nil: the system clock
}

func (o Options) withDefaults() Options {
	if o.Table == "" {
		o.Table = o.Pipeline
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Tries == 0 {
		o.Tries = 8
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// MaxNameBytes is the length that names are kept to: PostgreSQL cuts longer
// ones.
const MaxNameBytes = 63

// Name is the name of a table.
type Name struct {
	Schema string // empty: the connection's default
	Table  string
}

// String returns the name as it stands in the configuration.
func (n Name) String() string {
	if n.Schema == "" {
		return n.Table
	}
	return n.Schema + "." + n.Table
}

// beside returns the name of another table of the same schema.
func (n Name) beside(table string) Name { return Name{n.Schema, table} }

// parseName reads NAME or SCHEMA.NAME.
func parseName(text string) (Name, error) {
	var n Name
	parts := strings.Split(text, ".")
	switch len(parts) {
	case 1:
		n.Table = parts[0]
	case 2:
		n.Schema, n.Table = parts[0], parts[1]
	default:
		return Name{}, fmt.Errorf("table %q: want NAME or SCHEMA.NAME", text)
	}
	for _, part := range parts {
		switch {
		case part == "" || strings.ContainsRune(part, 0):
			return Name{}, fmt.Errorf("table %q: want NAME or SCHEMA.NAME", text)
		case len(part) > MaxNameBytes:
			return Name{}, fmt.Errorf("table %q: a name has at most %d bytes", text, MaxNameBytes)
		}
	}
	return n, nil
}

// ParseURL parses a database's URL. Its errors do not show the URL, which may
// hold a password.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the database URL cannot be read: write characters such as @ : / # % in its user and password as %40 %3A %2F %23 %25")
	}
	return u, nil
}

// Redact returns err with every occurrence of the secret masked. What err wraps
// is lost.
func Redact(err error, secret string) error {
	if err == nil || secret == "" {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), secret, "xxxxx"))
}
