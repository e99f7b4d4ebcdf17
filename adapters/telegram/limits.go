package telegram

import (
	"strings"
	"time"

	"github.com/clickai/bridge/core"
)

// Limits of the Bot API. Where the documentation gives no figure, the comment says so.
const (
	// About one message a second in a chat, where "short bursts" without a figure are allowed; 20 a minute in a group; 30 a
	// second over all. Edits are not named there; in practice they count.
	// Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
	chatPerSecond  = 1
	chatBurst      = 2
	groupPerMinute = 20
	groupWindow    = 61 * time.Second // calls may take longer on their way than the next ones do
	groupBurst     = 1                // edits at once; they are spread over the minute, so that no new message waits long
	allPerSecond   = 29
	allBurst       = 15

	// The least time between two edits of one message. Source: none; a private chat takes one message a second, and a
	// group 20 a minute, which several answers share.
	editGapPrivate = 1500 * time.Millisecond
	editGapGroup   = 3500 * time.Millisecond

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
)

// Bounds of this package's own memory and time.
const (
	callTimeout     = 30 * time.Second // of one call that has no nearer deadline
	pollSlack       = 25 * time.Second // what a poll may take beyond the time that the server is to hold it
	transferTimeout = 10 * time.Minute // of one file, if the caller's context has no nearer deadline
	confirmTimeout  = 3 * time.Second  // of the last poll, when the bot is being stopped

	waitEdit = 500 * time.Millisecond // the newest text is better than this one after a wait: give it back to the caller
	waitPost = 5 * time.Second
	waitFile = 2 * time.Minute
	keptFor  = 2 * time.Second // how long a place in the queue is kept for one who does not come again when told
	askAgain = 15 * time.Second

	maxAnswer     = 32 << 20 // bytes: a batch of 100 updates, each with all that it may hold
	maxRequest    = 1 << 20  // bytes of a call without a file
	maxRetryAfter = 24 * time.Hour
	maxChats      = 16_384 // whose budget is remembered
	maxTickets    = 16_384 // places kept in the queue
	maxMoved      = 1_000  // groups that have become supergroups
	maxQuote      = 1_000  // characters of a message replied to
	maxEvents     = 24     // of one update
)

// isGroup tells groups, supergroups and channels, whose ids are negative, from private chats.
// Source: https://core.telegram.org/bots/api#chat
func isGroup(chat string) bool { return strings.HasPrefix(chat, "-") }

// Limits tells how answers in at are paced. It does no I/O. In groups an answer is shown as a reply to its question.
func (p *Platform) Limits(at core.Place) core.Limits {
	l := core.Limits{EditGap: editGapPrivate, TypingEvery: typingEvery}
	if isGroup(at.Room) {
		l.EditGap, l.ReplyToRoom = editGapGroup, true
	}
	return l
}

// SetCallsPerSecond replaces the ceiling over all chats, for an own server or a paid rate. Those of single chats stay.
func (p *Platform) SetCallsPerSecond(n float64) { p.budgets.setCeiling(n) }
