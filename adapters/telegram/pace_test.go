package telegram_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// The documented limits of a group, and of all private chats together.
var (
	groupBudget   = budget{count: simtelegram.GroupPerMinute, per: time.Minute, gap: time.Second / simtelegram.ChatPerSecond}
	overallBudget = budget{count: simtelegram.OverallPerSecond, per: time.Second}
)

// worse is how much older unseen text may get than the budget makes necessary.
const worse = 1.2

// TestManyAnswersInOneGroup has more answers at once than the group's minute has calls: each is shown whole, none is
// refreshed before all have a first text, and none waits much longer than it must.
func TestManyAnswersInOneGroup(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers int
		words   int
		each    time.Duration
		within  time.Duration
	}{
		// 20 in a minute: the 200 first texts alone take 9 minutes. Those that were shown before they were whole need a last
		// edit besides.
		{name: "200 short ones", answers: 200, words: 30, each: time.Second, within: 15 * time.Minute},
		// A call every 3 s, in turns: each is refreshed every 30 s.
		{name: "10 long ones", answers: 10, words: 300, each: time.Second, within: 8 * time.Minute},
		{name: "one", answers: 1, words: 200, each: 300 * time.Millisecond, within: 3 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, load{people: tt.answers, words: tt.words, each: tt.each}, func(t *testing.T, w *world) {
				for _, i := range upTo(tt.answers) {
					w.ask(i, crowd)
				}
				pass(tt.within)
				w.kept()
				w.wholeOnce(crowd, upTo(tt.answers)...)
				all := w.states()
				w.fresh(all)
				w.firstGoFirst(all)
				age, least := w.oldest(all), w.possible(groupBudget, upTo(tt.answers))
				t.Logf("%d calls; unseen text got %v old, %v is possible", len(all), age, least)
				if float64(age) > worse*float64(least) {
					t.Errorf("unseen text got %v old, %v is possible", age, least)
				}
			})
		})
	}
}

// TestManyPrivateChats has answers in 60 private chats at once, each of which could be refreshed every second: 30 a second
// over all is 2 s for each.
func TestManyPrivateChats(t *testing.T) {
	t.Parallel()
	const chats = 60
	inBubble(t, load{people: chats, words: 60, each: 100 * time.Millisecond}, func(t *testing.T, w *world) {
		for _, i := range upTo(chats) {
			w.ask(i, person(i))
		}
		pass(time.Minute)
		w.kept()
		for _, i := range upTo(chats) {
			w.wholeOnce(person(i), i)
		}
		all := w.states()
		w.fresh(all)
		w.firstGoFirst(all)
		for i := range all { // "30 messages per second", whatever the second
			if n := i + simtelegram.OverallPerSecond; n < len(all) && all[n].at-all[i].at < time.Second {
				t.Fatalf("from %v on, %d calls in a second", all[i].at, simtelegram.OverallPerSecond+1)
			}
		}
		age, least := w.oldest(all), w.possible(overallBudget, upTo(chats))
		t.Logf("%d calls; unseen text got %v old, %v is possible", len(all), age, least)
		if float64(age) > worse*float64(least) {
			t.Errorf("unseen text got %v old, %v is possible", age, least)
		}
	})
}

