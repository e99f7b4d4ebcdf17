// Package agent makes a ClickAI app into a [core.App]: it knows what ClickAI's events and failures mean.
//
// Package clickai speaks the wire format; this package turns the events of each mode (chat, agent-chat, completion,
// workflow, in either response mode) into one sequence of deltas, decides which failures are tried again and what a person
// is told, and looks questions up in the history so that nothing is asked twice.
//
// # Guarantees
//
//   - A question is not asked again once ClickAI has begun to answer it. Before any other repetition that ClickAI may know
//     of, the history is looked at, until it has really answered.
//   - Whatever fails, the person gets one line, and the log one that says what failed, whether it is tried again, and what
//     to do. TestFailures has all the ways.
//   - What a person is shown of an error is one short line without signed URLs and without anything that looks like a key.
//   - Whoever waits is told so: for ClickAI, for a slot of the plan, or for another try of an upload.
//   - Files that the app made are fetched without the key, and from private addresses only if they are the configured
//     host's own. They are fetched as soon as they are named, up to a size and a total in memory, since their links live
//     for minutes; each is passed on once, however many events, lists and links name it; and no such link is left in the
//     answer. What a file's first bytes show wins over a MIME type and an extension that cannot be true.
//   - What a model thinks is told from what it answers, wherever it stands, and no text is passed on as both.
//   - All that is kept of one answer is bounded: 1 MiB of text, 256 KiB of an open block of reasoning, 50 thoughts of 16
//     KiB, 64 files.
//
// It starts no goroutine that outlives a call.
package agent
