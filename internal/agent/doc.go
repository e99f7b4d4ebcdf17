// Package agent makes a ClickAI app into a [core.App]: it knows what ClickAI's events and failures mean.
//
// Package clickai speaks the wire format; this package turns the events of each mode (chat, agent-chat, completion,
// workflow, in either response mode) into one sequence of deltas, decides which failures are tried again and what a person
// is told, and looks questions up in the history so that nothing is asked twice.
//
// # Guarantees
//
//   - A question is not asked again once ClickAI has begun to answer it. Before any other repetition that ClickAI may know
//     of, the history is looked at.
//   - What a person is shown of an error is one short line without signed URLs and without anything that looks like a key.
//   - Files that the app made are fetched without the key, and from private addresses only if they are the configured
//     host's own.
//
// It starts no goroutine that outlives a call.
package agent
