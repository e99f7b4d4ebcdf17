package crashtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

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
	for _, t := range e.troubles {
		if (t.Service == q.platform() || t.Service == "clickai") && t.Until.After(q.asked) && t.From.Before(until.Add(time.Second)) {
			lines = append(lines, line{t.From, "TROUBLE " + t.String()})
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
