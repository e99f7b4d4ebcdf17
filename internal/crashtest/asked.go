package crashtest

import (
	"bytes"
	"slices"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
)

// turnsOf are the turns that a question was in, in order of arrival.
func (e *evidence) turnsOf(q *question) []clickai.Turn { return e.turns[q.id] }

// byQuestion sorts turns by the questions that were in them.
func byQuestion(turns []clickai.Turn) map[int][]clickai.Turn {
	all := map[int][]clickai.Turn{}
	for _, t := range turns {
		for _, id := range asks(t.Question) {
			all[id] = append(all[id], t)
		}
	}
	return all
}

// askings looks how often a question was asked at ClickAI.
func (e *evidence) askings(q *question) {
	all := e.turnsOf(q)
	if len(all) == 0 {
		e.s.res.fail("%s: question %d was never asked at ClickAI\n%s", q.platform(), q.id, e.story(q))
		return
	}
	for i, t := range all[:len(all)-1] {
		if !e.unknown(q, t, all[i+1].Started) {
			e.s.res.fail("%s: question %d was asked %d times\n%s", q.platform(), q.id, len(all), e.story(q))
			return
		}
		e.s.res.platform(q.platform()).AskedAgain++
	}
}

// uploads looks for the files that came with a question.
func (e *evidence) uploads(q *question) {
	all := e.turnsOf(q)
	for _, f := range q.uploads {
		p := e.s.res.platform(q.platform())
		p.Uploads++
		at := e.uploaded[string(f.Data)]
		for i, u := range at[min(1, len(at)):] {
			if l, ok := e.lost("clickai", at[i].At, u.At); ok && !l.killed {
				p.UploadedAgain++
				continue
			}
			// The ids go into the store when the question is asked.
			first := slices.IndexFunc(all, func(t clickai.Turn) bool { return t.Started.After(at[i].At) && t.Started.Before(u.At) })
			if first >= 0 && !e.unwritten(q, all[first], u.At) {
				e.s.res.fail("%s: the file %s of question %d was uploaded %d times\n%s", q.platform(), f.Name, q.id, len(at), e.story(q))
				continue
			}
			p.UploadedAgain++
		}
		if len(all) == 0 {
			continue
		}
		last := all[len(all)-1]
		if !slices.ContainsFunc(last.Files, func(r clickai.ReceivedFile) bool { return bytes.Equal(r.Data, f.Data) }) {
			e.s.res.fail("%s: the file %s did not go along with question %d\n%s", q.platform(), f.Name, q.id, e.story(q))
		}
	}
}

// conversations looks whether each conversation goes on where it was, and in order.
func (e *evidence) conversations() {
	done := map[*conversation]bool{}
	for _, q := range e.asked {
		if done[q.conv] {
			continue
		}
		done[q.conv] = true
		var all []asking
		for _, q := range q.conv.questions {
			if turns := e.turnsOf(q); len(turns) > 0 {
				all = append(all, asking{q, turns[len(turns)-1]})
			}
		}
		e.order(all)
		slices.SortStableFunc(all, func(a, b asking) int { return a.t.ID - b.t.ID })
		var last clickai.Turn
		for _, a := range all {
			if a.t.ID != last.ID && a.t.ConversationSent != last.ConversationID && e.byID[a.q.id] != nil {
				e.s.res.fail("%s: question %d went with conversation_id %q, the one before it got %q\n%s", a.q.platform(), a.q.id,
					a.t.ConversationSent, last.ConversationID, e.story(a.q))
			}
			last = a.t
		}
	}
}

// asking is a question with the turn that answered it.
type asking struct {
	q *question
	t clickai.Turn
}

// sideBySide is how far apart two messages may be written on Slack and still arrive in the other order, with nothing wrong: they
// may come over different sockets, and a busy machine reads either first.
const sideBySide = time.Second

// mixed tells whether a question may have arrived after a newer one, which was asked before it.
func (e *evidence) mixed(before *question, newer asking) bool {
	p, from := newer.q.platform(), before.asked.Add(-unstored)
	slack := p == "slack" // promises no order to what it delivers again
	if slack && e.startedIn(from, newer.t.Started) {
		return true // no socket may have been open, or the one that took it died
	}
	if slack && newer.q.asked.Sub(before.asked) < sideBySide {
		return true
	}
	_, ok := e.trouble(p, from, newer.t.Started, func(t Trouble) bool { return t.mixes || slack })
	return ok
}

// order wants the questions of a conversation asked as they came.
func (e *evidence) order(all []asking) {
	for i, a := range all[min(1, len(all)):] {
		before := all[i]
		if a.t.ID >= before.t.ID || e.byID[a.q.id] == nil {
			continue // in order, or judged already
		}
		if e.mixed(before.q, a) {
			e.s.res.platform(a.q.platform()).Reordered++
			continue
		}
		e.s.res.fail("%s: question %d was asked before question %d, which came earlier\n%s    the earlier one:\n%s", a.q.platform(), a.q.id, before.q.id,
			e.story(a.q), e.story(before.q))
	}
}
