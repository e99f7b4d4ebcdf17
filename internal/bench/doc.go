// Package bench puts a measured load on a bridge: many answers at once over the stand-ins of Slack, Discord, Telegram and
// ClickAI.
//
// # What is played
//
// Conversations are spread over the platforms and their rooms. In each, a person asks, the stand-in of ClickAI answers with
// pieces at a set speed, each piece an event of its own, and once the answer stands whole the next question is asked,
// until the time is over. Every piece carries a word that names its answer and its place in it ("w000123aabc"), so that
// what is shown can be matched with what was sent, piece by piece, and text in the wrong place is found. The text is
// Markdown with headings, paragraphs, bold text, code, lists and fences; spans of inline markup begin and end in one piece.
//
// # What is measured
//
// All from outside the bridge, and by one clock: the stand-ins run in one process. A state is what the messages of an answer
// show after a post, an edit, an append or a draft has been stored by the stand-in.
//
//   - question → request: from the stored question to the arrival of its request at ClickAI's stand-in.
//   - first piece → first text: until a message shows the first piece.
//   - piece → visible: for every piece, from right before it is written to the stream to the first state that shows it.
//   - text age: at the end of every state, how long ago the first piece was sent that it did not show; 0 if it showed all.
//     It is the age that unseen text reaches before the next edit.
//   - staleness: at the arrival of a state, how long ago the first piece was sent that it does not show; 0 if it shows all.
//     It is how far the edit was behind when it left, and its way. An edit that closes a full message, or cuts it where the
//     next one begins, is not counted: what it lacks belongs into the next message, whose post is counted.
//   - end → whole: from the last event of an answer to the state that shows all of it.
//   - edits: against what the limits of the stand-in would have allowed in the time in which answers ran, see [Use].
//   - text: in the end what a reader sees of each answer is compared with what was sent: every piece once and in order, and
//     all letters, digits and punctuation between them. Markup, spaces and list marks do not count.
//   - processor time and resident memory of the bridge's process, once a second, where /proc tells them.
//
// A warm-up, which no figure counts, asks once in each room, so that names are known and connections stand as in a bridge
// that has run for a while.
//
// # Guarantees
//
// The memory of the measuring is bounded by the answers and by the text that is not visible yet: values go into histograms.
// Nothing started outlives [Run].
//
// # Choices
//
// Values are kept in a histogram of our own ([Histogram]): hdrhistogram-go, the usual library, allocates its range up front
// and has had no release since 2021, and what is needed here is some forty lines. The exact maximum is kept beside.
//
// Text that is cut by the bridge would look like loss, so an answer stays under 1 MB.
//
// # Non-goals
//
// It does not scale the stand-ins' limits: the bridge keeps to the platforms' documented ones, and would be measured against
// limits that do not exist. Files, reactions and commands are not played.
package bench