// TestFloodInOneGroup: Telegram refuses a group for 30 s in the middle. Nothing is tried there meanwhile, a private chat
// goes on as if nothing had happened, and all becomes whole.
func TestFloodInOneGroup(t *testing.T) {
	t.Parallel()
	const answers, alone, flood = 20, 20, 30 * time.Second // the last person is in a chat of their own
	inBubble(t, load{people: answers + 1, words: 120, each: time.Second}, func(t *testing.T, w *world) {
		for _, i := range upTo(answers) {
			w.ask(i, crowd)
		}
		w.ask(alone, person(alone))
		pass(40 * time.Second)
		from := time.Now()
		if err := w.sim.Flood(crowd, flood); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Minute)
		w.kept() // a call to the group while it is refused would be a violation, but for the first
		w.wholeOnce(crowd, upTo(answers)...)
		w.wholeOnce(person(alone), alone)
		during := func(s sim.Seen) bool { return !s.At.Before(from) && s.At.Before(from.Add(flood)) }
		count := func(room string) (n int) {
			for _, s := range w.shows(room) {
				if during(s) {
					n++
				}
			}
			return n
		}
		if n := count(""); n != 1 {
			t.Errorf("%d calls were refused", n)
		}
		if n := count(crowd); n != 0 {
			t.Errorf("%d calls to the group went through", n)
		}
		if n := count(person(alone)); n < 29 {
			t.Errorf("%d refreshes in the private chat in %v", n, flood)
		}
		// After the hold the group gets a lower rate than before, which recovers.
		rate := func(from, to time.Duration) (n int) {
			for _, s := range w.shows(crowd) {
				if d := s.At.Sub(w.began); d >= from && d < to {
					n++
				}
			}
			return n
		}
		if n := rate(72*time.Second, 132*time.Second); n < 12 || n > 17 {
			t.Errorf("%d calls in the minute after, want about 20 times 0.7", n)
		}
	})
}

// TestFloodStopsItsMethodOnly: a 429 to signs of typing, or to deletions, stops no text.
func TestFloodStopsItsMethodOnly(t *testing.T) {
	t.Parallel()
	inBubble(t, load{people: 1, words: 60, each: time.Second}, func(t *testing.T, w *world) {
		w.sim.Faults().Add(simtelegram.TooManyRequests("sendChatAction", 30, 1))
		w.ask(0, person(0))
		pass(20 * time.Second)
		if n := len(w.states()); n < 18 {
			t.Errorf("%d states in 20 s", n)
		}
		if n := w.sim.Faults().Hits(); n != 1 {
			t.Errorf("%d refusals", n)
		}
		pass(time.Minute)
		w.wholeOnce(person(0), 0)
	})
}

// paragraphs are words of a length that fills messages.
func paragraphs(answer, n int) string {
	return fmt.Sprintf("%s %d-%04d\n\n", strings.Repeat("lorem ipsum ", 8), answer, n)
}

// TestRollOverInAGroup: answers that outgrow a message while they run go on in the next one, and what is full is not touched
// again.
func TestRollOverInAGroup(t *testing.T) {
	t.Parallel()
	const answers = 3
	inBubble(t, load{people: answers, words: 150, each: time.Second, word: paragraphs}, func(t *testing.T, w *world) {
		for _, i := range upTo(answers) {
			w.ask(i, crowd)
		}
		pass(6 * time.Minute)
		w.kept()
		w.rolledOver(crowd, answers, 4)
		last := map[int]string{} // by answer: the newest message
		done := map[string]bool{}
		for _, s := range w.shows(crowd) {
			answer := s.Text[strings.LastIndexByte(s.Text, ' ')+1:]
			var n int
			if _, err := fmt.Sscanf(answer, "%d-", &n); err != nil {
				t.Fatalf("shown: %q", s.Text)
			}
			if done[s.Ref.ID] {
				t.Errorf("message %s was touched again after it was full", s.Ref.ID)
			}
			if was := last[n]; was != s.Ref.ID {
				done[was], last[n] = true, s.Ref.ID
			}
		}
	})
}

// rolledOver checks that the answers of a room stand whole over at least so many messages each.
func (w *world) rolledOver(room string, answers, least int) {
	w.t.Helper()
	var all strings.Builder
	messages := 0
	for _, m := range w.sim.Messages(room, "") {
		if m.Bot {
			messages++
			all.WriteString(m.Shown + "\n")
		}
	}
	if messages < answers*least {
		w.t.Errorf("%d messages for %d answers", messages, answers)
	}
	for answer := range answers {
		for n := range w.app.words {
			if c := strings.Count(all.String(), strings.TrimSpace(paragraphs(answer, n))); c != 1 {
				w.t.Errorf("paragraph %d of answer %d stands there %d times", n, answer, c)
			}
		}
	}
}

