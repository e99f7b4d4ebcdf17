package bench

import (
	"fmt"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

// Text is what became of the answers' text. In a good run Answers and Whole are equal, and all else is 0.
type Text struct {
	Answers    int `json:"answers"`
	Whole      int `json:"whole"`
	Pieces     int `json:"pieces"`          // sent
	Lost       int `json:"lost"`            // pieces that are not shown while a later one is
	Missing    int `json:"missing_at_end"`  // pieces that are not shown, nor any later one: lost, or late
	Doubled    int `json:"doubled"`         // pieces that are shown once more than sent
	Disordered int `json:"out_of_order"`    // pieces that stand before one that was sent earlier
	Altered    int `json:"altered_answers"` // all pieces are there, but what stands between their names is not what was sent
	Mixed      int `json:"mixed_answers"`   // show text of another answer
	Unfinished int `json:"never_whole"`     // were not shown whole in the time that Config.Wait gave
	CutOff     int `json:"cut_off"`         // the bridge closed the stream before its end
	Twice      int `json:"asked_twice"`     // questions that reached ClickAI more than once
	Unanswered int `json:"never_asked"`     // questions that did not reach ClickAI
	// Examples tell some of it in words.
	Examples []string `json:"examples,omitempty"`
}

func (t *Text) example(format string, args ...any) {
	const most = 10
	if len(t.Examples) < most {
		t.Examples = append(t.Examples, fmt.Sprintf(format, args...))
	}
}

func (t *Text) add(o Text) {
	t.Answers += o.Answers
	t.Whole += o.Whole
	t.Pieces += o.Pieces
	t.Lost += o.Lost
	t.Missing += o.Missing
	t.Doubled += o.Doubled
	t.Disordered += o.Disordered
	t.Altered += o.Altered
	t.Mixed += o.Mixed
	t.Unfinished += o.Unfinished
	t.CutOff += o.CutOff
	t.Twice += o.Twice
	t.Unanswered += o.Unanswered
	for _, e := range o.Examples {
		t.example("%s", e)
	}
}

// verify compares what a reader sees of an answer with what was sent.
func (t *Text) verify(a *answer, find func(sim.Ref) (sim.Message, bool)) {
	a.mu.Lock()
	sent, parts := a.sent, a.parts
	whole, broken, mixed, requested := a.whole != never, a.broken, a.mixed, a.requested != never
	a.mu.Unlock()
	t.Answers++
	t.Pieces += sent
	name := string(appendTag(nil, a.text.id))
	var b strings.Builder
	for _, p := range parts {
		if m, ok := find(p.ref); ok {
			b.WriteString(m.Shown)
			b.WriteByte('\n')
		}
	}
	shown := b.String()
	before := *t
	switch {
	case !requested:
		t.Unanswered++
		t.example("%s: the question did not reach ClickAI", name)
	case broken:
		t.CutOff++
		t.example("%s: its stream was cut after %d pieces", name, sent)
	case !whole:
		t.Unfinished++
		t.example("%s: not shown whole in time", name)
	}
	mixed = t.compare(a, name, shown, sent) || mixed
	if mixed {
		t.Mixed++
		t.example("%s: text of another answer stands in it", name)
	}
	if t.sum() == before.sum() {
		t.Whole++
	}
}

// sum is 0 when nothing is wrong.
func (t *Text) sum() int {
	return t.Lost + t.Missing + t.Doubled + t.Disordered + t.Altered + t.Mixed + t.Unfinished + t.CutOff + t.Twice + t.Unanswered
}

// gaps counts what is not shown; last is the last piece that is.
func (t *Text) gaps(name string, times []uint8, last int) {
	for from := 0; from < len(times); from++ {
		if times[from] > 0 {
			continue
		}
		to := from
		for to < len(times) && times[to] == 0 {
			to++
		}
		if from < last {
			t.Lost += to - from
		} else {
			t.Missing += to - from
		}
		t.example("%s: of %d pieces, %d to %d are not shown", name, len(times), from, to-1)
		from = to
	}
}

// compare looks for each piece in what is shown, and then for what stands between. It tells whether words of other answers
// are among them.
func (t *Text) compare(a *answer, name, shown string, sent int) (mixed bool) {
	times := make([]uint8, sent)
	last, damage := -1, t.sum()
	for _, w := range words(shown, nil) {
		switch {
		case w.id != a.text.id:
			mixed = true
			continue
		case w.seq >= sent || times[w.seq] > 0:
			t.Doubled++
			t.example("%s: piece %d is shown twice", name, w.seq)
			continue
		case w.seq < last:
			t.Disordered++
			t.example("%s: piece %d stands behind piece %d", name, w.seq, last)
		}
		times[w.seq]++
		last = max(last, w.seq)
	}
	t.gaps(name, times, last)
	if t.sum() != damage || mixed {
		return mixed
	}
	var want []byte
	for seq := range sent {
		want = a.text.appendPiece(want, seq)
	}
	if got, want := essence(shown), essence(string(want)); got != want {
		t.Altered++
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		around := func(s string) string { return strings.ToValidUTF8(s[max(0, min(len(s), i-20)):min(len(s), i+20)], "?") }
		t.example("%s: shows …%s… where …%s… was sent", name, around(got), around(want))
	}
	return mixed
}
