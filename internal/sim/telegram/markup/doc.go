// Package markup turns the text that a bot sends to Telegram into what Telegram stores: plain text with entities.
//
// It reads the three parse modes of the Bot API (HTML, MarkdownV2 and the old Markdown), takes explicit entities, and
// brings both into Telegram's stored form: control characters cleaned, white space trimmed at both ends, entities
// sorted and properly nested, mentions, commands, links and hashtags found in the text. What Telegram refuses is
// refused with Telegram's own words, byte offset included.
//
// Sources: https://core.telegram.org/bots/api#formatting-options and, for the order of checks and the error texts, the
// behaviour of the public Bot API server (https://github.com/tdlib/telegram-bot-api).
//
// # Guarantees
//
//   - No input makes a function panic.
//   - Entities of a result lie within the text, start and end between characters, hold at least one character that
//     is not white space, and of two that overlap one holds the other.
//   - Offsets and lengths are UTF-16 code units, as https://core.telegram.org/bots/api#messageentity says.
//
// # Non-goals
//
// Phone numbers, bank cards and media timestamps are not looked for. Bare domains are found for a list of common
// top-level domains only. No library on offer parses Telegram's dialects the way its server does, so this is our own.
package markup
