package discord_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// TestManyAnswersInOneChannel runs 50 answers at once in one channel.
//
// What the budget makes possible: a channel takes E edits and P posts a second, in buckets of their own. The last of N first
// texts can be there when N-1 posts have gone before it, in whole windows. While N answers run, each can be edited every N/E
// seconds, and that is how old unseen text gets at the most when all get fair turns; a last edit is one of these turns. Where
// answers end one after the other, the last edits that go ahead of the turns of others take F edits a second from them, and
// N/(E-F) is left for those. The global limit is above all that.
func TestManyAnswersInOneChannel(t *testing.T) {
	const n = 50
	tests := []struct {
		name  string
		words func(i int) int // one every two seconds
	}{
		{"ending together", func(int) int { return 95 }},
		{"ending one after the other", func(i int) int { return 48 + i }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, n, nil, func(t *testing.T, r *rig) {
				words := map[int]int{}
				first, last := 1000, 0
				for i := range n {
					words[i] = tt.words(i)
					first, last = min(first, words[i]), max(last, words[i])
					r.ask(simdiscord.General, i, words[i], 2*time.Second)
					<-time.After(20 * time.Millisecond)
				}
				<-time.After(6 * time.Minute)
				r.whole(words, simdiscord.General)
				r.clean()

				limits := r.sim.Limits()
				perSecond := func(a simdiscord.Allowance) float64 { return float64(a.Calls) / a.Window.Seconds() }
				posts := time.Duration((n-1)/limits.Post.Calls) * limits.Post.Window
				edits := perSecond(limits.Edit)
				if last > first {
					edits -= float64(n) / float64(2*(last-first))
				}
				possible := max(posts, time.Duration(float64(n)/edits*float64(time.Second)))
				worst := oldest(r.ages())
				t.Logf("oldest unseen text %v (answer %s after %v), possible %v", worst.age, worst.key, worst.at.Sub(r.began), possible)
				if worst.age > possible*12/10 {
					t.Errorf("text of %s was unseen for %v; %v is possible", worst.key, worst.age, possible)
				}
				r.firstTextsFirst(limits.Post)
			})
		})
	}
}

// firstTextsFirst checks that no first text waited while the channel's posts had room. What else goes out may hold it back
// for a moment, by the spacing of all calls.
func (r *rig) firstTextsFirst(posts simdiscord.Allowance) {
	r.t.Helper()
	const moment = 250 * time.Millisecond
	shown := map[string]bool{}
	var at []time.Time
	for _, s := range r.history() {
		key, _ := shownOf(s.Text)
		if s.Kind != sim.Posted || shown[key] {
			continue
		}
		shown[key] = true
		waited := s.At.Sub(r.app.times(key)[0])
		if waited > moment && (len(at) < posts.Calls || s.At.Sub(at[len(at)-posts.Calls]) > posts.Window+moment) {
			r.t.Errorf("the first text of %s waited %v although there was room for it", key, waited)
		}
		at = append(at, s.At)
	}
}

// TestAnswersDuringARefusal: the stand-in refuses the edits of one channel for 30 s while answers run there and in another
// one. Only those edits wait, no request is sent in vain, and all answers are whole in the end.
func TestAnswersDuringARefusal(t *testing.T) {
	bubble(t, 30, nil, func(t *testing.T, r *rig) {
		general, support := map[int]int{}, map[int]int{}
		for i := range 10 {
			general[i], support[10+i] = 60, 60
			r.ask(simdiscord.General, i, 60, 2*time.Second)
			r.ask(simdiscord.Support, 10+i, 60, 2*time.Second)
			<-time.After(50 * time.Millisecond)
		}
		<-time.After(40 * time.Second)
		const hold = 30 * time.Second
		refusal := simdiscord.RateLimited("PATCH /api/v9/channels/"+simdiscord.General+"/", hold, 0, "user")
		refusal.For = hold - time.Millisecond
		r.sim.Faults().Add(refusal)
		from := time.Now()
		<-time.After(5 * time.Second)
		for i := 20; i < 24; i++ { // their first texts are no edits
			general[i] = 40
			r.ask(simdiscord.General, i, 40, time.Second)
		}
		<-time.After(5 * time.Minute)
		r.whole(general, simdiscord.General)
		r.whole(support, simdiscord.Support)
		r.clean()
		if hits := r.sim.Faults().Hits(); hits != 1 {
			t.Errorf("%d requests were sent to be refused, want 1", hits)
		}
		edits, posts := map[string]int{}, 0
		for _, s := range r.history() {
			since := s.At.Sub(from)
			switch {
			case since < time.Second || since > hold:
			case s.Kind == sim.Edited:
				edits[s.Ref.Room]++
			case s.Kind == sim.Posted && s.Ref.Room == simdiscord.General:
				posts++
			}
		}
		if edits[simdiscord.General] != 0 || edits[simdiscord.Support] < 28 || posts != 4 {
			t.Errorf("while General's edits were held: %d edits there, %d in Support, %d new messages in General; want 0, 29, 4",
				edits[simdiscord.General], edits[simdiscord.Support], posts)
		}
	})
}

