package sim

import "time"

// SeenKind says what happened to a message of the bot.
type SeenKind string

// The kinds of [Seen].
const (
	Posted   SeenKind = "posted"   // a new message; Slack: also a stream's start
	Edited   SeenKind = "edited"   // a message reads otherwise now
	Appended SeenKind = "appended" // Slack: a stream has grown
	Drafted  SeenKind = "drafted"  // Telegram: a draft shows; ID is the draft's, the next Posted in the place ends it
	Deleted  SeenKind = "deleted"  // a message is gone
	Limited  SeenKind = "limited"  // a call was refused with 429; Ref and Text are empty
)

// Seen is one change of what a bot shows, told as it happens. A stand-in calls its observer with its own lock held: the
// observer must be quick and must not call the stand-in.
type Seen struct {
	Kind SeenKind
	Ref  Ref
	At   time.Time // when the change was stored; it has a monotonic reading
	Text string    // what the message says now, in the platform's own markup
}

// Observer takes what a stand-in tells while it runs. A load test measures with it, since it costs nothing for what is
// not looked at, and keeps no history.
type Observer func(Seen)

// Tell calls the observer, if there is one.
func (o Observer) Tell(kind SeenKind, ref Ref, at time.Time, text string) {
	if o != nil {
		o(Seen{Kind: kind, Ref: ref, At: at, Text: text})
	}
}
