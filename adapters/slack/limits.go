package slack

import (
	"time"

	"github.com/clickai/bridge/core"
)

// Limits of Slack. The rates are budgets of this package; see budget.go for how they are kept.
const (
	// editGap is the least time between two edits of one message: chat.update may be called "50+ per minute" in a workspace,
	// by all answers together. Source: https://docs.slack.dev/reference/methods/chat.update (tier 3)
	editGap = 1300 * time.Millisecond

	// typingEvery: a status "will be automatically removed after two minutes".
	// Source: https://docs.slack.dev/reference/methods/assistant.threads.setStatus
	typingEvery = 100 * time.Second

	// pageSize is the most messages asked for at once. Slack takes up to 999 and advises no more than 200; apps that are sold
	// outside its marketplace get 15. Source: https://docs.slack.dev/reference/methods/conversations.history
	pageSize = 200

	// maxUpload is the most bytes of one file.
	// Source: https://docs.slack.dev/messaging/working-with-files and https://slack.com/help/articles/201330736 (1 GB)
	maxUpload = 1 << 30

	// statusText is shown after the bot's name. slack-go joins several loading messages with commas, so that one with a comma
	// would be torn apart (https://github.com/slack-go/slack/issues/1489): none are sent.
	statusText = "is thinking…"
)

// Rates per minute, by tier, a little below the documented figures so that jitter on the way does not sum up to a 429.
// Source: https://docs.slack.dev/apis/web-api/rate-limits. Bursts are not documented; these are small.
const (
	perMinute2, burst2 = 19, 4
	perMinute3, burst3 = 48, 10
	perMinute4, burst4 = 96, 20

	// chat.postMessage: "one message per second per channel", and "several hundred messages per minute" in the workspace.
	perMinutePost, burstPost       = 58, 3
	perMinutePostAll, burstPostAll = 300, 30

	// Methods with a limit of their own that has no figure.
	perMinuteSpecial, burstSpecial = 240, 20
)

// Bounds of this package's own memory and time.
const (
	callTimeout     = 30 * time.Second // of one request that has no nearer deadline
	transferTimeout = 10 * time.Minute // of one file, if the caller's context has no nearer deadline
	ackTimeout      = 5 * time.Second  // to hand an acknowledgement over

	waitEdit   = 400 * time.Millisecond // longer: the newest text then is better than this one, see budgets.slot
	waitTyping = 0                      // a status that is late is of no use
	waitPost   = 10 * time.Second
	waitRead   = 20 * time.Second
	slotLife   = time.Minute // a reserved place that nobody came back for

	maxAnswer    = 16 << 20  // bytes of an answer of the Web API: a page of history with all its blocks
	maxFrame     = 4 << 20   // bytes of one frame of a socket
	maxSpool     = 256 << 20 // bytes of a file of unknown size, which is written to disk first
	lanes        = 16        // events of so many rooms are stored at once
	laneSize     = 32        // events that wait in each
	maxBuckets   = 4096      // budgets remembered: one for each room posted to
	maxUsers     = 10_000    // people remembered
	maxRooms     = 10_000    // rooms remembered
	maxFileURLs  = 1024      // addresses of files remembered
	maxSilent    = 1024      // rooms without status remembered
	maxThreads   = 300       // threads whose replies are looked for after a restart
	maxCaughtUp  = 2000      // messages of one room that are caught up
	maxPages     = 20        // pages of one room's history, or of one thread
	maxRoomPages = 50        // pages of the list of rooms

	namesFresh = 30 * time.Minute // how long a name is taken as it is
	namesTry   = time.Minute      // before a failed look-up is tried again
)

// Limits tells how answers are paced. It does no I/O. Slack's answers stand in the question's thread, so they need not be
// shown as replies.
func (p *Platform) Limits(core.Place) core.Limits {
	return core.Limits{EditGap: editGap, TypingEvery: typingEvery}
}
