// Package store is the bucket: objects under keys, with exactly the operations
// that the archive's commit protocol needs, and the same promises on a local
// folder, in memory, on S3, on Google Cloud Storage and on Azure.
//
// The promises that the protocol is built on:
//
//   - An object appears whole or not at all, and a write that failed may have
//     happened. [Store.PutIfAbsent] finds out which.
//   - Of several writers that put different bytes under one key with
//     [Store.PutIfAbsent], one wins and the others hear [ErrExists].
//   - [ErrNotExist] is only as good as the service's word: some answer so when
//     a permission is missing. Where absence matters, read an object that must
//     exist with the same store, right after.
//   - A listing is advice, never evidence.
//
// This package is the only one that writes to a bucket, since the drivers differ
// in what they leave behind when a write fails late.
package store
