package slack_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sim "github.com/clickai/bridge/internal/sim"
)

// The tests of this file are not parallel to those of others, since they take more of the machine than its clock can bear
// on which the others wait; virtual time does not mind.

// worse is how much older unseen text may get than the limits make necessary.
const worse = 1.2

// flicker is the least time between two states of one message: also with room for more, text may be as old.
const flicker = time.Second

// TestManyAnswers has up to a hundred answers at once in one workspace: each is shown whole, none meets a 429, first texts
// and last edits wait for nothing but themselves, and no text is hidden for much longer than it must be.
func TestManyAnswers(t *testing.T) {
	tests := []struct {
		name   string
		scene  scene
		within time.Duration
	}{
		// 50 edits a minute for 100 answers: each is edited every two minutes, and the last edits take as long.
		{"100 of five minutes", scene{answers: 100, rooms: 10, words: 100, each: 3 * time.Second}, 8 * time.Minute},
		{"100 of half a minute", scene{answers: 100, rooms: 10, words: 15, each: 2 * time.Second}, 4 * time.Minute},
		{"40 in one room", scene{answers: 40, rooms: 1, words: 60, each: 3 * time.Second}, 5 * time.Minute},
		{"10", scene{answers: 10, rooms: 2, words: 60, each: 2 * time.Second}, 3 * time.Minute},
		// Last edits while others are still being refreshed.
		{"30 one after the other", scene{answers: 30, rooms: 3, words: 30, each: 2 * time.Second, every: 3 * time.Second}, 5 * time.Minute},
		{"one", scene{answers: 1, rooms: 1, words: 150, each: 300 * time.Millisecond}, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inWorkshop(t, tt.scene, func(t *testing.T, w *workshop) {
				w.askAll()
				pass(tt.within)
				w.kept()
				w.wholeOnce()
				all := w.states()
				w.inOrder(all)
				age, least := w.oldest(all), max(w.possible(), flicker)
				t.Logf("%d calls; unseen text got %v old, %v is possible", len(all), age, least)
				if float64(age) > worse*float64(least)+float64(w.each) { // a call may come just before a word

					t.Errorf("unseen text got %v old, %v is possible", age, least)
				}
			})
		})
	}
}

// TestEditsLimited: Slack refuses all edits for 30 s in the middle. None is tried meanwhile, new answers are posted as if
// nothing had happened, and all becomes whole.
func TestEditsLimited(t *testing.T) {
	const refused = 30 * time.Second
	inWorkshop(t, scene{answers: 30, rooms: 3, words: 60, each: 2 * time.Second}, func(t *testing.T, w *workshop) {
		for i := range 20 {
			w.ask(i)
		}
		pass(40 * time.Second)
		fault := sim.TooManyRequests("POST /api/chat.update", refused, 0)
		fault.For = refused - time.Millisecond
		w.sim.Faults().Add(fault)
		pass(2 * time.Second)
		from := time.Since(w.began)
		for i := range 10 {
			w.ask(20 + i)
		}
		pass(6 * time.Minute)
		w.kept()
		w.wholeOnce()
		if n := w.sim.Faults().Hits(); n != 1 {
			t.Errorf("%d edits were refused, want one: it tells how long to wait", n)
		}
		posts, edits, after := 0, 0, 0
		for _, s := range w.states() {
			switch in := s.at - from; {
			case in < 0:
			case s.kind == sim.Posted && in < 12*time.Second:
				posts++
			case s.kind == sim.Edited && in < refused-3*time.Second:
				edits++
			case s.kind == sim.Edited && in >= refused && in < refused+time.Minute:
				after++
			}
		}
		if posts != 10 || edits != 0 {
			t.Errorf("%d first texts and %d edits while edits were refused, want 10 and none", posts, edits)
		}
		if after < 28 || after > 40 {
			t.Errorf("%d edits in the minute after, want about 48 times 0.7", after)
		}
	})
}

