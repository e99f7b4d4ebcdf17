// Package telegram is the adapter of the Telegram Bot API.
//
// # In
//
// Updates come by an own getUpdates loop. The library's loop confirms updates to Telegram once they sit in memory, so that
// a crash loses up to a batch, decodes a batch as a whole, so that one update of an unknown shape stalls it for ever, and
// exports no getUpdates (go-telegram/bot, get_updates.go). Here an update is confirmed by the next poll's offset, and the
// offset moves on only over updates that the host has accepted. Each is decoded by itself into structs that hold only
// what the bridge uses; what cannot be decoded at all is logged and passed over. The offset is not stored: what was not
// confirmed comes again, and the host knows what it has seen.
//
// Update types used: message, edited_message, message_reaction, my_chat_member, callback_query. The whole list is sent with
// each poll, since an omitted one keeps what an earlier client asked for. In groups reactions come only if the bot is an
// administrator. Telegram tells nothing of deleted messages.
//
// # Out
//
// Messages, edits, files and typing go through the library. Messages are HTML as telegramfmt writes it; where Telegram
// cannot parse one, its plain text is sent. Telegram has no idempotency key: a message whose answer was lost may be
// sent twice.
//
// # Keys
//
// A room is the chat's id in decimal, a thread the topic's id, a message its id within the chat. Event keys are
// "m:<chat>:<message>", "e:<chat>:<message>:<edit date>" and "r:<update>:<emoji>:<+ or ->".
//
// # Limits
//
// All calls of a bot share budgets: one message a second in a chat with a short burst, 20 a minute in a group, 30 a second
// over all; edits count as messages. An edit that would have to wait longer than a moment is given back as rate limited, so
// that the newest text is sent later in place of an older one now.
//
// # Goroutines
//
// Run starts none that outlives it: the poll is a loop in Run itself. An upload has one while it runs, inside the library.
package telegram
