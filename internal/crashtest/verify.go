package crashtest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

// unstored is how long after something was seen it may not be stored yet. It is many times what a write takes, since the
// machine may be busy with other things.
const unstored = time.Second

// keyless are the platforms that take messages without a key by which they, or the bridge, could know one again.
var keyless = map[string]bool{"telegram": true}

// shown is a message of the bot as it stands.
type shown struct {
	sim.Message
	platform string
}

// evidence is what is to be judged after a round.
type evidence struct {
	s        *scene
	asked    []*question
	byID     map[int]*question
	messages []shown
	turns    map[int][]clickai.Turn      // by question, in order of arrival
	uploaded map[string][]clickai.Upload // by content
	kills    []Kill
	starts   []time.Time
}

// check looks at all questions from a number on, asked since began.
func (s *scene) check(from int, began time.Time) {
	e := &evidence{s: s, asked: s.w.asked(from), byID: map[int]*question{}, turns: byQuestion(s.set.ClickAI.Turns()), uploaded: map[string][]clickai.Upload{}}
	for _, u := range s.set.ClickAI.Uploads() {
		e.uploaded[string(u.Data)] = append(e.uploaded[string(u.Data)], u)
	}
	e.kills, e.starts = s.k.history()
	for _, q := range e.asked {
		e.byID[q.id] = q
		s.res.platform(q.platform()).Questions++
	}
	e.collect(began)
	e.strays()
	for _, q := range e.asked {
		if e.answer(q) {
			s.res.platform(q.platform()).Answers++
		}
		e.files(q)
		e.uploads(q)
		e.askings(q)
	}
	e.conversations()
	e.ratings(from)
	for _, query := range s.w.unknown {
		s.res.fail("ClickAI was asked what nobody asked: %q", query)
	}
	s.w.unknown = nil
}

func (q *question) platform() string { return q.conv.spot.platform.Name() }

// collect reads what the bot has written since the round began, or changed.
func (e *evidence) collect(began time.Time) {
	for _, p := range e.s.set.Platforms() {
		for _, at := range p.Places() {
			for _, m := range p.Messages(at.Room, at.Thread) {
				if m.Bot && (!m.At.Before(began.Add(-time.Second)) || e.ours(m)) {
					e.messages = append(e.messages, shown{m, p.Name()})
				}
			}
		}
	}
}

// ours tells whether a message shows something of the questions that are judged.
func (e *evidence) ours(m sim.Message) bool {
	return slices.ContainsFunc(findPieces(m.Shown), func(f found) bool { return e.byID[f.id] != nil })
}

// strays are messages that belong to no answer, or stand where it does not belong.
func (e *evidence) strays() {
	for _, m := range e.messages {
		all := findPieces(m.Shown)
		if len(all) == 0 && len(m.Files) == 0 && !e.doubledStatus(m) {
			e.s.res.fail("%s: a message that is no answer stands in %s/%s: %q\n%s", m.platform, m.Room, m.Thread, m.Shown, e.around(m))
		}
		for _, f := range all {
			q := e.byID[f.id]
			if q != nil && (q.platform() != m.platform || q.room != m.Room || q.thread != m.Thread) {
				e.s.res.fail("%s: the answer to question %d stands in %s/%s, not in %s/%s\n%s", m.platform, q.id, m.Room, m.Thread, q.room, q.thread, e.story(q))
			}
		}
		if s, ok := e.s.platformOf(m.platform).(interface{ Streaming(at sim.Ref) bool }); ok && s.Streaming(m.Ref) {
			e.s.res.fail("%s: a stream is left open: %q", m.platform, m.Shown)
		}
	}
}

// doubledStatus tells whether a message is a status line, before the answer, that the known window has left behind, and counts
// it.
func (e *evidence) doubledStatus(m shown) bool {
	kill, ok := e.killAfter(m.At) // in whole seconds, rounded down
	if !keyless[m.platform] || !strings.HasSuffix(m.Shown, " …") || !ok || kill.At.Sub(m.At) > unstored+time.Second {
		return false
	}
	e.s.res.platform(m.platform).Doubled++
	return true
}

// around is the story of the questions asked in a message's place.
func (e *evidence) around(m shown) string {
	for _, q := range slices.Backward(e.asked) {
		if q.platform() == m.platform && q.room == m.Room && q.thread == m.Thread && q.asked.Before(m.At) {
			return e.story(q)
		}
	}
	return ""
}

// part is a message that shows some of an answer.
type part struct {
	m      shown
	pieces []int
}

