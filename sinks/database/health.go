package database

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// Health is what a database says of itself.
type Health struct {
	Server string   // its version
	Notes  []string // what stops no load, and somebody should know
}

// Examiner is an [Engine] whose server can be asked what it is.
type Examiner interface {
	Examine(ctx context.Context, s Session) (Health, error)
}

// Check connects to the database, asks what it is and makes a table with a row,
// as a load would. The table is gone when it returns, unless an account that may
// make tables may not drop them, which the error then says. Its errors are those
// of Load.
func (w *Warehouse) Check(ctx context.Context) (Health, error) {
	var h Health
	err := w.repeat(ctx, func(c *conn) (err error) {
		if examiner, ok := w.engine.(Examiner); ok {
			if h, err = examiner.Examine(ctx, c.session); err != nil {
				return c.fault("ask the server what it is", err)
			}
		}
		return c.rehearse(ctx)
	})
	return h, err
}

// rehearsalTable begins the name of a table that is made and dropped.
const rehearsalTable = "docarchive_check_"

// cleaningTime bounds the removal of that table after the caller has gone.
const cleaningTime = 10 * time.Second

// rehearse makes a table and takes it back.
func (c *conn) rehearse(ctx context.Context) (err error) {
	name := c.name.beside(rehearsalTable + rand.Text()[:8])
	create := c.dialect.statement(`CREATE TABLE %s ("a" `+c.dialect.Text.KeyText+` NOT NULL PRIMARY KEY)`+c.dialect.Text.Options, name)
	insert := c.dialect.statement(`INSERT INTO %s ("a") VALUES ('a')`, name)
	undo := "ROLLBACK"
	if c.dialect.DDLCommits {
		undo = c.dialect.statement("DROP TABLE %s", name)
	} else if err := c.exec(ctx, "begin", c.dialect.Begin); err != nil {
		return err
	}
	if err := c.exec(ctx, "make a table in "+c.place(), create); err != nil {
		return err // and nothing was made: a transaction ends with its connection
	}
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaningTime)
		defer cancel()
		err = errors.Join(err, c.exec(clean, "remove the table "+name.String()+" again, which was made as a trial", undo))
	}()
	return c.exec(ctx, "insert into a table of "+c.place(), insert)
}

// place names where the tables are made.
func (c *conn) place() string {
	if c.name.Schema == "" {
		return "the default schema"
	}
	return "schema " + c.name.Schema
}
