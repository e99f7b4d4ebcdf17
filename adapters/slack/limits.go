package slack

import (
	"time"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// Limits of Slack. The rates are budgets of this package; see budget.go for how they are kept.
const (
	// editGap is the least time between two states of one message, so that it does not flicker while there is room for more:
	// chat.update may be called "50+ per minute" in a workspace, by all answers together.
	// Source: https://docs.slack.dev/reference/methods/chat.update (tier 3)
	editGap = time.Second

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

// Rates by tier, a little below the documented figures so that what is under way for differently long does not sum up to a
// 429. Bursts are not documented; these are small. Refreshes leave a few slots for what people wait for.
// Source: https://docs.slack.dev/apis/web-api/rate-limits
var (
	tier2 = pace.Rule{Count: 19, Per: time.Minute, Burst: 4, Reserve: 1}
	tier3 = pace.Rule{Count: 48, Per: time.Minute, Burst: 10, Reserve: 2}
	tier4 = pace.Rule{Count: 96, Per: time.Minute, Burst: 20, Reserve: 4}

	// chat.postMessage: "one message per second per channel", and "several hundred messages per minute" in the workspace.
	rulePost    = pace.Rule{Count: 58, Per: time.Minute, Burst: 3, Reserve: 1}
	rulePostAll = pace.Rule{Count: 300, Per: time.Minute, Burst: 100, Reserve: 10}

	// ruleSpecial is for methods with a limit of their own that has no figure.
	ruleSpecial = pace.Rule{Count: 240, Per: time.Minute, Burst: 20}
)

// Bounds of this package's own memory and time.
const (
	callTimeout     = 30 * time.Second // of one request that has no nearer deadline
	transferTimeout = 10 * time.Minute // of one file, if the caller's context has no nearer deadline
	ackTimeout      = 5 * time.Second  // to hand an acknowledgement over

	webhookRead = 5 * time.Second // for the body of a request

	waitTyping = 0               // a status that is late is of no use
	waitStart  = 2 * time.Second // longer: no stream is started
	waitPost   = 10 * time.Second
	waitForm   = time.Second // Slack takes a form for three seconds only
	waitRead   = 20 * time.Second
	waitNotes  = 20 * time.Second // for Run to begin
	lateness   = time.Second      // by which a wait may be longer than it seemed at first
	reserveAll = 2                // slots under a ceiling that refreshes leave

	// streamLife is how long a stream is added to: Slack ends it after some five minutes, whatever is added.
	// Source: https://github.com/slackapi/node-slack-sdk/issues/2702
	streamLife = 4 * time.Minute
	// maxStream is the most bytes of a stream: what a message of blocks holds, so that it can become one.
	maxStream = slackfmt.MaxText

	maxAnswer    = 16 << 20  // bytes of an answer of the Web API: a page of history with all its blocks
	maxFrame     = 4 << 20   // bytes of one frame of a socket
	maxSpool     = 256 << 20 // bytes of a file of unknown size, which is written to disk first
	lanes        = 16        // events of so many rooms are stored at once
	laneSize     = 32        // events that wait in each
	maxWebhook   = 1 << 20   // bytes of a request of Slack's
	maxRequests  = 64        // requests of Slack's at once
	maxUsers     = 10_000    // people remembered
	maxRooms     = 10_000    // rooms remembered
	maxFileURLs  = 1024      // addresses of files remembered
	maxRefusals  = 1024      // rooms remembered where something is refused
	maxLimited   = 64        // rooms remembered that a 429 holds back
	maxStreams   = 4096      // streams whose text is remembered, of up to maxStream bytes each
	maxHalted    = 1024      // stopped streams remembered
	maxHeld      = 500       // events of one room that wait for its history
	maxHeldAll   = 2000      // events of all rooms that do
	maxNotes     = 128       // uploads and streams remembered over a restart
	maxMarks     = 1000      // reactions to the bot's messages remembered
	maxAgain     = 10        // pages that are looked through for a message that was posted already
	maxThreads   = 300       // threads whose replies are looked for after a restart
	maxCaughtUp  = 2000      // messages of one room that are caught up
	maxPages     = 20        // pages of one room's history, or of one thread
	maxRoomPages = 50        // pages of the list of rooms
	maxUserPages = 50        // pages of the list of people

	// againBack is how far back a message is looked for that may have been posted already.
	againBack = 7 * 24 * time.Hour
	// reachBack is how far back, beyond what was missed, the edits of messages and the reactions to answers are looked at.
	reachBack = 24 * time.Hour
	// skew is by how much this machine's clock may differ from Slack's.
	skew = time.Minute
	// shareTries is how often the message that shows a file is looked for.
	shareTries = 3

	namesFresh = 30 * time.Minute // how long a name is taken as it is
	namesTry   = time.Minute      // before a failed look-up is tried again
)

// Limits tells how answers are paced. It does no I/O. Slack's answers stand in the question's thread, so they need not be
// shown as replies. Streams are for threads only, as Slack wants it for direct chats at least, and for as long as one could
// start soon. Source: https://docs.slack.dev/reference/methods/chat.startStream
func (p *Platform) Limits(at core.Place) core.Limits {
	return core.Limits{
		EditGap: editGap, TypingEvery: typingEvery, Buttons: maxButtons,
		Streams: p.canStream(at) && p.budgets.startable(at),
	}
}
