// Package docextract speaks the DocExtract API: listings, jobs, extractors,
// statistics, credits, submissions, and the documents that jobs point to.
//
// A [Client] only reads, and reading is safe to repeat and is repeated: every
// GET is paced by the rate budget, retried with backoff and bounded in time and
// size. A [Submitter] spends: a submission costs credits and is sent exactly
// once, over a connection of its own. A [Downloader] fetches from other hosts:
// it has no key, and goes nowhere but where documents may be.
//
// The package knows nothing of archives. What it returns keeps the bytes that
// the server sent.
package docextract
