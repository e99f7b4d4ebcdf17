// Package telegram is a stand-in of the Telegram Bot API: an HTTP server that a real bot library can talk to, with
// people and chats behind it.
//
// It is written from the public documentation (https://core.telegram.org/bots/api, https://core.telegram.org/bots/faq,
// https://core.telegram.org/bots/features) and from the behaviour of the public Bot API server
// (https://github.com/tdlib/telegram-bot-api), whose error descriptions it answers word for word.
//
// # People and chats
//
// By default: the bot @acme_support_bot; [Minh] (@minh_tran), [Anna] (@anna_berg) and [Tom] (@tom_reed), each with a
// private chat whose id is the person's; the group [Group]; and [Forum], a supergroup with topics where the bot is an
// administrator: General, [TopicBilling] and [TopicReleases]. In a [sim.Ref] Room is the chat id in decimal, Thread the
// topic id ("" outside of topics and in General), ID the message id.
//
// Say.User takes a user id or "@username". Several files of one Say form an album, one update each. A picture that
// decodes is sent as a photo (several sizes, the last one byte for byte as given; the real service recompresses it),
// OGG audio as a voice message, other audio and MPEG-4 video as such, all else as a document.
//
// [Server.Press] makes a person press a button, [Server.Buttons] tells what stands under a message, [Server.Presses] what the
// bot answered, and [Server.Menu] which commands a person's client offers.
//
// # Limits
//
// Sends and edits together: one a second in a chat with a burst of [ChatBurst], [GroupPerMinute] in any minute of a
// group, [OverallPerSecond] a second in all with a burst of as many. The numbers are those of
// https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this, which allows "short bursts" without a
// figure; the bursts are this package's. An album counts each of its messages. A refused call is answered 429 with
// retry_after, and everything that the limit covers is refused until then. Chat actions, drafts, reactions, deletions
// and reading methods are not counted: no limit for them is documented. [Server.Flood] refuses a chat for a time.
//
// Text is 1–4,096 and captions 0–1,024 UTF-16 code units after entities parsing, callback data 1–64 bytes, uploads 50 MB
// (photos 10 MB), downloads 20 MB.
//
// # Violations
//
// Listed is what a bot never does that keeps to the documentation: going over a rate limit, text or markup that is
// refused, methods and parameters that are not there, null for a list, paying for broadcasts. What may happen to any
// bot is not: a message that is gone or not modified, a closed topic, a chat that blocked it, 409.
//
// # Guarantees
//
//   - Updates are confirmed as documented for getUpdates: by a later call with a higher offset, or by a 2xx answer of
//     the webhook; unconfirmed ones stay for 24 hours.
//   - What one client sees is consistent: all state changes under one lock.
//   - Memory is bounded: messages and versions for each chat, bytes of files, updates, violations.
//   - Close waits for every goroutine that the server started.
//
// # Non-goals
//
// Channels, inline mode, payments, business accounts, stickers, polls and games are not there; a call of such a method
// is answered 404 and listed as a violation. No library implements this server side for Go, so it is our own.
package telegram
