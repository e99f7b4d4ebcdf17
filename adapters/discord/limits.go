package discord

import (
	"time"

	"github.com/clickai/bridge/core"
)

// Limits of Discord. Where the documentation gives no figure, the comment says so.
const (
	// editGap is the least time between two edits of one message while there is room for more: the rate that the bucket of a
	// channel's edits was seen to give.
	editGap = time.Second

	// firstCount requests in firstPer is what a route is taken to allow until its first answer tells: Discord publishes no
	// figures and says to read the headers. It is what those of posts and of edits in a channel were seen to tell.
	// Source of the rule: https://docs.discord.com/developers/topics/rate-limits
	firstCount = 5
	firstPer   = 5 * time.Second

	// typingEvery: the typing indicator goes after 10 s.
	// Source: https://docs.discord.com/developers/resources/channel#trigger-typing-indicator
	typingEvery = 8 * time.Second

	// callsPerSecond keeps below the global limit of 50 requests a second by what requests may bunch on their way: with four
	// at once, 0.09 s.
	// Source: https://docs.discord.com/developers/topics/rate-limits#global-rate-limit
	callsPerSecond = 42

	// oldMessage is the age from which on a message's edits have a limit of their own, which only a refusal tells (30046).
	// Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
	oldMessage = time.Hour

	// maxThreadName is in characters; counted in UTF-16 units, the strictest reading.
	// Source: https://docs.discord.com/developers/resources/channel#start-thread-from-message
	maxThreadName = 100

	// archiveAfter is a thread's time without messages until it is archived, in minutes: one of 60, 1440, 4320, 10080.
	// Source: https://docs.discord.com/developers/resources/channel#thread-metadata-object
	archiveAfter = 1440

	// maxNonce is in characters. Source: https://docs.discord.com/developers/resources/message#create-message
	maxNonce = 25

	// pageSize is the most messages that one request returns.
	// Source: https://docs.discord.com/developers/resources/message#get-channel-messages
	pageSize = 100
)

// maxFile is the most bytes of one file, by the server's boost tier.
// Sources: https://docs.discord.com/developers/reference#uploading-files,
// https://support.discord.com/hc/en-us/articles/360028038352
func maxFile(tier int) int64 {
	switch tier {
	case 3:
		return 100 << 20
	case 2:
		return 50 << 20
	}
	return 10 << 20
}

// Bounds of this package's own memory and time.
const (
	callTimeout     = 30 * time.Second // of one request that has no nearer deadline
	transferTimeout = 10 * time.Minute // of one file, if the caller's context has no nearer deadline

	waitTyping = 0 // an indicator that is late is of no use
	waitPost   = 10 * time.Second
	waitRead   = 20 * time.Second

	waitCommands = time.Minute

	maxAnswer    = 32 << 20 // bytes of a good answer: a page of 100 messages with all their embeds
	maxErrorBody = 64 << 10 // bytes of an error's body
	maxFrame     = 64 << 20 // bytes of one gateway frame: GUILD_CREATE of a large server
	maxBuckets   = 4096     // rate-limit buckets remembered
	maxLimit     = 1000     // requests in a bucket's window that are believed
	maxWindow    = time.Hour
	grantedFor   = 10 * time.Second // a turn that Pace gave is kept for its call so long
	maxRefusals  = 1024             // refusals remembered
	refusedFor   = time.Minute

	maxKnownURLs = 512 // addresses of attachments remembered
	maxKnownDMs  = 500 // direct chats whose history is looked at after a restart
	maxPositions = 500 // channels of one server whose position is stored; the rest share one
	maxMarks     = 500 // reactions to the bot's messages remembered

	maxOwnChannels   = 500 // channels remembered in which the bot has written lately
	maxReactionLists = 40  // emoji under messages of one channel that are looked at after a gap
	maxReactorPages  = 3   // pages of those who have reacted with one emoji

	maxBare    = 4096   // messages remembered to have no buttons
	maxHandles = 10_000 // interactions remembered so that they can be answered
	acksAtOnce = 16     // interactions acknowledged at once

	ackAfter   = 2 * time.Second // an interaction that core has not answered is acknowledged: the first answer is due in 3 s
	ackTimeout = 5 * time.Second // of one first answer
	tokenLife  = 15*time.Minute - 10*time.Second

	maxSearched = 25 // servers that are searched for a room or a person by name

	maxHeld    = 500 // events of one channel that wait for its history
	maxLookups = 2048
)

// Limits tells how answers in p are paced. It does no I/O.
func (p *Platform) Limits(at core.Place) core.Limits {
	ch, known := p.dir.channel(at.Room)
	return core.Limits{
		EditGap:     editGap,
		TypingEvery: typingEvery,
		ReplyToRoom: at.Thread == "" && known && ch.guild != "",
		Buttons:     maxRows * maxInRow,
	}
}
