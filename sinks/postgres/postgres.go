// Package postgres loads commit records into PostgreSQL.
//
// Each batch is copied into a temporary table, in binary, and inserted from
// there: what is wrong with a value shows before the table is touched, and rows
// that exist already are found in one statement. Columns have the types that
// hold the values exactly; lists are arrays.
package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

// connectTimeout bounds a connection attempt, unless the URL does.
const connectTimeout = 15 * time.Second

// Open returns the warehouse in the database that the URL names, such as
// postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full. What the URL
// leaves out comes from the PG* variables, as with psql.
func Open(_ context.Context, location string, o database.Options) (pipeline.Warehouse, error) {
	u, err := database.ParseURL(location)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("open postgres: want a URL postgres://USER:PASSWORD@HOST/DATABASE")
	}
	password, _ := u.User.Password()
	if p := u.Query().Get("password"); p != "" {
		password = p
	}
	config, err := pgx.ParseConfig(location)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", database.Redact(err, password))
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "docarchive"
	}
	if config.ValidateConnect == nil {
		// A standby is as good as no server, and of several hosts the primary is meant.
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	return database.New(&engine{config}, o)
}

// engine is one database of a server.
type engine struct{ config *pgx.ConnConfig }

// Dialect implements [database.Engine].
func (*engine) Dialect() *database.Dialect { return dialect() }

// Connect implements [database.Engine].
func (e *engine) Connect(ctx context.Context) (database.Session, error) {
	c, err := pgx.ConnectConfig(ctx, e.config)
	if err != nil {
		return nil, err
	}
	return &session{conn: c, engine: e, staging: map[*database.Table]string{}}, nil
}

// lostError is an error after which the connection was closed.
type lostError struct{ err error }

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// Classify implements [database.Engine].
func (*engine) Classify(err error) database.Kind {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		if answer.Code == "0A000" && strings.Contains(answer.Message, "cached plan") {
			return database.Again // it is from before a table was changed
		}
		return classifyState(answer.Code)
	}
	var (
		certificate *tls.CertificateVerificationError
		host        x509.HostnameError
		authority   x509.UnknownAuthorityError
	)
	if errors.As(err, &certificate) || errors.As(err, &host) || errors.As(err, &authority) {
		return database.Broken
	}
	var (
		lost    *lostError
		refused *pgconn.ConnectError
	)
	if errors.As(err, &lost) || errors.As(err, &refused) {
		return database.Away
	}
	return database.Broken
}

// classifyState tells the kind of an SQLSTATE.
func classifyState(code string) database.Kind {
	switch code {
	case "23505": // unique_violation
		return database.Exists
	case "23502", // not_null_violation: by a column of somebody else, ours hold nulls
		"42703", "42P01", "42804": // undefined_column, undefined_table, datatype_mismatch
		return database.Drifted
	case "40001", "40P01", "55P03", // serialization_failure, deadlock_detected, lock_not_available
		"57014", "25P03", // query_canceled by a timeout of the server's, idle_in_transaction_session_timeout
		"42P07", "42701": // duplicate_table, duplicate_column: another process was first
		return database.Again
	case "25006", "57P01", "57P02", "57P03", "57P05": // read_only_sql_transaction after a failover; shutdown, start
		return database.Away
	case "54011": // too_many_columns
		return database.Limited
	case "54000": // program_limit_exceeded: a row or a key too large for a page
		return database.BadRow
	}
	switch code[:min(2, len(code))] {
	case "22", "23": // data exception, integrity constraint violation
		return database.BadRow
	case "08", "53": // connection exception, insufficient resources
		return database.Away
	}
	return database.Broken
}

// session is one connection.
type session struct {
	conn    *pgx.Conn
	engine  *engine
	staging map[*database.Table]string // temporary tables of the transaction
}

// lost marks an error that cost the connection.
func (s *session) lost(err error) error {
	if err != nil && s.conn.IsClosed() {
		return &lostError{err}
	}
	return err
}

// Exec implements [database.Session].
func (s *session) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	tag, err := s.conn.Exec(ctx, statement, args...)
	switch {
	case err != nil:
		return 0, s.lost(err)
	case tag.String() == "BEGIN":
		clear(s.staging)
	case tag.String() == "ROLLBACK" && strings.HasPrefix(statement, "COMMIT"):
		return 0, errors.New("the server rolled the transaction back instead of committing it")
	}
	return tag.RowsAffected(), nil
}

// Query implements [database.Session].
func (s *session) Query(ctx context.Context, each func(scan func(dest ...any) error) error, statement string, args ...any) error {
	rows, err := s.conn.Query(ctx, statement, args...)
	if err != nil {
		return s.lost(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return s.lost(rows.Err())
}

// Close implements [database.Session]. A server that hangs is not waited for.
func (s *session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.conn.Close(ctx)
}
