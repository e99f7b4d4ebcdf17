package crashtest

import (
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
)

// unstored is how long after something was seen it may not be stored yet. It is many times what a write takes, since the
// machine may be busy with other things.
const unstored = time.Second

// inTransit is how long a request may have been under way when it takes effect at ClickAI: the process may have died meanwhile,
// and the stand-in may have had to wait for the processor. For the platforms it is known when a dead process's last one had.
const inTransit = 300 * time.Millisecond

// keyless are the platforms that take messages without a key by which they, or the bridge, could know one again.
var keyless = map[string]bool{"telegram": true}

// loss is why the bridge may not know of what took effect.
type loss struct {
	at     time.Time
	killed bool
	random bool // killed at a random time
}

// lost tells whether what took effect at a service at one time may not be known to the bridge at a later one: it was killed
// before that was stored, or the network lost the answer.
func (e *evidence) lost(service string, at, until time.Time) (loss, bool) {
	if kill, ok := e.killBehind(service, at); ok && !kill.At.After(until) && kill.At.Sub(at) <= unstored {
		return loss{at: kill.At, killed: true, random: kill.Point == (Point{})}, true
	}
	if t, ok := e.trouble(service, at.Add(-unstored), at.Add(unstored), func(t Trouble) bool { return t.loses }); ok {
		return loss{at: later(at, t.From)}, true
	}
	return loss{}, false
}

// trouble is the first trouble of a service that lasted at some time between two, of a kind that is asked for.
func (e *evidence) trouble(service string, from, to time.Time, which func(Trouble) bool) (Trouble, bool) {
	i := slices.IndexFunc(e.troubles, func(t Trouble) bool {
		return t.Service == service && t.From.Before(to) && t.Until.After(from) && which(t)
	})
	if i < 0 {
		return Trouble{}, false
	}
	return e.troubles[i], true
}

// lostAbout is lost for times that are in whole seconds, rounded down.
func (e *evidence) lostAbout(service string, at, until time.Time) bool {
	for _, more := range []time.Duration{0, time.Second} {
		if _, ok := e.lost(service, at.Add(more), until.Add(time.Second)); ok {
			return true
		}
	}
	return false
}

// killBehind is the first kill of a process from which what took effect at a service at a time may have been.
func (e *evidence) killBehind(service string, at time.Time) (Kill, bool) {
	for _, k := range e.kills {
		over := k.At.Add(inTransit)
		if service != "clickai" && !k.Over.IsZero() {
			over = k.Over
		}
		if !over.Before(at) {
			return k, true
		}
	}
	return Kill{}, false
}

// killAfter is the first kill at or after a time.
func (e *evidence) killAfter(t time.Time) (Kill, bool) {
	for _, k := range e.kills {
		if !k.At.Before(t) {
			return k, true
		}
	}
	return Kill{}, false
}

// startedIn tells whether a process was started within a time.
func (e *evidence) startedIn(from, to time.Time) bool {
	return slices.ContainsFunc(e.starts, func(t time.Time) bool { return t.After(from) && t.Before(to) })
}

// doubled tells whether a message is there a second time because of the known window, and counts it.
func (e *evidence) doubled(q *question, first, second part) bool {
	if !keyless[q.platform()] {
		return false
	}
	states := e.s.w.states(q)
	one, two := posted(states, first.m), posted(states, second.m)
	l, ok := e.lost(q.platform(), one, two)
	if !ok {
		return false
	}
	// Whatever was done to it shows that it was known. After a kill that goes for all that was done for the same answer: it
	// came after the message was stored.
	for _, s := range states {
		if s.at.After(one) && (!l.killed && s.ref == first.m.Ref || l.killed && s.at.Before(l.at)) {
			return false
		}
	}
	p := e.s.res.platform(q.platform())
	p.Doubled++
	if l.random {
		p.DoubledAtRandom++
	}
	return true
}

// posted is when a message was posted; the platform's own clock may count in seconds.
func posted(states []state, m shown) time.Time {
	for _, s := range states {
		if s.ref.ID == m.ID {
			return s.at
		}
	}
	return m.At
}

// doubledStatus tells whether a message is a status line, before the answer, that the known window has left behind, and counts
// it.
func (e *evidence) doubledStatus(m shown) bool {
	if !keyless[m.platform] || !strings.HasSuffix(m.Shown, " …") {
		return false
	}
	ok := e.lostAbout(m.platform, m.At, m.At.Add(unstored))
	if ok {
		e.s.res.platform(m.platform).Doubled++
	}
	return ok
}

// unknown tells whether the bridge could not know at a later time that a turn had begun: it began a conversation, so there is
// no history to look at, and nothing of what ClickAI sent was stored, or arrived.
func (e *evidence) unknown(q *question, t clickai.Turn, later time.Time) bool {
	if t.ConversationSent != "" {
		return false
	}
	if e.unwritten(q, t, later) {
		return true
	}
	l, ok := e.lost("clickai", t.Started, later)
	return ok && !l.killed
}

// unwritten tells whether the process that asked in a turn died, before a later time, when nothing of it needs to have been
// stored.
func (e *evidence) unwritten(q *question, t clickai.Turn, later time.Time) bool {
	kill, ok := e.killBehind("clickai", t.Started)
	if !ok || kill.At.After(later) {
		return false
	}
	n := 0
	for _, s := range e.s.w.states(q) {
		if s.at.After(t.Started) && s.at.Before(kill.At) {
			n++
		}
	}
	// One message may have been posted before anything was stored: they are stored together.
	return n <= 1 && kill.At.Sub(t.Started) < unstored
}