// answer tells whether a question is answered once and whole. What the known window has doubled is counted.
func (e *evidence) answer(q *question) bool {
	var parts []part
	for _, m := range e.messages {
		for _, f := range findPieces(m.Shown) {
			if f.id == q.id {
				parts = append(parts, part{m, f.pieces})
			}
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return a.m.At.Compare(b.m.At) })
	res := e.s.res
	if len(parts) == 0 {
		res.fail("%s: question %d has no answer\n%s", q.platform(), q.id, e.story(q))
		return false
	}
	fine := true
	var whole []int
	for i, p := range parts {
		again := slices.IndexFunc(parts[i+1:], func(o part) bool { return o.pieces[0] == p.pieces[0] })
		if again < 0 {
			whole = append(whole, p.pieces...)
			continue
		}
		if !e.doubled(q, p, parts[i+1+again]) {
			fine = false
			res.fail("%s: the answer to question %d stands there twice: %s shows it from %d on, and so does another\n%s", q.platform(), q.id, p.m.ID, p.pieces[0], e.story(q))
		}
	}
	want := make([]int, q.pieces)
	for i := range want {
		want[i] = i
	}
	if !slices.Equal(whole, want) {
		res.fail("%s: the answer to question %d is not whole: %d pieces of %d stand there%s\n%s", q.platform(), q.id, len(whole), q.pieces, e.notice(parts), e.story(q))
		return false
	}
	if n := e.notice(parts); n != "" {
		res.fail("%s: the answer to question %d is whole and has a notice%s\n%s", q.platform(), q.id, n, e.story(q))
		return false
	}
	return fine
}

// notice is the line of the bridge's own that stands under an answer.
func (e *evidence) notice(parts []part) string {
	for _, p := range parts {
		for line := range strings.Lines(p.m.Shown) {
			if strings.ContainsAny(line, "⚠⏳📎⏹") {
				return fmt.Sprintf(" %q", strings.TrimSpace(line))
			}
		}
	}
	return ""
}

