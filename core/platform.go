package core

import (
	"context"
	"log/slog"
	"time"
)

// Host is what the bridge gives a running platform.
type Host interface {
	Sink
	// State tells how the connection is. err is nil when connected; the bridge shows it in /readyz and the log.
	State(connected bool, err error)
	// Cursor reads a position that the platform stored under a name of its own; "" if there is none.
	Cursor(name string) (string, error)
	// SetCursor stores it durably.
	SetCursor(ctx context.Context, name, value string) error
}

// LookBack is what a Host may tell besides: how far back a platform that can read its history looks for what was missed
// while the bot was not connected. 0: not at all.
type LookBack interface {
	CatchUp() time.Duration
}

// Mover is what a Host may take besides: news that a room has another id now. Everything that belongs to the old one
// belongs to the new one when it returns nil; the platform does not acknowledge the news before.
type Mover interface {
	MoveRoom(ctx context.Context, from, to string) error
}

// Sink takes events from a platform.
type Sink interface {
	// Accept makes the event durable. nil means: stored, known already, or nothing to answer: acknowledge now. On an
	// error do not acknowledge, so that the platform delivers again. It waits for at most one commit of the store, and
	// never for the app. For the platform it waits in one case, up to 5 s: a reply of someone to whom the bot is just
	// posting a question of its own. It is safe for concurrent use; events of one room are passed one after the other.
	Accept(ctx context.Context, ev Event) error
}

// Part is what fits into one message of a platform. Text is in the adapter's own form; Plain is sent where the platform
// refuses Text's markup. Two parts that are equal show the same.
type Part struct {
	Text    string
	Plain   string
	Buttons Buttons // under the message, in a place whose Limits.Buttons is set; an edit without takes them away
}

// Limits is what core needs to know of one place. What fits into a message is Render's business, and what the platform
// limits over all places that of its [Pacer].
type Limits struct {
	// EditGap is the least time between two edits of one message; between a refresh and the one before it where a Pacer
	// sees to the rest, so that an answer does not flicker while there is room for more.
	EditGap     time.Duration
	TypingEvery time.Duration // how often Typing is to be repeated while it should show; 0: the platform keeps it
	ReplyToRoom bool          // answers in this place are shown as replies to the question
	Streams     bool          // StartStream is worth trying here; false where it was refused for good
	Buttons     int           // most buttons under one message here; 0: there are none
	DraftEvery  time.Duration // how often a draft is to be repeated, so that it stays; 0: there are none here
}

// Post is one message to be sent.
type Post struct {
	Place   Place
	ReplyTo string // id of the message in Place that it answers; "" for none; a target that is gone is not an error
	Part    Part
	// Nonce is the same whenever the same message is tried again, also after a restart; at most 25 bytes of
	// [a-z0-9]. Platforms that can use it to recognise a message that they have taken already.
	Nonce string
	// Again says that an earlier try with this nonce may have been taken. A platform that can look such a message up does
	// so before it posts, and returns the message that it finds.
	Again bool
	For   User // who asked; Slack's streams name their reader
}

// Platform is what an adapter must implement: one bot on one platform. All methods but Run may be called from many
// goroutines at once and before Run. Calls return errors of type *[Error].
type Platform interface {
	// Name is the bot's name in the configuration.
	Name() string
	// Run connects and feeds the host until ctx ends, connecting again by itself for ever. It returns nil once ctx has
	// ended, else an *Error; after one of class [Auth] or [Denied] it is not started again. Nothing it started outlives it.
	Run(ctx context.Context, host Host) error
	// Limits does no I/O. group is false for direct chats.
	Limits(p Place) Limits
	// Render splits CommonMark into messages that fit. It is pure. With final true there is at least one for text that is
	// not blank. With final false the source may stop anywhere; the parts before the last stay equal as it grows, and
	// there is none while nothing of it can be shown yet (half a heading's mark, an open tag).
	Render(markdown string, final bool) []Part
	// Post sends one message. It is tried once: what to do after an error is the caller's decision.
	Post(ctx context.Context, p Post) (MessageRef, error)
}

// PlatformKind describes a platform to the program: how its bots are configured and built.
type PlatformKind struct {
	Name string // as in `platform:` of the configuration
	// NewSettings returns a pointer to a struct with the platform's own keys as yaml tags, holding the defaults.
	NewSettings func() Settings
	// New builds a bot. It does no I/O.
	New func(bot string, s Settings, log *slog.Logger) (Platform, error)
	// Threads says that a question in a room can be answered in a thread of it.
	Threads bool
	// Setup is how a person sets up a first bot; nil: `bridge init` does not offer the platform.
	Setup *Setup
}

// Settings are the keys of one bot that only its platform knows (tokens, api_url, …).
type Settings interface {
	// Validate returns what is wrong or missing, for people; nil if nothing is.
	Validate() []Problem
}

// Problem is something wrong in the configuration or in a service, with what to do about it.
type Problem struct {
	Key  string // of the configuration, relative to where it was found ("bot_token"); "" for the whole
	What string // one line
	Mend string // one line; may be ""
}
