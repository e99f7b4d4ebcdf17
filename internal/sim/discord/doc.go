// Package discord is a stand-in of Discord: REST API v9 (v10 is accepted too), gateway and CDN on one loopback
// address. It is written from Discord's public documentation (https://docs.discord.com/developers), not from any
// client of it.
//
// Guarantees: documented limits are enforced (lengths, files, permissions, intents, rate limits with the real
// headers and bodies), ids are snowflakes in the order of time, gateway events come in order with sequence numbers
// and can be resumed, and everything that the bot did against the documentation is listed by [Server.Violations].
// All memory is bounded: messages per channel, versions per message, attachment bytes, events kept for resuming,
// connections, nonces, interactions. [Server.Close] waits for every goroutine.
//
// The stand-in also misbehaves on demand: HTTP faults with [Server.Faults]; on the gateway [Server.Cut],
// [Server.CloseGateway], [Server.Reconnect], [Server.InvalidateSessions], [Server.ReconnectFirst],
// [Server.StallConnects], [Server.Silence], [Server.WithholdAcks], [Server.Redeliver], [Server.RedeliverEvents] and
// [Server.Reorder].
//
// Places: [sim.Ref].Room is the id of the channel (for a thread or forum post: of its parent), Thread the id of the
// thread's own channel, ID the message. System messages (a thread's starter reference, "started a thread") are on the
// wire but not in [Server.Messages].
//
// People: [Minh], [Anna] and [Tom] write in the guild Acme ([GuildAcme]) with the text channels [General] and
// [Support] and the forum [Help]; each has a direct channel with the bot. Text is written as a person types it: @Anna
// and #support become mentions. A user is named by id or by name.
//
// Interactions: people use slash commands ([Server.Command]), press buttons ([Server.Press]), send forms ([Server.SendForm]) or close
// them. [Server.Offers], [Server.Buttons], [Server.Private] and [Server.Interactions] are what a person sees: the commands that are
// offered, the buttons of a message, what is shown to them alone, and open forms. A first answer is taken for 3 s, the token for
// 15 minutes.
//
// Non-goals: voice, slash-command permissions, polls and stickers as such (their raw fields can be planted with
// [Extra]), transport compression, user accounts.
//
// Where the documentation gives no figure, the choice is stated at its constant: the numbers of the route buckets
// (Discord tells them in headers only), and the unit of "characters", which is counted in UTF-16 units, the strictest
// reading.
package discord
