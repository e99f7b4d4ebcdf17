// Package discord connects a Discord bot to the bridge: the gateway and Discord's history in, messages, threads, edits
// and files out.
//
// # Set-up
//
// The bot needs its token, the privileged intent MESSAGE CONTENT, and the permissions listed in check.go, which
// [Platform.Check] looks at one by one. It asks for the intents of guilds, guild and direct messages, their reactions,
// and message content (https://docs.discord.com/developers/events/gateway#list-of-intents).
//
// # Guarantees
//
//   - The sequence number that Discord is told, in heartbeats and when a connection is resumed, is that of the last event
//     that [core.Sink] has taken. Where it refuses, the connection is dropped and resumed, so Discord sends the event again.
//     Only an event that waits until its channel has been caught up counts as received before: the channel's position stays
//     behind it and the session is not stored meanwhile, so after a crash the history brings a message again.
//   - What a resume cannot bring back is read from the history: each channel's last handled message is remembered, and
//     after a new session whatever came later is fetched, in order, ahead of what arrives meanwhile.
//   - A message has the same key however it comes. Its reactions are known by session and sequence number, since Discord
//     gives them no id: a replayed one is recognised, one that happens again is not.
//   - Which reactions the host knows of is stored (the newest 500). After a new session they are compared with those that the
//     history shows under the bot's messages of the time that is caught up: those in the pages that are read anyway, and in the
//     last page before the gap of each channel in which the bot has written lately. What differs is told as put or taken back,
//     with the time at which the gap was found. A reaction that the gateway and the history both bring comes twice, with two
//     keys; it says the same both times. Where a moderator removes all reactions, those that are known are taken back.
//   - A token that is refused in a request, and again when it is asked about, ends Run: the gateway alone would go on with it.
//   - All requests of a bot share the route buckets, which the headers of answers tell, and the global limit. What people
//     wait for goes first: first texts, last edits, files; edits that a later one will overtake share evenly what is left. A
//     429 stops what it names, for as long as it says: a bucket, or everything. See [Platform.Pace], ratelimit.go, buckets.go.
//   - No request waits longer than its context, nor longer than the bound of its kind in limits.go. Post and Edit do not wait
//     themselves.
//   - [Platform.Run] returns after every goroutine that it started.
//   - The token goes to the host of api_url and to the gateway that this host names, nowhere else.
//
// # Commands, buttons and forms
//
// Slash commands, presses and forms come over the gateway as interactions (interactions.go) and are answered by request, to the one
// person alone (answer.go). Discord forgets an interaction that is not answered within 3 seconds:
//
//   - An interaction is stored before it is acknowledged. One that core has not answered 2 seconds after it came is acknowledged
//     without a text (acks.go): a press shows nothing, a command shows the bot as thinking, to that person alone. What core
//     says later takes that place or follows it, for 15 minutes.
//   - Interactions do not wait behind a channel that is being caught up, and what answers them has no part in the global limit.
//   - The token of an interaction, with which anyone could answer in the bot's name, stays in memory: the handle is its id. The
//     newest 10,000 are kept. That Discord refuses such a token is not taken for a refusal of the bot's own.
//   - A first answer whose own answer is lost is tried once more: Discord takes one and says that it has.
//   - An edit without buttons takes away those that the message has or may have.
//
// Interactions that nobody was connected for are lost: Discord tells the person that they failed, and keeps no history of them.
// After a restart the answer to one is a message like any other.
//
// # What discordgo does here, and what not
//
// github.com/bwmarrin/discordgo makes the requests, and gives endpoints, error codes, intents and permissions. Its gateway
// client is not used, for what version 0.29.0 does there cannot be mended from outside:
//
//   - It stores and reports the sequence number before a handler runs, which tells Discord of events that are not on disk yet.
//   - An Op 7 as the first packet locks Open against itself for good (https://github.com/bwmarrin/discordgo/issues/513),
//     and Hello and READY are read without a deadline: either leaves a goroutine that nobody can end.
//   - Its goroutines cannot be waited for; Close sleeps a second with the session locked; its reconnect loop goes on for
//     ever after a refused token, and cannot be cancelled.
//   - It ignores resume_gateway_url and the pause that Op 9 asks for, and notices a dead socket after five heartbeats.
//   - Its Message type refuses component types that it does not know, and one such message spoils a whole page of history
//     (https://github.com/bwmarrin/discordgo/issues/1562).
//   - Frames and inflated frames have no bound.
//
// gateway.go therefore speaks the protocol itself over gorilla/websocket. In requests the package leaves discordgo's rate
// limiter without headers, so that it never sleeps: it sleeps deaf to contexts, never frees a bucket
// (https://github.com/bwmarrin/discordgo/issues/1333), serves in no order and throws an answer away when a header is malformed.
// discordgo never retries: it would repeat a POST after a 502. Its Debug is never set: it logs the token.
//
// # Goroutines of Run
//
// Run itself reads the socket and handles each event. It starts and waits for: one heartbeat for each connection, four
// catch-up workers, one writer of positions, one that waits for a refused token, and one that acknowledges interactions, with at
// most 16 requests at once. Closing a connection when ctx ends is a callback of the context.
//
// # Growing answers
//
// Discord has nothing of its own for text that grows (`stream.mode: native`), so answers grow by edits. Of a message that is
// older than an hour it takes only a few, and tells so by a refusal (30046). Then the message waits until Discord takes an edit
// again, and gets the newest text: it is not posted anew, which would show a long answer twice.
//
// # Non-goals
//
// Voice, sharding (needed from 2,500 servers on: the gateway then refuses with 4011, which is reported), user installs.
// Direct chats that began while the bridge was down are found only once the person writes again, since Discord lists no
// direct chats to bots. Of edits and deletions only those are caught up that a resumed session brings.
package discord
