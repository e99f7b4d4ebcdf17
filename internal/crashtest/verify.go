package crashtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

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
	troubles []Trouble
}

// check looks at all questions from a number on, asked since began.
func (s *scene) check(from int, began time.Time) {
	e := &evidence{s: s, asked: s.w.asked(from), byID: map[int]*question{}, turns: byQuestion(s.set.ClickAI.Turns()), uploaded: map[string][]clickai.Upload{}}
	for _, u := range s.set.ClickAI.Uploads() {
		e.uploaded[string(u.Data)] = append(e.uploaded[string(u.Data)], u)
	}
	e.kills, e.starts = s.k.history()
	e.troubles = s.pastTroubles()
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
			if !keyless[q.platform()] || !e.lostAbout(q.platform(), at[i-1].At, m.At) {
				e.s.res.fail("%s: the file %s of question %d stands there %d times\n%s", q.platform(), f.Name, q.id, len(at), e.story(q))
				continue
			}
			e.s.res.platform(q.platform()).DoubledFiles++
		}
	}
}
