package bench

import (
	"strings"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// group counts what was seen of the answers on one platform.
type group struct {
	platform sim.Platform
	clock    func(time.Time) time.Duration
	answerOf func(id int) *answer
	whole    func(*answer) // called when an answer stands whole; must not block

	mu        sync.Mutex // held for no longer than a count
	request   Histogram  // question → request
	firstText Histogram  // first piece → first text
	lag       Histogram  // piece → visible
	age       Histogram  // of the oldest text that a state did not show, when the next one came
	stale     Histogram  // of the oldest text that a state did not show, when it came
	rest      Histogram  // end → whole
	posts     int
	edits     int
	appends   int
	drafts    int
	deletes   int
	limited   int // 429, in the warm-up too
	back      int // states that showed less than the one before
	others    int // states of messages that show no answer: notices and the like
	begun     time.Duration
	latest    time.Duration // of the states

	seen  sync.Mutex // guards what follows; taken before an answer's lock
	refs  map[sim.Ref]*answer
	found []word // reused
}

func newGroup(clock func(time.Time) time.Duration, answerOf func(int) *answer, whole func(*answer)) *group {
	return &group{clock: clock, answerOf: answerOf, whole: whole, refs: map[sim.Ref]*answer{}, begun: never, latest: never}
}

func isDraft(r sim.Ref) bool { return strings.HasPrefix(r.ID, "draft:") }

// observe is the stand-in's observer. An answer is found by the words in its messages, not by the place where they stand.
func (g *group) observe(s sim.Seen) {
	if s.Kind == sim.Limited {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.limited++
		return
	}
	g.seen.Lock()
	defer g.seen.Unlock()
	g.found = words(s.Text, g.found[:0])
	a := g.refs[s.Ref]
	if len(g.found) > 0 && (a == nil || isDraft(s.Ref)) { // a draft's number may be used again
		a = g.answerOf(g.found[0].id)
	}
	if a == nil || a.group != g {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.others++
		return
	}
	if s.Kind == sim.Deleted {
		delete(g.refs, s.Ref)
	} else {
		g.refs[s.Ref] = a
	}
	if a.see(s.Kind, s.Ref, g.clock(s.At), g.found) {
		g.whole(a)
	}
}

// add counts one value.
func (g *group) add(h *Histogram, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h.Add(d)
}

func (g *group) lagOf(d time.Duration) { g.add(&g.lag, d) }

// state counts one state of an answer.
func (g *group) state(kind sim.SeenKind, age time.Duration, back bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch kind {
	case sim.Posted:
		g.posts++
	case sim.Edited:
		g.edits++
	case sim.Appended:
		g.appends++
	case sim.Drafted:
		g.drafts++
	case sim.Deleted:
		g.deletes++
	case sim.Limited:
	}
	if back {
		g.back++
	}
	g.age.Add(age)
}