// TestRoomLimited: Slack refuses one room for 30 s. What is asked in the others is answered meanwhile.
func TestRoomLimited(t *testing.T) {
	inWorkshop(t, scene{answers: 12, rooms: 3, words: 60, each: time.Second}, func(t *testing.T, w *workshop) {
		w.sim.Faults().Add(sim.TooManyRequests("POST /api/chat.postMessage", 30*time.Second, 1))
		w.ask(0)
		pass(3 * time.Second)
		for i := range 11 {
			w.ask(i + 1)
		}
		pass(5 * time.Minute)
		w.kept()
		w.wholeOnce()
		if n := w.sim.Faults().Hits(); n != 1 {
			t.Errorf("%d posts were refused, want one", n)
		}
		for _, s := range w.states() {
			if !s.first {
				continue
			}
			if held := s.answer%3 == 0; held != (s.at > 30*time.Second) {
				t.Errorf("answer %d is first shown at %v", s.answer, s.at)
			}
		}
	})
}

// paragraphs are words of a length that fills messages.
func paragraphs(answer, n int) string {
	return fmt.Sprintf("%s %d-%04d\n\n", strings.Repeat("lorem ipsum ", 8), answer, n)
}

// TestRollOver: answers that outgrow a message while they run go on in the next one, and what is full is not touched again.
func TestRollOver(t *testing.T) {
	inWorkshop(t, scene{answers: 3, rooms: 2, words: 50, each: 2 * time.Second, word: paragraphs}, func(t *testing.T, w *workshop) {
		w.askAll()
		pass(5 * time.Minute)
		w.kept()
		w.rolledOver(2)
		newest := map[string]string{} // by thread: the message that grows
		done := map[string]bool{}
		for _, s := range w.shows() {
			if done[s.Ref.ID] {
				t.Errorf("message %s was touched again after it was full", s.Ref.ID)
			}
			if was := newest[s.Ref.Thread]; was != s.Ref.ID {
				done[was], newest[s.Ref.Thread] = was != "", s.Ref.ID
			}
		}
	})
}

// TestFirstBeforeNext: posts that continue answers wait for the first texts of others in the room.
func TestFirstBeforeNext(t *testing.T) {
	const long, late = 10, 4
	inWorkshop(t, scene{answers: long + late, rooms: 1, words: 50, each: time.Second, word: paragraphs}, func(t *testing.T, w *workshop) {
		for i := range long {
			w.ask(i)
		}
		outgrown := func() (n int) {
			perThread := map[string]int{}
			for _, s := range w.shows() {
				if s.Kind == sim.Posted {
					perThread[s.Ref.Thread]++
				}
			}
			for _, posts := range perThread {
				n += posts - 1
			}
			return n
		}
		for outgrown() < 3 {
			pass(time.Second)
		}
		if n := outgrown(); n > long/2 {
			t.Fatalf("%d answers have outgrown their message already", n)
		}
		for i := range late {
			w.ask(long + i)
		}
		pass(4 * time.Minute)
		w.kept()
		w.rolledOver(2)
		first := map[int]time.Duration{}
		for _, s := range w.shows() {
			if n, ok := w.at[s.Ref.Thread]; ok && first[n] == 0 {
				first[n] = s.At.Sub(w.began)
			}
		}
		continued, posted := 0, map[string]bool{}
		for _, s := range w.shows() {
			if s.Kind != sim.Posted {
				continue
			}
			if !posted[s.Ref.Thread] {
				posted[s.Ref.Thread] = true
				continue
			}
			continued++
			at := s.At.Sub(w.began)
			for n := long; n < long+late; n++ {
				if from := w.sentAt(n, 0) + 100*time.Millisecond; from < at && at < first[n] {
					t.Errorf("at %v an answer was continued; the first text of %d waited from %v to %v", at, n, from, first[n])
				}
			}
		}
		if continued < long {
			t.Errorf("%d posts continue an answer", continued)
		}
	})
}

// rolledOver checks that every answer stands whole, over at least so many messages.
func (w *workshop) rolledOver(least int) {
	w.t.Helper()
	for thread, answer := range w.at {
		var all strings.Builder
		messages := 0
		for _, m := range w.sim.Messages(roomOf(answer%w.rooms), thread) {
			if m.Bot {
				messages++
				all.WriteString(m.Shown + "\n")
			}
		}
		if messages < least {
			w.t.Errorf("answer %d has %d messages", answer, messages)
		}
		for n := range w.words {
			if c := strings.Count(all.String(), strings.TrimSpace(w.word(answer, n))); c != 1 {
				w.t.Errorf("paragraph %d of answer %d stands there %d times", n, answer, c)
			}
		}
	}
}
