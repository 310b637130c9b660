// Package submission submits documents in batches such that none is paid for
// twice, whatever dies in between.
//
//	items ──▶ inspect ──▶ journal: intent ──▶ POST ──▶ journal: result
//	          size, type,   on the disk        once     done, void or doubt
//	          SHA-256       before it
//
// The API knows no idempotency. So an intent is on the disk before its POST
// leaves, and an intent without a result is a doubt: it may have made a job. A
// doubt is looked for in the listing, by the metadata that every submission
// carries. If it is found it is done; if not it is held and reported, since a
// listing that lacks it proves nothing. A document that is done or in doubt is
// not submitted again unless that is asked for in so many words.
package submission
