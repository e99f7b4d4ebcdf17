// Package crashtest kills a running bridge again and again and looks from outside at what became of every question.
//
// # Purpose
//
// The bridge runs as a process of its own against the stand-ins of ClickAI, Slack, Discord and Telegram, which go on while it
// is dead. People ask in direct chats, channels with threads and groups, send files, get files, and rate. The process is ended
// with SIGKILL at named points ("the request has arrived and is not answered", "the event was sent") and at random times, and
// started again on the same store. After each round nothing is killed any more until all is quiet; then [Run] compares what
// the stand-ins saw with what was promised.
//
// [Storm] does the same with the network as the fault: each stand-in is reached over a link that refuses, cuts, slows down or
// swallows, and requests are answered with errors or not at all, events come twice and in another order.
//
// # What is checked
//
//   - Each question has one answer: every piece of its text once, in order, in the right place, and nothing else there.
//   - It was asked at ClickAI once. A second time is let pass only where the bridge cannot know of the first: it began a
//     conversation, and the process died before what ClickAI sent could be stored.
//   - A conversation's next question carries the conversation_id that the one before got.
//   - Its attachments reached ClickAI whole, and were not uploaded again once ids of theirs were stored; files of the answer
//     stand there once.
//   - The last word of the person who rated is what ClickAI has.
//   - No stream is left open.
//
// A message that stands there twice is let pass, and counted, where the platform takes messages without a key of the sender's
// and the process died between the request and the first thing that shows that its answer was stored, or the network lost the
// answer.
//
// # Reproducing
//
// What is asked and where it is killed depends on [Config].Seed alone. What has happened up to a point in time does not: two
// runs with one seed are alike, not the same.
//
// # Non-goals
//
// The machine does not lose its power: what a write that was not synced becomes is the store's own test.
package crashtest
