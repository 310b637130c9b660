// Package pipeline is the archive's own work: it proves that a window was read
// completely, drops what is archived already, flattens jobs into a union schema
// that only grows, and hands Arrow batches to sinks whose parts are committed
// together by one record of the ledger.
//
//	         requests            pages            records           batches            parts
//	DocExtract ──────▶ docextract ─────▶ pipeline ─────▶ pipeline ────────▶ sinks ──────────▶ storage
//	  API      rate     client   window   dedupe         flatten   Arrow    encode   staged,
//	           budget            proof                   schema   records            then committed
//	                               │                        │                          │
//	                               └──────────────▶ ledger ◀┴──────────────────────────┘
//	                                   window proven · schema grew · parts committed
//
// # Words
//
//   - A job is one remote extraction; a document is what was submitted; an
//     extractor holds the definitions of the fields to extract.
//   - A pipeline is one entry of jobs.yaml, a run one execution of it.
//   - A window is a half-open slice of created_at, the unit that is committed.
//   - A page is one listing answer; a record one flattened job; a batch an Arrow
//     record of bounded size.
//   - A dataset is a table with a versioned union schema; a sink is where it
//     goes; a part is one published file or transaction.
//   - A commit record is a run's immutable statement about one window; the
//     ledger is all of those, and the only truth.
//   - Quarantine holds, verbatim, what could not be read as a job.
//   - To retry is to send the same GET again, which is free; to resubmit is to
//     create a new job, which is paid.
//
// # Directions
//
// The package imports docextract and no adapter. Sinks, caches and the ledger
// implement the interfaces that stand in contracts.go, each named for what the
// consumer needs of it.
package pipeline
