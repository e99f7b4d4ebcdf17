package bench

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// never is a time that has not come.
const never = time.Duration(-1)

// answer is one answer: what was sent of it and when, and what is shown of it. Times are since the start of the load.
type answer struct {
	text  text
	conv  *conversation
	group *group
	warm  bool // belongs to the warm-up: nothing of it is counted

	mu        sync.Mutex
	asked     time.Duration
	requested time.Duration
	first     time.Duration // the first piece was sent
	ended     time.Duration // the stream has come to its end
	whole     time.Duration // all of it is shown
	last      time.Duration // the latest state
	broken    bool          // the stream was cut by its reader
	sent      int           // pieces
	best      int           // pieces that were visible without a gap at some time
	base      int           // of times: those of the pieces before are forgotten, since they were seen
	times     []time.Duration
	shown     int // pieces that are, now
	parts     []part
	pending   bool // staleness is one that may turn out to be that of a message that was full
	staleness time.Duration
	mixed     bool // words of another answer stood in one of its messages
}

// part is what one message shows of an answer: the pieces from first to last, without a gap unless gap is true.
type part struct {
	ref         sim.Ref
	first, last int
	gap         bool
}

func newAnswer(t text, c *conversation, g *group, warm bool) *answer {
	return &answer{text: t, conv: c, group: g, warm: warm, asked: never, requested: never, first: never, ended: never, whole: never, last: never}
}

// askedAt and requestedAt note both ends of the question's way; they may come in any order.
func (a *answer) askedAt(at time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = at
	a.countRequest()
}

// requestedAt is false when the question was requested before.
func (a *answer) requestedAt(at time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.requested != never {
		return false
	}
	a.requested = at
	a.countRequest()
	return true
}

// pieces is how many were sent.
func (a *answer) pieces() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent
}

func (a *answer) countRequest() {
	if a.asked != never && a.requested != never && !a.warm {
		a.group.add(&a.group.request, a.requested-a.asked)
	}
}

// next takes the next piece's number and notes that it leaves now.
func (a *answer) next(now time.Duration) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first == never {
		a.first = now
	}
	a.times = append(a.times, now)
	a.sent++
	return a.sent - 1
}

// timeOf is when a piece was sent that nobody has seen yet.
func (a *answer) timeOf(piece int) time.Duration { return a.times[piece-a.base] }

// end notes that the stream has come to its end, and tells whether all of it is shown already.
func (a *answer) end(now time.Duration, broken bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended, a.broken = now, broken
	return a.finish(now)
}

// finish notes when the answer is whole. The caller holds the lock. It is true once.
func (a *answer) finish(now time.Duration) bool {
	if a.whole != never || a.ended == never || a.shown < a.sent {
		return false
	}
	a.whole = now
	if !a.warm {
		a.group.add(&a.group.rest, now-a.ended)
	}
	return true
}

// see takes a new state of one of the answer's messages. found are the words in it, of this answer and others. It tells
// whether the answer has become whole.
func (a *answer) see(kind sim.SeenKind, ref sim.Ref, at time.Duration, found []word) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.shown
	age := time.Duration(0)
	if a.sent > a.best {
		age = at - a.timeOf(a.best)
	}
	opens, closed := a.update(kind, ref, found)
	a.last = at
	a.shown = min(a.prefix(), a.sent)
	if a.warm {
		return a.finish(at)
	}
	a.group.state(kind, age, a.shown < before)
	for i := a.best; i < a.shown; i++ {
		a.group.lagOf(at - a.timeOf(i))
	}
	if a.best == 0 && a.shown > 0 {
		a.group.add(&a.group.firstText, at-a.first)
	}
	a.best = max(a.best, a.shown)
	if a.pending && !opens {
		a.group.add(&a.group.stale, a.staleness)
	}
	a.pending = kind != sim.Deleted && !closed
	if a.staleness = 0; a.sent > a.best {
		a.staleness = max(at-a.timeOf(a.best), 0) // a piece that left after the state was stored is not missing in it
	}
	a.times, a.base = a.times[a.best-a.base:], a.best
	return a.finish(at)
}

// update notes what a message shows. opens tells that the message begins where the others end: then the one before was full.
// closed tells that another one goes on after it: then it shows no more than it did.
func (a *answer) update(kind sim.SeenKind, ref sim.Ref, found []word) (opens, closed bool) {
	p := part{ref: ref, first: -1, last: -1}
	for _, w := range found {
		if w.id != a.text.id {
			a.mixed = true
			continue
		}
		if p.first < 0 {
			p.first = w.seq
		} else if w.seq != p.last+1 {
			p.gap = true
		}
		if !p.gap {
			p.last = w.seq
		}
	}
	if kind == sim.Posted { // what was a draft is a message now
		a.parts = slices.DeleteFunc(a.parts, func(p part) bool { return isDraft(p.ref) })
	}
	i := slices.IndexFunc(a.parts, func(p part) bool { return p.ref == ref })
	if i >= 0 {
		a.parts = slices.Delete(a.parts, i, i+1)
	}
	if kind == sim.Deleted || p.first < 0 {
		return false, false
	}
	opens = i < 0 && len(a.parts) > 0 && p.first == a.parts[len(a.parts)-1].last+1
	at, _ := slices.BinarySearchFunc(a.parts, p, func(x, y part) int { return cmp.Compare(x.first, y.first) })
	a.parts = slices.Insert(a.parts, at, p)
	return opens, at < len(a.parts)-1
}

// prefix is how many pieces are visible from the first one on without a gap.
func (a *answer) prefix() int {
	n := 0
	for _, p := range a.parts {
		if p.first > n {
			break
		}
		n = max(n, p.last+1)
		if p.gap {
			break
		}
	}
	return n
}

// settle counts what was kept back until the answer's last state was known.
func (a *answer) settle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending && !a.warm {
		a.group.add(&a.group.stale, a.staleness)
	}
	a.pending = false
}