// TestDraftsOfAnAnswer: in a private chat the unfinished end of an answer is a draft; what is full becomes a message at
// once, and so does the end.
func TestDraftsOfAnAnswer(t *testing.T) {
	t.Parallel()
	inBubble(t, load{people: 1, words: 100, each: time.Second, word: paragraphs, native: true}, func(t *testing.T, w *world) {
		w.ask(0, person(0))
		pass(3 * time.Minute)
		w.kept()
		w.rolledOver(person(0), 1, 2)
		drafts := map[string]int{} // by draft: how many messages were there when it began
		posts, growing := 0, ""
		for _, s := range w.shows(person(0)) {
			switch s.Kind {
			case sim.Drafted:
				if at, ok := drafts[s.Ref.ID]; ok && at != posts {
					t.Errorf("draft %s goes on behind the message that it became", s.Ref.ID)
				}
				if _, ok := drafts[s.Ref.ID]; ok && !strings.HasPrefix(s.Text, growing) {
					t.Errorf("a draft jumped back: %q", s.Text)
				}
				drafts[s.Ref.ID], growing = posts, s.Text
			case sim.Posted:
				posts++
			default:
				t.Errorf("%s of %s", s.Kind, s.Ref.ID)
			}
		}
		if len(drafts) != posts || posts < 2 {
			t.Errorf("%d drafts for %d messages", len(drafts), posts)
		}
		if text := w.sim.Draft(person(0), ""); text != "" {
			t.Errorf("a draft is left: %q", text)
		}
	})
}

// TestDraftStays: while nothing new comes, the draft is repeated before it goes.
func TestDraftStays(t *testing.T) {
	t.Parallel()
	inBubble(t, load{people: 1, words: 2, each: 50 * time.Second, native: true}, func(t *testing.T, w *world) {
		w.ask(0, person(0))
		pass(50*time.Second + time.Millisecond)
		for range 48 {
			if text := w.sim.Draft(person(0), ""); text != "0-0000" {
				t.Fatalf("draft = %q", text)
			}
			pass(time.Second)
		}
		pass(10 * time.Second)
		w.kept()
		w.wholeOnce(person(0), 0)
	})
}

// TestDraftsFallBack: where there are no drafts, answers are shown by edits, and nobody asks again.
func TestDraftsFallBack(t *testing.T) {
	t.Parallel()
	inBubble(t, load{people: 3, words: 30, each: time.Second, native: true, noDrafts: true}, func(t *testing.T, w *world) {
		w.ask(0, person(0))
		pass(15 * time.Second)
		if n := len(w.states()); n < 10 {
			t.Errorf("%d states in 15 s", n)
		}
		w.ask(1, person(1))
		w.ask(2, crowd) // no drafts in groups in any case
		pass(time.Minute)
		w.wholeOnce(person(0), 0)
		w.wholeOnce(person(1), 1)
		w.wholeOnce(crowd, 2)
		if v := w.sim.Violations(); len(v) != 1 || !strings.Contains(v[0], "sendMessageDraft") {
			t.Errorf("violations: %q, want the one try", v)
		}
		kinds := map[sim.SeenKind]int{}
		for _, s := range slices.Concat(w.shows(person(0)), w.shows(person(1)), w.shows(crowd)) {
			kinds[s.Kind]++
		}
		if kinds[sim.Posted] != 3 || kinds[sim.Edited] < 40 {
			t.Errorf("shown: %v", kinds)
		}
		draftless, _ := telegram.Remembered(w.bot)
		if draftless != 0 || w.bot.Limits(corePlace(person(2))).DraftEvery != 0 {
			t.Error("that the server has no drafts is not remembered for the bot")
		}
	})
}
