package discord_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// reactionsOf are the reactions to a message that a host was told of, as "person emoji added", sorted.
func reactionsOf(h *host, message string) []string {
	var found []string
	for _, ev := range h.all(core.KindReaction) {
		if ev.MessageID == message {
			found = append(found, fmt.Sprintf("%s %s %t", ev.Sender.ID, ev.Reaction.Emoji, ev.Reaction.Added))
		}
	}
	slices.Sort(found)
	return found
}

// TestReactionsMissed: reactions that were put and taken back in a gap that no resume covers are found in the history, once,
// wherever the bot's messages stand, and nothing is told that was known.
func TestReactionsMissed(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"down", "killed", "cut off"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simdiscord.Options{})
			clean(t, s)
			p, h := newBot(t, s.APIURL(), simdiscord.DefaultToken), newHost()
			stop := start(t, p, h)
			h.waitUp(t, 1)

			q := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "q", Mention: true})
			h.event(t, core.KindMessage, 1)
			thread, err := p.OpenThread(t.Context(), core.MessageRef{Place: core.Place{Room: simdiscord.General}, ID: q.ID}, "q")
			if err != nil {
				t.Fatal(err)
			}
			post := func(at core.Place) sim.Ref {
				t.Helper()
				m, err := p.Post(t.Context(), core.Post{Place: at, Part: core.Part{Text: "a"}})
				if err != nil {
					t.Fatal(err)
				}
				return sim.Ref{Room: at.Room, Thread: at.Thread, ID: m.ID}
			}
			inThread, inRoom, direct := post(thread), post(core.Place{Room: simdiscord.Support}), post(core.Place{Room: simdiscord.DMMinh})
			react := func(at sim.Ref, who, emoji string) {
				t.Helper()
				if err := s.React(t.Context(), at, who, emoji); err != nil {
					t.Fatal(err)
				}
			}
			unreact := func(at sim.Ref, who, emoji string) {
				t.Helper()
				if err := s.Unreact(t.Context(), at, who, emoji); err != nil {
					t.Fatal(err)
				}
			}
			react(inThread, simdiscord.Minh, "👍")
			react(inThread, simdiscord.Anna, "👍")
			react(inRoom, simdiscord.Anna, "👎")
			react(inRoom, simdiscord.Tom, "👎")
			h.event(t, core.KindReaction, 4)
			stored(t, h, "own", simdiscord.DMMinh)
			h.wait(t, "the reactions to be stored", func() bool {
				v, _ := h.Cursor("reactions")
				return strings.Count(v, `"m":`) == 4
			})

			// The gap.
			n, before := h.next(), map[string][]string{}
			switch how {
			case "down":
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				n = h.next()
				s.InvalidateSessions(false)
			case "killed": // the process goes on, and is not heard any more
				s.InvalidateSessions(false)
				s.Faults().Add(sim.Fault{Match: "GET /api/v9/gateway", Status: 503})
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				s.Faults().Clear()
			case "cut off":
				n = h
				s.Faults().Add(sim.Fault{Match: "GET /api/v9/gateway", Status: 503})
				s.InvalidateSessions(false)
				for _, at := range []sim.Ref{inThread, inRoom} {
					before[at.ID] = reactionsOf(h, at.ID)
				}
			}
			unreact(inThread, simdiscord.Minh, "👍")
			react(inThread, simdiscord.Minh, "👎🏽")
			react(inThread, simdiscord.Minh, "👎") // the same, in another skin
			unreact(inRoom, simdiscord.Anna, "👎")
			react(inRoom, simdiscord.Minh, "👎") // as many as before, of others
			react(direct, simdiscord.Minh, "🎉")
			react(q.Ref, simdiscord.Anna, "👍") // to a person's message
			if how == "cut off" {
				s.Faults().Clear()
			} else {
				start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), n)
			}

			want := map[sim.Ref][]string{
				inThread: {simdiscord.Minh + " 👍 false", simdiscord.Minh + " 👎 true"},
				inRoom:   {simdiscord.Minh + " 👎 true", simdiscord.Anna + " 👎 false"},
				direct:   {simdiscord.Minh + " 🎉 true"},
				q.Ref:    nil,
			}
			got := func(at sim.Ref) []string {
				all := reactionsOf(n, at.ID)
				for _, known := range before[at.ID] {
					if i := slices.Index(all, known); i >= 0 {
						all = slices.Delete(all, i, i+1)
					}
				}
				return all
			}
			n.wait(t, "all reactions", func() bool {
				for at, list := range want {
					if len(got(at)) < len(list) {
						return false
					}
				}
				return true
			})
			for _, ev := range n.all(core.KindReaction) {
				if ev.MessageID == inThread.ID && ev.Place() != thread || ev.MessageID == direct.ID && !ev.Room.Direct {
					t.Errorf("place of a reaction: %+v", ev)
				}
			}
			for at, list := range want {
				if g := got(at); !slices.Equal(g, list) {
					t.Errorf("reactions to %s: %q, want %q", at.ID, g, list)
				}
			}
			// The next gap tells nothing of that again. What is taken back then may be told by the gateway and the history both.
			n.mu.Lock()
			ups := n.ups
			n.mu.Unlock()
			s.InvalidateSessions(false)
			n.waitUp(t, ups+1)
			unreact(inThread, simdiscord.Minh, "👎")
			unreact(inThread, simdiscord.Minh, "👎🏽")
			unreact(direct, simdiscord.Minh, "🎉")
			want[inThread] = []string{simdiscord.Minh + " 👍 false", simdiscord.Minh + " 👎 false", simdiscord.Minh + " 👎 true"}
			want[direct] = []string{simdiscord.Minh + " 🎉 false", simdiscord.Minh + " 🎉 true"}
			n.wait(t, "the last", func() bool { return len(got(direct)) >= 2 && len(got(inThread)) >= 3 })
			for at, list := range want {
				if g := slices.Compact(got(at)); !slices.Equal(g, list) {
					t.Errorf("reactions to %s: %q, want %q", at.ID, g, list)
				}
			}
		})
	}
}

