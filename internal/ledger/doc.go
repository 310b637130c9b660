// Package ledger keeps the archive's truth in a bucket: an append-only log of
// commit records for every window of every pipeline, the union schemas, and the
// way of files from staging to their final names.
//
// A commit goes through these steps; after a crash at any of them, the next run
// finds out by loading where things stand.
//
//	Load     read 000001.json, 000002.json … until one is absent
//	Stage    upload the parts to names where no reader looks
//	Append   create the next record, unless it exists    ← here it is committed
//	Publish  give the record's files their final names
//
// Files of records may be replaced by others that hold the same jobs, through a
// log of swaps of the same kind, one for each pipeline:
//
//	AppendSwap   create the next swap, unless it exists    ← here they are replaced
//	SettleSwaps  give the new files their final names, then delete the old ones
//
// That the next record can be created only once is all that keeps runs apart.
// Locks, caches and listings may be wrong without harm. Absence is believed only
// after the archive's identity was read with the same store, since some services
// answer "not found" when they mean something else.
package ledger
