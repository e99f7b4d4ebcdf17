package core

import (
	"log/slog"
	"time"
)

// The machine's clock may be set while the bridge runs, or between two runs, by hours. What is measured within a process goes
// by time.Time's monotonic reading, which does not jump. Here is what has to compare times that were stored, or that another
// clock has told.

// clockSet is how far this machine's clock may run off in a process before it counts as having been set.
const clockSet = time.Minute

// tooOld tells whether a message is from before the bot's first start, or from further back than is caught up. Where the
// clock was set, what is said now may look old: that is worth more than a line for debugging, once a minute.
func (t *bot) tooOld(ev *Event, now time.Time) bool {
	began := now.Add(-now.Sub(t.present)) // by the clock as it is now
	first := t.firstRun
	if first.After(began) {
		first = began // it was taken from a clock that was ahead
	}
	if !tooOld(ev.SentAt, now, first, began, t.settings.CatchUp) {
		return false
	}
	level, set := slog.LevelDebug, began.Round(0).Sub(t.present.Round(0))
	if (set > clockSet || set < -clockSet) && t.told.allow("clock", now) {
		level = slog.LevelWarn
	}
	t.log.Log(t.bridge.work, level, "message is too old", slog.String("event_key", ev.Key), slog.Time("sent_at", ev.SentAt), slog.Duration("clock_set_by", set))
	return true
}

// silentFor is how long nothing was said in a conversation before a question, by our clock and by the platform's: one of them
// alone may have been set.
func silentFor(c Conversation, first Pending) time.Duration {
	if c.Last.IsZero() {
		return 0
	}
	silent := time.UnixMilli(first.Recv).Sub(c.Last)
	if !c.Asked.IsZero() && !first.Event.SentAt.IsZero() {
		silent = min(silent, first.Event.SentAt.Sub(c.Asked))
	}
	return silent
}

// triedBefore tells whether an earlier process, or the bot of this name before a reload, may have carried out a command.
func (t *bot) triedBefore(p Pending) bool {
	return t.askedBefore(p) || time.UnixMilli(p.Recv).Before(t.started)
}

// askedBefore tells whether an earlier process may have asked a question: it was accepted before this one began, or at a
// time that is yet to come, since the clock was put back.
func (t *bot) askedBefore(p Pending) bool {
	recv := time.UnixMilli(p.Recv)
	return recv.Before(t.present) || recv.After(time.Now())
}
