package crashtest

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

// watch keeps what is seen while people ask.
type watch struct {
	mode clickai.Mode

	mu        sync.Mutex
	questions []*question // by id
	last      time.Time   // of the last thing that happened
	unknown   []string    // queries that name no question
	limited   int
	posts     int
}

// add gives a question its number with make.
func (w *watch) add(shape func(id int) *question) *question {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := shape(len(w.questions))
	w.questions = append(w.questions, q)
	return q
}

func (w *watch) questionLocked(id int) *question {
	if id < 0 || id >= len(w.questions) {
		return nil
	}
	return w.questions[id]
}

// observe is the stand-ins' observer.
func (w *watch) observe(s sim.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = s.At
	switch s.Kind {
	case sim.Limited:
		w.limited++
		return
	case sim.Posted:
		w.posts++
	default:
	}
	if strings.HasPrefix(s.Ref.ID, "draft:") {
		return // it goes by itself
	}
	if s.Kind == sim.Deleted {
		for _, q := range w.questions {
			if slices.ContainsFunc(q.seen, func(o state) bool { return o.ref == s.Ref }) {
				q.seen = append(q.seen, state{kind: s.Kind, ref: s.Ref, at: s.At})
			}
		}
		return
	}
	for _, f := range findPieces(s.Text) {
		q := w.questionLocked(f.id)
		if q == nil {
			continue // found by the check as text that belongs nowhere
		}
		q.seen = append(q.seen, state{kind: s.Kind, ref: s.Ref, at: s.At, pieces: f.pieces})
		if q.left == 0 {
			continue
		}
		for _, p := range f.pieces {
			if p < len(q.have) && !q.have[p] {
				q.have[p] = true
				q.left--
			}
		}
		if q.left == 0 {
			close(q.whole)
		}
	}
}

// answer is the agent of ClickAI's stand-in.
func (w *watch) answer(a clickai.Ask) []clickai.Step {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = a.At
	var all []*question
	for _, id := range asks(a.Question) {
		if q := w.questionLocked(id); q != nil {
			all = append(all, q)
		}
	}
	if len(all) == 0 {
		w.unknown = append(w.unknown, a.Question)
		return []clickai.Step{clickai.Text("Nobody asked this.")}
	}
	return steps(w.mode, all)
}

// quietSince is when something was last seen.
func (w *watch) quietSince() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// asked are the questions from a number on.
func (w *watch) asked(from int) []*question {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*question(nil), w.questions[from:]...)
}

// open counts the questions from a number on that are not answered whole.
func (w *watch) open(from int) int {
	n := 0
	for _, q := range w.asked(from) {
		select {
		case <-q.whole:
		default:
			n++
		}
	}
	return n
}

// superseded tells whether a message shows what another one, posted later, shows again: nothing of it was stored, so nobody can
// know what it is about.
func (w *watch) superseded(q *question, at sim.Ref) bool {
	first := -1
	for _, s := range w.states(q) {
		switch {
		case s.kind != sim.Posted:
		case s.ref == at:
			first = s.pieces[0]
		case first == s.pieces[0]:
			return true
		}
	}
	return false
}

// states are what was seen of a question's answer.
func (w *watch) states(q *question) []state {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]state(nil), q.seen...)
}
