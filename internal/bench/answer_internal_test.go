package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

const ms = time.Millisecond

// stage is a group with one answer, whose pieces are sent and shown by hand. Its clock is the test's.
type stage struct {
	t     *testing.T
	epoch time.Time
	g     *group
	a     *answer
	done  int
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, epoch: time.Now()}
	s.g = newGroup(func(at time.Time) time.Duration { return at.Sub(s.epoch) },
		func(id int) *answer {
			if id == s.a.text.id {
				return s.a
			}
			return nil
		}, func(*answer) { s.done++ })
	s.a = newAnswer(text{id: 5, bytes: 20}, &conversation{}, s.g, false)
	return s
}

func (s *stage) send(at ...time.Duration) {
	for _, d := range at {
		s.a.next(d)
	}
}

// text is what a message shows that holds the pieces from first to last.
func (s *stage) text(first, last int) string {
	var b strings.Builder
	for seq := first; seq <= last; seq++ {
		b.Write(appendWord(nil, s.a.text.id, seq))
		b.WriteString(" and so on ")
	}
	return b.String()
}

func (s *stage) show(kind sim.SeenKind, id string, at time.Duration, text string) {
	s.g.observe(sim.Seen{Kind: kind, Ref: sim.Ref{Room: "C", ID: id}, At: s.epoch.Add(at), Text: text})
}

// histogram checks the number of values and their quantiles, least, median and greatest.
func (s *stage) histogram(name string, h *Histogram, want ...time.Duration) {
	s.t.Helper()
	if h.Count() != uint64(len(want)) {
		s.t.Errorf("%s: %d values, want %v", name, h.Count(), want)
		return
	}
	var exact Histogram
	for _, d := range want {
		exact.Add(d)
	}
	for q := range 11 {
		if got, want := h.Quantile(float64(q)/10), exact.Quantile(float64(q)/10); got != want {
			s.t.Errorf("%s: quantile %d/10 = %v, want %v", name, q, got, want)
		}
	}
}

func TestMeasuresOfOneAnswer(t *testing.T) {
	s := newStage(t)
	s.a.askedAt(10 * ms)
	s.a.requestedAt(13 * ms)
	s.send(100*ms, 150*ms, 200*ms)
	s.show(sim.Posted, "1", 210*ms, s.text(0, 2)) // holds all
	s.send(250*ms, 300*ms)
	s.show(sim.Edited, "1", 310*ms, s.text(0, 3)) // lacks what left at 300
	s.send(350 * ms)
	if s.a.end(360*ms, false) {
		t.Error("whole before all of it is shown")
	}
	s.show(sim.Edited, "1", 400*ms, s.text(0, 5))
	s.a.settle()
	s.histogram("question → request", &s.g.request, 3*ms)
	s.histogram("first text", &s.g.firstText, 110*ms)
	s.histogram("lag", &s.g.lag, 110*ms, 60*ms, 10*ms, 60*ms, 100*ms, 50*ms)
	s.histogram("age", &s.g.age, 110*ms, 60*ms, 100*ms)
	s.histogram("staleness", &s.g.stale, 0, 10*ms, 0)
	s.histogram("rest", &s.g.rest, 40*ms)
	if s.done != 1 || s.g.posts != 1 || s.g.edits != 2 || s.g.back != 0 {
		t.Errorf("whole %d times, %d posts, %d edits, %d back; want 1, 1, 2, 0", s.done, s.g.posts, s.g.edits, s.g.back)
	}
	if len(s.a.times) != 0 {
		t.Errorf("%d times are kept though all is shown", len(s.a.times))
	}
}

// TestFullMessages: an edit that closes a message is not stale because of what stands in the next one.
func TestFullMessages(t *testing.T) {
	s := newStage(t)
	s.send(0, 10*ms, 20*ms, 30*ms)
	s.show(sim.Posted, "1", 40*ms, s.text(0, 2)) // lacks 30: 10 ms stale, but the message is full
	s.show(sim.Posted, "2", 45*ms, s.text(3, 3))
	s.send(50 * ms)
	s.show(sim.Edited, "2", 60*ms, s.text(3, 3)) // lacks 50: 10 ms stale
	s.show(sim.Edited, "2", 70*ms, s.text(3, 4))
	s.a.settle()
	s.histogram("staleness", &s.g.stale, 0, 10*ms, 0)
	s.histogram("lag", &s.g.lag, 40*ms, 30*ms, 20*ms, 15*ms, 20*ms)
	if s.g.posts != 2 {
		t.Errorf("%d posts, want 2", s.g.posts)
	}
}

// TestTextThatGoesBack is counted, and what was seen before does not count as seen late.
func TestTextThatGoesBack(t *testing.T) {
	s := newStage(t)
	s.send(0, 10*ms, 20*ms)
	s.show(sim.Posted, "1", 30*ms, s.text(0, 2))
	s.show(sim.Edited, "1", 40*ms, s.text(0, 0))
	s.show(sim.Edited, "1", 50*ms, s.text(0, 2))
	s.histogram("lag", &s.g.lag, 30*ms, 20*ms, 10*ms)
	if s.g.back != 1 {
		t.Errorf("%d states went back, want 1", s.g.back)
	}
	s.show(sim.Deleted, "1", 60*ms, "")
	if s.g.back != 2 || s.a.shown != 0 {
		t.Errorf("after the deletion %d pieces are shown, %d went back", s.a.shown, s.g.back)
	}
}

