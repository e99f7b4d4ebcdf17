// Package store keeps the bridge's durable memory in one bbolt file. It implements [core.Store].
//
// # Guarantees
//
//   - A nil error from a method that writes means that the data has been synced to disk.
//   - What one method writes is one transaction: after a crash all of it is there or none.
//   - An error means that nothing was written, and that other callers' writes were not touched by it.
//   - A damaged value is an error that names where it stands, never a panic and never a zero value taken for real.
//   - Memory is bounded: the queue of writers holds a fixed number of operations, more of them wait for a place, and
//     that wait ends with their context. [Store.Sweep] works in small steps between other writers.
//
// # Commits
//
// One goroutine, the writer, makes every commit. It takes an operation and all those that queued up meanwhile, up to a
// bound, and commits them together: a lone write waits for one commit and nothing else, and a hundred at once share a
// few. bbolt's own Batch does the second but delays the first, and Update does the first but queues the hundred one
// after the other; that is why the grouping is written here. An operation that fails after it had begun to write is
// taken out and the rest of the group is done again without it. A group in which nothing was changed is not committed.
//
// # Concurrency
//
// All methods may be called from many goroutines. [Open] starts the writer and [Store.Close] waits for it. Reads see the
// last commit and never wait for the writer.
//
// # Layout
//
// Each bucket maps a key to a JSON value {"v": version, "d": data}. Keys are made of length-prefixed parts, so that any
// byte may stand in a part. The buckets and their keys are listed in schema.go. The schema's version stands in the file:
// an older file is migrated when it is opened, a newer one is refused.
//
// # Non-goals
//
// Several processes cannot share the file: the second is refused. Nothing here knows a platform or calls ClickAI.
package store
