// Package sinks encodes batches into files: Parquet, CSV, JSON, JSON lines and
// Arrow IPC. A partitioner stands in front of one encoder per open part:
//
//	batch ──▶ partitioner ──▶ part ──▶ encoder ──▶ compressor ──▶ spool (local file, hashed)
//	             rows of one      schema and size
//	             partition        of one file
//
// Finished parts wait in the spool folder; whoever asked for them uploads and
// removes them. Sinks with a protocol of their own, such as databases, stand in
// folders below this one.
//
// # Encodings
//
// Parquet has only what every reader understands: data pages of version 1,
// PLAIN and dictionary encodings, three-level lists, decimals as int32, int64 or
// 16 bytes by their precision, page checksums, and the table's column order.
// The Parquet field ids are those of the dataset's schema. The key-value
// metadata docarchive.dataset and docarchive.columns say what the dataset is and
// where in a job each column came from.
//
// CSV follows RFC 4180: UTF-8, lines end with CR LF, one header line. Null is
// the empty field and the empty text is "". With EscapeFormulas a text that
// begins with = + - @ TAB CR or ' gets one ' in front; to undo it, take one
// leading ' away.
//
// JSON objects hold the columns that are not null, in the table's order.
// Decimals are JSON numbers with all their digits; readers that take numbers
// for doubles round the long ones. Numbers that JSON does not have are the texts
// NaN, Infinity and -Infinity.
//
// In CSV and JSON alike, timestamps are 2026-11-22T10:00:00.000000Z, dates
// 2026-11-22, floats the shortest decimal that reads back as the same float,
// and lists JSON arrays.
package sinks