func TestDrafts(t *testing.T) {
	s := newStage(t)
	s.send(0, 10*ms)
	s.show(sim.Drafted, "draft:7", 15*ms, s.text(0, 1))
	s.send(20 * ms)
	s.show(sim.Drafted, "draft:7", 25*ms, s.text(0, 2))
	s.a.end(30*ms, false)
	s.show(sim.Posted, "1", 35*ms, s.text(0, 2)) // takes the draft's place
	if len(s.a.parts) != 1 || s.a.parts[0].ref.ID != "1" || s.a.whole == never {
		t.Errorf("parts = %+v, whole = %v; want the message alone", s.a.parts, s.a.whole)
	}
	s.histogram("lag", &s.g.lag, 15*ms, 5*ms, 5*ms)
	if s.g.drafts != 2 || s.g.posts != 1 {
		t.Errorf("%d drafts, %d posts", s.g.drafts, s.g.posts)
	}
}

func TestGapsHoldBackWhatIsVisible(t *testing.T) {
	s := newStage(t)
	s.send(0, 0, 0, 0, 0)
	s.show(sim.Posted, "1", 10*ms, s.text(0, 1)+s.text(3, 4)) // piece 2 is missing
	if s.a.shown != 2 {
		t.Errorf("%d pieces count as visible, want 2: the third is missing", s.a.shown)
	}
	s.a.end(20*ms, false)
	if s.a.whole != never {
		t.Error("whole with a piece missing")
	}
	s.show(sim.Edited, "1", 30*ms, s.text(0, 1))
	s.show(sim.Posted, "2", 40*ms, s.text(3, 4))
	if s.a.shown != 2 {
		t.Errorf("%d pieces count as visible, want 2", s.a.shown)
	}
	s.show(sim.Edited, "1", 50*ms, s.text(0, 2))
	if s.a.shown != 5 || s.a.whole != 50*ms {
		t.Errorf("%d pieces, whole at %v; want 5 at 50ms", s.a.shown, s.a.whole)
	}
}

func TestOtherMessages(t *testing.T) {
	s := newStage(t)
	s.show(sim.Posted, "1", 10*ms, "Too many questions wait.")
	s.show(sim.Posted, "2", 10*ms, "w000001aaaa of an answer that nobody gave")
	s.send(0)
	s.show(sim.Posted, "3", 10*ms, s.text(0, 0)+"w000000aaaa")
	s.show(sim.Limited, "", 10*ms, "")
	if s.g.others != 2 || !s.a.mixed || s.g.limited != 1 || s.g.posts != 1 {
		t.Errorf("others %d, mixed %v, limited %d, posts %d; want 2, true, 1, 1", s.g.others, s.a.mixed, s.g.limited, s.g.posts)
	}
}

func TestWarmUpCountsNothing(t *testing.T) {
	s := newStage(t)
	s.a.warm = true
	s.a.askedAt(0)
	s.a.requestedAt(ms)
	s.send(2 * ms)
	s.a.end(2*ms, false)
	s.show(sim.Posted, "1", 5*ms, s.text(0, 0))
	if s.done != 1 || s.g.posts+int(s.g.lag.Count()+s.g.request.Count()+s.g.rest.Count()+s.g.age.Count()) != 0 {
		t.Errorf("whole %d times, want once and nothing counted", s.done)
	}
}

func TestVerify(t *testing.T) {
	source := func(a *answer, from, to int) string {
		var b []byte
		for seq := from; seq <= to; seq++ {
			b = a.text.appendPiece(b, seq)
		}
		return string(b)
	}
	tests := []struct {
		name  string
		shown func(a *answer) []string // by message
		want  Text
	}{
		{"whole in two messages", func(a *answer) []string { return []string{source(a, 0, 5), source(a, 6, 9)} }, Text{Whole: 1}},
		{"markup is none of it", func(a *answer) []string {
			return []string{strings.NewReplacer("*", "", "`", "", "#", "").Replace(source(a, 0, 9))}
		}, Text{Whole: 1}},
		{"lost", func(a *answer) []string { return []string{source(a, 0, 2) + source(a, 5, 9)} }, Text{Lost: 2, Unfinished: 1}},
		{"missing at the end", func(a *answer) []string { return []string{source(a, 0, 7)} }, Text{Missing: 2, Unfinished: 1}},
		{"twice", func(a *answer) []string { return []string{source(a, 0, 5), source(a, 5, 9)} }, Text{Doubled: 1}},
		{"out of order", func(a *answer) []string {
			return []string{source(a, 0, 3) + source(a, 6, 6) + source(a, 4, 5) + source(a, 7, 9)}
		}, Text{Disordered: 2, Unfinished: 1}},
		{"altered between", func(a *answer) []string {
			return []string{strings.Replace(source(a, 0, 9), " and", " or", 1) + " more"}
		}, Text{Altered: 1}},
		{"of another", func(a *answer) []string { return []string{source(a, 0, 9) + " w000000aaaa"} }, Text{Mixed: 1}},
		{"nothing", func(*answer) []string { return nil }, Text{Missing: 10, Unfinished: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t)
			s.a.requestedAt(0)
			s.a.text.bytes = 40
			for range 10 {
				s.send(0)
			}
			s.a.end(0, false)
			shown := map[string]string{}
			for i, text := range tt.shown(s.a) {
				id := fmt.Sprint(i)
				shown[id] = text
				s.show(sim.Posted, id, ms, text)
			}
			var got Text
			got.verify(s.a, func(r sim.Ref) (sim.Message, bool) {
				text, ok := shown[r.ID]
				return sim.Message{Ref: r, Shown: text}, ok
			})
			if (len(got.Examples) == 0) != (got.Whole == 1) {
				t.Errorf("examples = %q", got.Examples)
			}
			tt.want.Answers, tt.want.Pieces, got.Examples = 1, 10, nil
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}
