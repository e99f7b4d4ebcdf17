package telegram

import (
	"strings"
	"time"

	"github.com/clickai/bridge/core"
)

// Limits of the Bot API. Where the documentation gives no figure, the comment says so.
const (
	// About one message a second in a chat, where "short bursts" without a figure are allowed; 20 a minute in a group; 30 a
	// second over all. Edits and drafts are not named there; in practice they count.
	// Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
	chatPerSecond  = 1
	chatBurst      = 2
	chatReserve    = 1 // of the burst, for a last edit right behind a refresh
	groupPerMinute = 20
	groupWindow    = 61 * time.Second // calls may take longer on their way than the next ones do
	groupReserve   = 1                // of the minute, so that a first text among refreshes need not wait
	groupSpread    = 1                // refreshes are spread over the minute
	allPerSecond   = 27               // and one at once; what is left is for calls that bunch on their way

	// The least time between two refreshes of one message: what the chat takes when there is no other.
	editGapPrivate = time.Second
	editGapGroup   = 3 * time.Second

	// messageButtons is a bound of taste: Telegram takes 100, and shows them in a column on small screens.
	messageButtons = 8

	// draftEvery: a draft goes after about 30 s. Source: https://core.telegram.org/bots/api#sendmessagedraft
	draftEvery = 20 * time.Second

	// typingEvery: the sign goes after 5 s. Source: https://core.telegram.org/bots/api#sendchataction
	typingEvery = 4 * time.Second

	// maxDownload is in bytes; own servers have no such limit. Source: https://core.telegram.org/bots/api#getfile
	maxDownload = 20 << 20
	// maxUpload and maxPhoto are in bytes. Source: https://core.telegram.org/bots/api#sending-files
	maxUpload = 50 << 20
	maxPhoto  = 10 << 20
	// maxLocalUpload is that of an own server. Source: https://core.telegram.org/bots/api#using-a-local-bot-api-server
	maxLocalUpload = 2_000_000_000

	// pollTimeout and pollLimit are the most that getUpdates takes.
	// Source: https://core.telegram.org/bots/api#getupdates
	pollTimeout = 50 * time.Second
	pollLimit   = 100

	// hookConnections is how many updates Telegram delivers at once. With one they come in their order, and no faster than
	// they are stored; nothing is documented of the order with more. Where that is too slow, polling takes a hundred at once.
	// Source: https://core.telegram.org/bots/api#setwebhook
	hookConnections = 1
	// minSecret and maxSecret are the length of webhook_secret in characters; Telegram's own least is 1.
	// Source: https://core.telegram.org/bots/api#setwebhook
	minSecret = 16
	maxSecret = 256
)

// Bounds of this package's own memory and time.
const (
	callTimeout     = 30 * time.Second // of one call that has no nearer deadline
	pollSlack       = 25 * time.Second // what a poll may take beyond the time that the server is to hold it
	transferTimeout = 10 * time.Minute // of one file, if the caller's context has no nearer deadline
	confirmTimeout  = 3 * time.Second  // of the last poll, when the bot is being stopped
	hookTimeout     = 20 * time.Second // of storing one update that came by the webhook

	waitFile   = 4 * time.Minute // for the turn of a file
	waitDelete = 5 * time.Second // while a 429 holds deletions

	// typingStays is for how long after a sign of typing another one in the same place is not needed. It is well under
	// typingEvery, so that of many answers in one chat one repeats it in time.
	typingStays = 2 * time.Second

	maxAnswer     = 32 << 20 // bytes: a batch of 100 updates, each with all that it may hold
	maxUpdate     = 4 << 20  // bytes of one update that comes by the webhook
	maxRequest    = 1 << 20  // bytes of a call without a file
	maxRetryAfter = 24 * time.Hour
	maxMoved      = 1_000  // groups that have become supergroups
	maxShut       = 10_000 // chats that are known to take nothing from the bot
	maxTyping     = 10_000 // places whose last sign of typing is remembered
	maxDraftless  = 10_000 // places that are known to refuse drafts
	maxQuote      = 1_000  // characters of a message replied to
	maxEvents     = 24     // of one update
)

// isGroup tells groups, supergroups and channels, whose ids are negative, from private chats.
// Source: https://core.telegram.org/bots/api#chat
func isGroup(chat string) bool { return strings.HasPrefix(chat, "-") }

// Limits tells how answers in at are paced. It does no I/O. In groups an answer is shown as a reply to its question.
func (p *Platform) Limits(at core.Place) core.Limits {
	l := core.Limits{EditGap: editGapPrivate, TypingEvery: typingEvery, Buttons: messageButtons}
	switch {
	case isGroup(at.Room):
		l.EditGap, l.ReplyToRoom = editGapGroup, true
	case p.drafts.shown(at):
		l.DraftEvery = draftEvery
	}
	return l
}
