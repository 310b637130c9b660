// Package cache keeps what saves the archiver work and is never the truth:
//
//   - which ids are archived ([pipeline.Seen]), so that the ledger's lists need
//     not be read again;
//   - completed jobs ([Jobs]), so that they need not be fetched again;
//   - leases ([Leaser]), so that two runs do not do the same work at once;
//   - which archive a bucket held ([Identities]), so that an emptied or swapped
//     bucket is noticed;
//   - the request budget of an API key ([RedisBudget]), so that processes which
//     share the key share its allowance.
//
// There are three homes: [Embedded], a file for one process at a time; [Redis],
// for many; [Memory], for one run. Whatever a home forgets, at any time, costs
// requests and nothing else. All homes pass the suite in package cachetest.
//
// # What makes a skip list safe
//
// A set of ids is named by the head record of its window and answers only while
// it holds exactly as many ids as that record says are archived. Ids are only
// ever added to a set after they were committed, so a set of the right size is
// the right set; a set that was evicted, flushed, half written or damaged has
// another size and is "not known". Sizes and members are read in one
// transaction.
//
// # Keys in Redis
//
//	docarchive:ARCHIVE:seen:PIPELINE:WINDOW:HEAD   set of ids; 100 days
//	docarchive:ARCHIVE:lease:PIPELINE              token of the holder
//	docarchive:bucket:HASH                         the archive in a bucket; 400 days
//	docarchive:budget:HASH                         rate windows of an API key; 1 day
//	docarchive:budget:HASH:flight                  requests under way
//	job:ID                                         a completed job as received; 7 days
//
// HASH is the beginning of a SHA-256, so that neither a key nor a URL stands in
// Redis.
package cache
