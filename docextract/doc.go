// Package docextract speaks the DocExtract API: listings, jobs, extractors,
// statistics, credits and submissions.
//
// Reading is safe to repeat and is repeated: every GET is paced by the rate
// budget, retried with backoff and bounded in time and size. A submission costs
// credits and is sent exactly once, over a connection of its own.
//
// The package knows nothing of archives. What it returns keeps the bytes that
// the server sent.
package docextract
