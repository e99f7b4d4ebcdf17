package bench

import (
	"time"

	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// Use is how much was made of what a platform allows for keeping answers up to date. What counts is what the platform
// limits: on Slack the edits (chat.update) or, with native streams, the appends, of the workspace; on Discord the edits of
// each channel, and all calls together; on Telegram sends and edits of each chat, and all of them together.
type Use struct {
	Calls   int     `json:"calls"`
	Allowed float64 `json:"allowed"` // by the limits of the stand-in, with their bursts, while answers ran
	Share   float64 `json:"share"`   // Calls of Allowed
}

// span is the time that an answer ran, from its first piece to its last state, or all answers of a chat.
type span struct {
	took    time.Duration
	private bool
}

func (u *Use) share() {
	if u.Allowed > 0 {
		u.Share = float64(u.Calls) / u.Allowed
	}
}

// tokens is what a bucket gives in a time, full at its beginning.
func tokens(burst, perSecond float64, d time.Duration) float64 { return burst + perSecond*d.Seconds() }

// windows is what fits into the windows of an allowance that d touches, the first of which begins with d.
func windows(a discord.Allowance, d time.Duration) float64 {
	return float64(a.Calls) * float64(d/a.Window+1)
}

// slackUse is for all answers of a workspace; all is the time from the first piece of any to the last state of any. Where
// streams were used, they count and not the edits.
func slackUse(l slack.Limits, g *group, all time.Duration) Use {
	u := Use{Calls: g.edits, Allowed: tokens(l.Tier3.Burst, l.Tier3.PerMinute/60, all)}
	if g.appends > 0 {
		u = Use{Calls: g.appends, Allowed: tokens(l.Tier4.Burst, l.Tier4.PerMinute/60, all)}
	}
	u.share()
	return u
}

// discordUse takes each answer's channel for its own: a thread or a direct chat.
func discordUse(l discord.Limits, g *group, spans []span, all time.Duration) Use {
	u := Use{Calls: g.edits}
	for _, s := range spans {
		u.Allowed += windows(l.Edit, s.took)
	}
	u.Allowed = min(u.Allowed, windows(l.Global, all))
	u.share()
	return u
}

// telegramUse adds up the chats, each from the first piece of any of its answers to the last state of any.
func telegramUse(g *group, chats []span, all time.Duration) Use {
	u := Use{Calls: g.posts + g.edits}
	for _, s := range chats {
		one := tokens(telegram.ChatBurst, telegram.ChatPerSecond, s.took)
		if !s.private {
			one = min(one, telegram.GroupPerMinute*float64(s.took/time.Minute+1))
		}
		u.Allowed += one
	}
	u.Allowed = min(u.Allowed, tokens(telegram.OverallPerSecond, telegram.OverallPerSecond, all))
	u.share()
	return u
}