// doubled tells whether a message is there a second time because of the known window, and counts it.
func (e *evidence) doubled(q *question, first, second part) bool {
	if !keyless[q.platform()] {
		return false
	}
	states := e.s.w.states(q)
	one, two := posted(states, first.m), posted(states, second.m)
	kill, ok := e.killAfter(one.Add(-inTransit))
	if !ok || kill.At.After(two) || kill.At.Sub(one) > unstored {
		return false
	}
	// Whatever was done after it for the same answer came after it was stored.
	for _, s := range states {
		if s.at.After(one) && s.at.Before(kill.At) {
			return false
		}
	}
	p := e.s.res.platform(q.platform())
	p.Doubled++
	if kill.Point == (Point{}) {
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

// inTransit is how long a request may have been under way when it is first seen: the process may have died meanwhile.
const inTransit = 30 * time.Millisecond

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

// files looks for the files of an answer.
func (e *evidence) files(q *question) {
	for _, f := range q.made {
		e.s.res.platform(q.platform()).Made++
		var at []shown
		for _, m := range e.messages {
			for _, have := range m.Files {
				if bytes.Equal(have.Data, f.Data) {
					at = append(at, m)
				}
			}
		}
		if len(at) == 0 {
			e.s.res.fail("%s: the file %s of the answer to question %d is missing\n%s", q.platform(), f.Name, q.id, e.story(q))
			continue
		}
		slices.SortFunc(at, func(a, b shown) int { return a.At.Compare(b.At) })
		for i, m := range at {
			if m.Room != q.room || m.Thread != q.thread {
				e.s.res.fail("%s: the file %s of question %d stands in %s/%s", q.platform(), f.Name, q.id, m.Room, m.Thread)
			}
			if i == 0 {
				continue
			}
			kill, ok := e.killAfter(at[i-1].At.Add(-inTransit))
			if !keyless[q.platform()] || !ok || kill.At.After(m.At) || kill.At.Sub(at[i-1].At) > unstored {
				e.s.res.fail("%s: the file %s of question %d stands there %d times\n%s", q.platform(), f.Name, q.id, len(at), e.story(q))
				continue
			}
			e.s.res.platform(q.platform()).DoubledFiles++
		}
	}
}

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

// unknown tells whether the bridge could not know at a later time that a turn had begun: it began a conversation, so there is
// no history to look at, and the process died before it can have stored what ClickAI sent.
func (e *evidence) unknown(q *question, t clickai.Turn, later time.Time) bool {
	return t.ConversationSent == "" && e.unwritten(q, t, later)
}

// unwritten tells whether the process that asked in a turn died, before a later time, when nothing of it needs to have been
// stored.
func (e *evidence) unwritten(q *question, t clickai.Turn, later time.Time) bool {
	kill, ok := e.killAfter(t.Started.Add(-inTransit))
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

// uploads looks for the files that came with a question.
func (e *evidence) uploads(q *question) {
	all := e.turnsOf(q)
	for _, f := range q.uploads {
		p := e.s.res.platform(q.platform())
		p.Uploads++
		at := e.uploaded[string(f.Data)]
		for i, u := range at[min(1, len(at)):] {
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

// order wants the questions of a conversation asked as they came. Slack promises no order to what it delivers again.
func (e *evidence) order(all []asking) {
	for i, a := range all[min(1, len(all)):] {
		before := all[i]
		if a.t.ID >= before.t.ID || e.byID[a.q.id] == nil {
			continue // in order, or judged already
		}
		// No socket may have been open, or the one that took it died.
		if a.q.platform() == "slack" && e.startedIn(before.q.asked.Add(-unstored), a.t.Started) {
			e.s.res.platform("slack").Reordered++
			continue
		}
		e.s.res.fail("%s: question %d was asked before question %d, which came earlier\n%s    the earlier one:\n%s", a.q.platform(), a.q.id, before.q.id,
			e.story(a.q), e.story(before.q))
	}
}

// ratings compares what ClickAI has with what people said last.
func (e *evidence) ratings(from int) {
	for _, q := range e.s.ratingsMissing(from) {
		e.s.res.fail("%s: question %d is rated %q, which ClickAI does not have\n%s", q.platform(), q.id, q.rated, e.story(q))
	}
	all := e.s.set.ClickAI.Ratings()
	for _, q := range e.asked {
		if q.rating == "" || !q.conv.spot.rate {
			continue
		}
		p := e.s.res.platform(q.platform())
		p.Ratings++
		turns := e.turnsOf(q)
		if len(turns) == 0 {
			continue
		}
		before := "-"
		for _, r := range all {
			if r.MessageID != turns[len(turns)-1].MessageID {
				continue
			}
			if r.Rating == before {
				if _, killed := e.killAfter(q.asked); !killed {
					e.s.res.fail("%s: the rating of question %d was sent twice", q.platform(), q.id)
				}
				p.RatedAgain++
			}
			before = r.Rating
		}
	}
}

// ratingsMissing are the questions whose ratings ClickAI does not have as people gave them.
func (s *scene) ratingsMissing(from int) []*question {
	have := map[string]string{}
	for _, r := range s.set.ClickAI.Ratings() {
		have[r.MessageID] = r.Rating
	}
	turns := byQuestion(s.set.ClickAI.Turns())
	var missing []*question
	for _, q := range s.w.asked(from) {
		if q.rated == "" && !q.withdraw {
			continue
		}
		id := ""
		if all := turns[q.id]; len(all) > 0 {
			id = all[len(all)-1].MessageID
		}
		if have[id] != q.rated && !s.w.superseded(q, q.ratedRef) {
			missing = append(missing, q)
		}
	}
	return missing
}

// story is what was seen of a question, in order.
func (e *evidence) story(q *question) string {
	type line struct {
		at   time.Time
		text string
	}
	lines := []line{{q.asked, fmt.Sprintf("asked in %s/%s, %d pieces, %d files in, %d out", q.room, q.thread, q.pieces, len(q.uploads), len(q.made))}}
	until := q.asked
	for _, s := range e.s.w.states(q) {
		text := fmt.Sprintf("%s %s: %d pieces", s.kind, s.ref.ID, len(s.pieces))
		if n := len(s.pieces); n > 0 {
			text += fmt.Sprintf(" from %d to %d", s.pieces[0], s.pieces[n-1])
		}
		lines = append(lines, line{s.at, text})
		until = later(until, s.at)
	}
	for _, t := range e.turnsOf(q) {
		lines = append(lines, line{t.Started, fmt.Sprintf("asked at ClickAI with %q, got %q, message %s, %s", t.ConversationSent, t.ConversationID, t.MessageID, t.Status)})
		until = later(until, t.Started)
		if !t.Ended.IsZero() {
			lines = append(lines, line{t.Ended, "ClickAI has answered"})
			until = later(until, t.Ended)
		}
	}
	if !q.reacted.IsZero() {
		lines = append(lines, line{q.reacted, fmt.Sprintf("rated %q at message %s", q.rating, q.ratedRef.ID)})
		until = later(until, q.reacted)
	}
	for _, k := range e.kills {
		if k.At.After(q.asked) && k.At.Before(until.Add(time.Second)) {
			lines = append(lines, line{k.At, "KILL " + k.String()})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at.Sub(q.asked), b.at.Sub(q.asked)) })
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "    %8v %s\n", l.at.Sub(q.asked).Round(100*time.Microsecond), l.text)
	}
	return b.String()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
