// Package database loads commit records into SQL databases. It holds what they
// have in common; each database is a package of its own that brings an
// [Engine].
//
// A pipeline's jobs stand in one table, each of its child tables beside it. So
// do two tables of the warehouse's own:
//
//   - docarchive_log has a row for each record that is loaded. It is written in
//     the transaction that writes the record's rows, so a record is there
//     exactly if its rows are.
//   - docarchive_columns says which columns were made, under which names. What
//     stands there and is gone from the table was dropped by somebody, and what
//     is in the table and not there is not ours.
//
// # How a record is loaded
//
//	BEGIN
//	INSERT log row        the claim: a second loader waits here, and finds it taken
//	INSERT rows           batch by batch; a row that is refused is set aside
//	UPDATE log row        how many rows, and which were refused
//	COMMIT
//
// If a batch has a column that the table has not, nothing more is written. The
// remaining batches are looked through for further ones, the transaction is
// rolled back, the tables are changed, and the load begins again. So no table
// is ever changed within a load, which MySQL could not undo and for which
// PostgreSQL would lock out every reader until the end.
//
// When the connection breaks nobody knows whether a COMMIT was carried out. The
// load is then repeated as a whole: its claim meets the log row, if there is
// one, and the row's nonce tells whether it is the record's. A server that is
// still busy with the first COMMIT makes the claim wait.
//
// A row that the database refuses (a NUL character in PostgreSQL, an id that is
// longer than a key may be) does not hold up the others. It is found by halving
// the batch, and put down in the log row with its reason. The child rows of a
// job that was refused are kept: they are part of the archive, too, and can be
// told by their job_id.
package database
