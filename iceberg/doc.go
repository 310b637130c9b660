// Package iceberg registers the committed Parquet files of an archive in Apache
// Iceberg tables, one table for each dataset. The files stay where they are:
// the table refers to them, and neither copies nor deletes them.
//
// The truth is which files the archive holds and which ones the table's current
// snapshot refers to; a sync brings the second to the first. So it may be
// stopped, repeated, and run twice at once: every commit is bound to the
// snapshot that it was computed from, and is computed anew if another came
// first. What a snapshot's properties say (which commit record or swap it
// stands for) is for people, and for noticing that another program has changed
// the table.
package iceberg