// TestAnswersDuringAGlobalRefusal: nothing at all is sent while Discord refuses everything.
func TestAnswersDuringAGlobalRefusal(t *testing.T) {
	for _, scope := range []string{"global", "before Discord"} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			bubble(t, 4, nil, func(t *testing.T, r *rig) {
				general, support := map[int]int{}, map[int]int{}
				for i := range 2 {
					general[i], support[2+i] = 60, 60
					r.ask(simdiscord.General, i, 60, time.Second)
					r.ask(simdiscord.Support, 2+i, 60, time.Second)
				}
				<-time.After(20 * time.Second)
				refusal := simdiscord.RateLimited("", 30*time.Second, 0, "global")
				if scope != "global" {
					refusal.Body = "<html>error code: 1015</html>"
					refusal.Header.Del("X-RateLimit-Global")
				}
				refusal.For = 30*time.Second - time.Millisecond
				r.sim.Faults().Add(refusal)
				<-time.After(3 * time.Minute)
				r.whole(general, simdiscord.General)
				r.whole(support, simdiscord.Support)
				r.clean()
				// One in each channel may be under way when the first is refused.
				if hits := r.sim.Faults().Hits(); hits < 1 || hits > 2 {
					t.Errorf("%d requests were sent to be refused, want one or two", hits)
				}
			})
		})
	}
}

// TestFirstTextsGoFirst uses the global limit up with the edits of many channels. The first texts of new answers go ahead of
// them, and of the edits the one with the oldest text.
func TestFirstTextsGoFirst(t *testing.T) {
	const perSecond = 4
	set := func(s *core.BotSettings) { s.Limits.CallsPerSecond, s.Respond = perSecond, "all" }
	const running, all = 12, 24
	bubble(t, all, set, func(t *testing.T, r *rig) {
		rooms := make([]string, all)
		ask := func(i, words int, every time.Duration) {
			id, err := r.sim.CreateChannel(simdiscord.Channel{Name: fmt.Sprintf("room-%d", i)})
			if err != nil {
				r.t.Fatal(err)
			}
			rooms[i] = id
			r.ask(id, i, words, every)
		}
		words := map[bool]int{true: 80, false: 10}
		for i := range running { // which would be 12 edits a second
			ask(i, words[true], 500*time.Millisecond)
		}
		<-time.After(20 * time.Second)
		for i := running; i < all; i++ {
			ask(i, words[false], time.Second)
			<-time.After(700 * time.Millisecond)
		}
		<-time.After(3 * time.Minute)
		for i, room := range rooms {
			r.whole(map[int]int{i: words[i < running]}, room)
		}
		r.clean()
		shown := map[string]bool{}
		for _, s := range r.history() {
			key, _ := shownOf(s.Text)
			if shown[key] {
				continue
			}
			shown[key] = true
			// Typing and what is about to leave may take a call or two before it.
			waited := s.At.Sub(r.app.times(key)[0])
			if key >= keyOf(running) && waited > 3*time.Second/perSecond {
				t.Errorf("the first text of %s waited %v", key, waited)
			}
		}
	})
}

// TestAnswersThatRollOver: once an answer goes on in the next message, the one before is cut to where that begins, and not
// touched again.
func TestAnswersThatRollOver(t *testing.T) {
	for _, mode := range []string{"edit", "native"} { // Discord has nothing native: it is edits there too
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			bubble(t, 3, func(s *core.BotSettings) { s.Stream.Mode = mode }, func(t *testing.T, r *rig) {
				words := map[int]int{}
				for i := range 3 {
					words[i] = 600 + 10*i // of ten characters, in messages of 2,000
					r.ask(simdiscord.General, i, words[i], 200*time.Millisecond)
				}
				<-time.After(5 * time.Minute)
				for n, parts := range r.whole(words, simdiscord.General) {
					if parts < 3 || parts > 5 {
						t.Errorf("answer %d stands in %d messages", n, parts)
					}
				}
				r.clean()
				newest, edits := map[string]string{}, 0
				size, cut := map[string]int{}, map[string]bool{}
				for _, s := range r.history() {
					key, _ := shownOf(s.Text)
					switch {
					case s.Kind == sim.Posted:
						newest[key] = s.Ref.ID
					case s.Ref.ID != newest[key] && !cut[s.Ref.ID] && len(s.Text) < size[s.Ref.ID]:
						cut[s.Ref.ID] = true
					case s.Ref.ID != newest[key]:
						t.Errorf("%s: a message that was complete was %s after %v", key, s.Kind, s.At.Sub(r.began))
					default:
						edits++
					}
					size[s.Ref.ID] = len(s.Text)
				}
				if edits < 100 {
					t.Errorf("%d edits in two minutes: the answers did not grow", edits)
				}
			})
		})
	}
}

// TestAnswerLongerThanAnHour: Discord takes only a few edits of a message that is older. The answer still stands in its one
// message in the end, and others are not held back.
func TestAnswerLongerThanAnHour(t *testing.T) {
	bubble(t, 2, func(s *core.BotSettings) { s.Limits.AnswerTimeout = 5 * time.Hour }, func(t *testing.T, r *rig) {
		const old = 90
		r.ask(simdiscord.General, 0, old, time.Minute)
		<-time.After(80 * time.Minute)
		r.ask(simdiscord.General, 1, 60, time.Second)
		<-time.After(3 * time.Hour)
		r.whole(map[int]int{0: old, 1: 60}, simdiscord.General)
		refused := 0
		for _, v := range r.sim.Violations() {
			if !strings.Contains(v, "edit old message") {
				t.Errorf("violation: %s", v)
			}
			refused++
		}
		// Only a refusal tells of that limit. Each one names the time until which there is no second.
		if refused < 1 || refused > 5 {
			t.Errorf("%d edits were refused", refused)
		}
		for _, a := range r.ages() {
			if a.key == keyOf(1) && a.age > 3*time.Second {
				t.Errorf("text of another answer was unseen for %v", a.age)
			}
		}
	})
}
