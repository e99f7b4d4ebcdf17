package crashtest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/sim/clickai"
)

func TestTag(t *testing.T) {
	for _, id := range []int{0, 1, 25, 26, 27, 676, 12345, 26*26*26*26 - 1} {
		if s := tag(id); len(s) != tagLetters || untag(s) != id {
			t.Errorf("tag(%d) = %q, which is %d", id, s, untag(s))
		}
	}
}

// TestPieces finds in an answer what was put into it, also where two answers share a message.
func TestPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	a, b := shape(r, 7, 300), shape(r, 8, 300)
	var text strings.Builder
	for _, q := range []*question{a, b} {
		for i := range q.pieces {
			text.WriteString(q.piece(i))
		}
		text.WriteString("\n\n")
	}
	got := findPieces(text.String())
	if len(got) != 2 || got[0].id != 7 || got[1].id != 8 {
		t.Fatalf("found %v", got)
	}
	for i, q := range []*question{a, b} {
		want := make([]int, q.pieces)
		for n := range want {
			want[n] = n
		}
		if !slices.Equal(got[i].pieces, want) {
			t.Errorf("question %d: pieces = %v", q.id, got[i].pieces)
		}
	}
}

// TestNoPieces wants nothing found in what is no piece.
func TestNoPieces(t *testing.T) {
	for _, s := range []string{"", "w", "w0001", "w0001aaa", "xw0001aaaa", "w0001aaaab", "w00x1aaaa", "w0001aaAa", "w0001aaa1", "where w12345aaa"} {
		if got := findPieces(s); got != nil {
			t.Errorf("in %q: %v", s, got)
		}
	}
	if got := findPieces("*w0001aaaa*, www0002aaab (w0003aaac)"); len(got) != 2 || got[0].pieces[0] != 1 || got[1].pieces[0] != 3 {
		t.Errorf("found %v", got)
	}
}

func TestAsks(t *testing.T) {
	a, b := &question{id: 3}, &question{id: 700}
	for _, c := range []struct {
		name, query string
		want        []int
	}{
		{"one", a.text(), []int{3}},
		{"two that waited together", a.text() + "\n" + b.text(), []int{3, 700}},
		{"with a name before it", "Person 1: " + b.text(), []int{700}},
		{"the same again", a.text() + "\n" + a.text(), []int{3}},
		{"none", "What is it?", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := asks(c.query); !slices.Equal(got, c.want) {
				t.Errorf("asks(%q) = %v, want %v", c.query, got, c.want)
			}
		})
	}
}

// TestShape wants the same questions for the same seed, and all kinds of them.
func TestShape(t *testing.T) {
	draw := func(seed uint64) (all []*question) {
		r := rand.New(rand.NewPCG(seed, 0))
		for i := range 200 {
			all = append(all, shape(r, i, 300))
		}
		return all
	}
	one, two := draw(1), draw(1)
	var long, up, made, rated, withdrawn int
	for i, q := range one {
		if o := two[i]; q.pieces != o.pieces || q.every != o.every || len(q.uploads) != len(o.uploads) || q.rating != o.rating {
			t.Fatalf("question %d differs: %+v and %+v", i, q, o)
		}
		count := func(n *int, when bool) {
			if when {
				*n++
			}
		}
		count(&long, q.pieces >= 300)
		count(&up, len(q.uploads) > 0)
		count(&made, len(q.made) > 0)
		count(&rated, q.rating != "")
		count(&withdrawn, q.withdraw)
	}
	for name, n := range map[string]int{"long": long, "with files": up, "with files of the app": made, "rated": rated, "withdrawn": withdrawn} {
		if n < 3 {
			t.Errorf("%d of 200 questions are %s", n, name)
		}
	}
	if n := len(steps(clickai.ModeAgentChat, one[:1])); n < 4 {
		t.Errorf("an agent's answer has %d steps", n)
	}
}
