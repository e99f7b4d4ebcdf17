// Package slack connects a Slack app to the bridge: Socket Mode or the Events API over HTTP and Slack's history in, messages,
// threads, edits, streams and files out.
//
// # Set-up
//
// [Manifest] is what Slack makes an app from that has all of it: a bot token with the scopes that [Platform.Check] looks at
// one by one, the events, the command /clickai, interactivity, and the agent's chat. Events come over sockets, with an
// app-level token that has connections:write and Socket Mode switched on, or by HTTP, with the signing secret and the
// request URLs for events, interactivity and commands all set to /webhooks/<bot name>; or both ways. The app is invited to
// the channels in which it is to answer. An older app that is an assistant rather than an agent works as well; it tells of
// opened chats by assistant_thread_started.
//
// # Guarantees
//
//   - An envelope, or a request, is acknowledged after [core.Sink] has taken its event, and not otherwise: then Slack sends
//     it again, and should that not help, the history is read.
//   - A request is looked at once its signature is verified, in constant time and over the raw body of 1 MiB at the most, and
//     if it is no older than five minutes. It is answered within three seconds.
//   - Events of one room are handed over one after the other, in the order in which they came; rooms do not wait for each
//     other.
//   - A message has the same key however it comes: as a message, as a mention, as a retry, on either socket, by HTTP, or from
//     the history. All give the same event.
//   - What people do with buttons, forms and the slash command is acknowledged when it is durable, too; when the store does not
//     take it in time, they are told that it failed. Slack does not repeat it. It counts for messages of this bot's only.
//   - What was said while no socket was open is handed over before what is said now in the same room: events of a room wait,
//     unacknowledged, until its history has been read, and nobody's for long on account of threads that nobody waits in
//     (held.go).
//   - What was said while no socket was open, or since one was silent that only seemed open (life.go), is read from the
//     history of each room, and then of the threads that were active; so are edits, reactions to the bot's messages of the
//     last day, put and taken back, and deleted messages that have left a tombstone, which those with replies do.
//   - A message that Slack took though its answer was lost is found before it is posted again ([core.Post] with Again): by
//     the nonce in its metadata; a stream, which bears none before its end, and a file by a note that is stored before
//     (notes.go). The file is then not uploaded again either. Until Run has begun, who asks for a note waits.
//   - No event waits for names longer than two seconds, no request longer than its context.
//   - Slack's rate limits are kept before Slack has to say so (budget.go). All answers share one budget for each thing that
//     Slack limits; first texts and last edits go first. A 429 stops the method that it was about, or for posts the room.
//   - A stream ([core.Streamer]) ends before Slack ends it, and looks like any other message in the end: where streams show
//     something less well than blocks do, or where it is in doubt what the stream holds, its message is edited (stream.go).
//   - A token that Slack refuses for one method and then for auth.test ends Run; nothing more is asked with it.
//   - Where Slack refuses buttons in every form that this package knows, the message is shown without (buttons.go).
//   - The tokens, and answers to presses and commands, go to Slack's hosts and to the host of api_url, nowhere else; no
//     request of the Web API follows a redirect.
//   - [Platform.Run] returns after every goroutine that it started.
//
// # What slack-go does here, and what not
//
// github.com/slack-go/slack makes the requests and runs the sockets, reconnecting by itself. Around its traps, in v0.35.0:
//
//   - An acknowledgement is only queued, and blocks without a context: socket.go.
//   - A socket is closed before the next one is opened: two are open, of different age (runner.go).
//   - It gives up on four errors only, and on HTTP 404, and tries missing_scope for ever, with pauses that grow to five
//     minutes: connectError and handle.
//   - Its handler starts a goroutine for each event, so that their order is lost: the channel is read here.
//   - One unknown type inside a message makes it refuse the whole event, unacknowledged, or a whole page of history, and an
//     answer to a post that was taken. Payloads and answers are therefore read from their JSON by wire.go and api.go, which
//     leave out only what they do not understand.
//   - ok:false without an error text counts as success, and errors lose their headers: exchange.judge.
//   - Its default HTTP client has no timeout, and nothing bounds an answer or a frame: transport.go.
//   - Its debug mode logs texts and shortens the life of sockets, and OptionRetry sleeps with text that is out of date:
//     neither is used.
//   - It takes an answer of a response_url for JSON, which it is not (answer.go).
//   - GetFile tells errors only after reading has begun, and UploadToURL leaves a goroutine behind: files.go.
//   - Messages change text and blocks together: an update with text alone takes the blocks away (send.go).
//
// # Goroutines of Run
//
// Run starts and waits for: one reader for each of two sockets, and slack-go's client under each; sixteen workers that
// hand events over; two that read history, one of them for rooms in which somebody waits; one that writes positions; one that looks after the token; one that looks
// whether Slack is silent, where there are no sockets. It waits for the requests that the webhook has let in. slack-go's own
// reader of a socket is the one that it does not wait for; it ends when the socket is closed, which comes before.
//
// # Streams
//
// chat.startStream, chat.appendStream and chat.stopStream take Markdown and show it as it comes. Slack ends a stream after
// about five minutes, however lively it is (https://github.com/slackapi/node-slack-sdk/issues/2702); after four it is ended
// here, and the message grows by edits from then on, as it does when it is about to be longer than a message of blocks may
// be. Streams are started in threads only, and for as long as the budget for it has room: Slack allows 20 a minute, far
// fewer than posts. Where Slack refuses them that is remembered until the next start: for the room
// (https://docs.slack.dev/reference/methods/chat.startStream, channel_type_not_supported), or for all of them.
//
// What of a stream is in doubt is not added again: the message is edited. A person can stop a stream: the message then stays
// as it is, until the next start of the process, and its session is released.
// (https://docs.slack.dev/reference/events/agent_session_stopped)
//
// # What remains
//
// Without sockets nothing tells that Slack's requests do not come through, but a retry that arrives late, or silence: then
// the history is read, while the silence lasts every half hour. Deleted messages without replies, reactions beyond the last
// thousand, and those under messages on pages that need not be read are not found in histories. A file whose share Slack has
// begun, and does not tell of within three looks, is shared twice.
//
// A person's stop before an answer shows anything does not tell which answer it is about, and ends none.
//
// # Non-goals
//
// A slash command is for the room, never for a thread, of which Slack tells none. There is no list of commands to be kept at
// Slack. Direct messages at top level show no status while the app thinks: Slack has it in threads only.
package slack