// TestRatingsMissed: people rate answers while the gateway is cut off, and each rating reaches the app, once.
func TestRatingsMissed(t *testing.T) {
	t.Parallel()
	bubble(t, 3, nil, func(t *testing.T, r *rig) {
		gap := func(meanwhile func()) {
			r.sim.Faults().Add(sim.Fault{Match: "/gateway", Status: 503, For: time.Minute})
			r.sim.InvalidateSessions(false)
			<-time.After(5 * time.Second)
			meanwhile()
			<-time.After(5 * time.Minute)
			r.sim.Faults().Clear()
		}
		r.ask(simdiscord.General, 0, 3, time.Second)
		<-time.After(time.Minute)
		var at sim.Ref
		for _, m := range r.sim.Messages(simdiscord.General, "") {
			if m.Bot {
				at = m.Ref
			}
		}
		do := func(act func(context.Context, sim.Ref, string, string) error, by int, emoji string) {
			t.Helper()
			if err := act(t.Context(), at, person(by).ID, emoji); err != nil {
				t.Fatal(err)
			}
		}
		rated := func(want ...core.Rating) {
			t.Helper()
			if got := r.app.rated(keyOf(0)); !slices.Equal(got, want) {
				t.Errorf("rated %q, want %q", got, want)
			}
		}
		gap(func() { do(r.sim.React, 0, "👍") })
		rated(core.RatingLike)
		gap(func() {})
		rated(core.RatingLike)
		gap(func() { // as many thumbs up as before, of another person
			do(r.sim.Unreact, 0, "👍")
			do(r.sim.React, 1, "👍")
		})
		do(r.sim.Unreact, 1, "👍")
		<-time.After(time.Minute)
		all := r.app.rated(keyOf(0))
		if len(all) == 0 || all[len(all)-1] != core.RatingNone {
			t.Errorf("rated %q, want nothing in the end", all)
		}
		gap(func() { do(r.sim.React, 2, "👎") })
		if got := r.app.rated(keyOf(0)); len(got) != len(all)+1 || got[len(all)] != core.RatingDislike {
			t.Errorf("rated %q, want a dislike after %q", got, all)
		}
	})
}

// TestReactionsCleared: where a moderator removes reactions, those that were told of are taken back.
func TestReactionsCleared(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{})
	m, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simdiscord.General}, Part: core.Part{Text: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: simdiscord.General, ID: m.ID}
	for _, emoji := range []string{"👍", "👎", "🎉"} {
		if err := s.React(t.Context(), at, simdiscord.Minh, emoji); err != nil {
			t.Fatal(err)
		}
	}
	h.event(t, core.KindReaction, 3)
	for i, emoji := range []string{"👍", ""} {
		if err := s.ClearReactions(at, emoji); err != nil {
			t.Fatal(err)
		}
		h.event(t, core.KindReaction, []int{4, 6}[i])
	}
	var got []string
	for _, ev := range h.all(core.KindReaction)[3:] {
		got = append(got, fmt.Sprintf("%s %t", ev.Reaction.Emoji, ev.Reaction.Added))
	}
	slices.Sort(got)
	want := []string{"🎉 false", "👍 false", "👎 false"}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("taken back: %q, want %q", got, want)
	}
}

// TestReactionsMany: who has reacted is read page by page, and nobody is taken to have taken back what was not read.
func TestReactionsMany(t *testing.T) {
	t.Parallel()
	const many = 250
	var people []simdiscord.Person
	for i := range many {
		people = append(people, person(i))
	}
	s := newSim(t, simdiscord.Options{People: people, RateScale: 0.01})
	p, h := newBot(t, s.APIURL(), simdiscord.DefaultToken), newHost()
	stop := start(t, p, h)
	h.waitUp(t, 1)
	m, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simdiscord.General}, Part: core.Part{Text: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: simdiscord.General, ID: m.ID}
	stored(t, h, "own", m.ID)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	s.InvalidateSessions(false)
	for i := range many {
		if err := s.React(t.Context(), at, person(i).ID, "👍"); err != nil {
			t.Fatal(err)
		}
	}
	n := h.next()
	start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), n)
	n.event(t, core.KindReaction, many)
	keys := map[string]bool{}
	for _, ev := range n.all(core.KindReaction) {
		keys[ev.Key] = true
	}
	if len(keys) != many || len(n.all(core.KindReaction)) != many {
		t.Errorf("%d reactions with %d keys, want %d", len(n.all(core.KindReaction)), len(keys), many)
	}
}
