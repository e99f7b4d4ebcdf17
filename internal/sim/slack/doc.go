// Package slack is a stand-in of Slack's platform on loopback: the Web API, Socket Mode, the Events API over HTTP, file
// hosting, and the people of one small workspace.
//
// # Purpose
//
// Tests and `bridge demo` connect a real Slack client to it and then look at what a person in the workspace would see.
// It is written from Slack's public documentation (https://docs.slack.dev), never from the bridge's adapter.
//
// # Guarantees
//
//   - Documented limits are enforced and never off: rate limits (429 with Retry-After), lengths, Block Kit rules,
//     scopes, tokens. Each refusal that a well-behaved app would not have caused is listed by Server.Violations.
//   - Every envelope is delivered until it is acknowledged or its retries are used up, to any one of the open sockets.
//   - Timestamps are unique in the workspace and grow.
//   - Memory is bounded: messages of a channel, versions of a message, deliveries, file bytes, violations, pings.
//   - Server.Close returns after the last goroutine has ended.
//
// # Choices where the documentation leaves room
//
//   - Rate limits are token buckets. A tier's documented figure is the refill ("50+ per minute" is 50 a minute); the
//     bucket holds what Slack calls a burst, and since no figure is published the sizes in Limits are ours: tighter
//     than what Slack lets pass in practice, so that an app that is quiet here is quiet there.
//   - An event is sent at once. An attempt that nobody acknowledged within AckDeadline, or that found no open socket,
//     is repeated after each of Retries in turn, counted from the end of that deadline.
//   - Blocks that break a Block Kit rule (more than 50, a section over 3,000 characters, an unknown type) are refused
//     with invalid_blocks and a message that names the place; blocks that are right but too much in sum are refused
//     with msg_blocks_too_long.
//   - A message in a thread whose parent was deleted is posted outside the thread, as Slack does; a parent that never
//     existed is thread_not_found.
//   - A Unicode emoji that a person types arrives as its short name (":tada:"), because Slack's clients send it so.
//
// # What people do and see
//
// Besides what [sim.Platform] has: [Server.Command] runs a slash command, [Server.Press] presses a button, also one in a
// message for one person, [Server.Submit] and [Server.CloseView] end a form, [Server.OpenAssistant] and
// [Server.OpenMessages] open the chat with the app, [Server.Halt] stops an answer. All are delivered over sockets, or over
// HTTP after [Server.SetRequestURL]. [Server.Buttons], [Server.Ephemerals], [Server.Views], [Server.Prompts], [Server.Title] and
// [Server.Failures] tell what a person sees; the labels of buttons are not part of what a message shows.
//
// # Non-goals
//
// Legacy attachments are kept and searched for mentions, but not shown. User tokens, workflows, canvases, lists, calls, search, Slack Connect, enterprise grids, message scheduling.
// JSON shapes carry the fields that apps read, not every field that Slack sends.
package slack
