package databasetest

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// DoubleQuoted quotes an identifier as the SQL standard says.
func DoubleQuoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// QuerySQL is a [Database.Query] over database/sql.
func QuerySQL(ctx context.Context, db *sql.DB, statement string) (all [][]any, err error) {
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row := make([]any, len(columns))
		dest := make([]any, len(columns))
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
