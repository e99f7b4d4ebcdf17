package slack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// reactionsOf are the reactions that a host was told of, as "person emoji added", in order.
func reactionsOf(h *host, message string) []string {
	var found []string
	for _, ev := range h.all(core.KindReaction) {
		if ev.MessageID == message {
			found = append(found, fmt.Sprintf("%s %s %t", ev.Sender.ID, ev.Reaction.Emoji, ev.Reaction.Added))
		}
	}
	return found
}

// TestCatchUpChanges holds that edits, deletions and reactions are found of which the history tells, once each, and with
// nothing of what was known before. The bot is down meanwhile, or cut off.
func TestCatchUpChanges(t *testing.T) {
	t.Parallel()
	for _, down := range []bool{true, false} {
		t.Run(fmt.Sprintf("down %t", down), func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simslack.Options{AckDeadline: 1, Retries: []time.Duration{}})
			p, h := newBot(t, config(s)), newHost()
			stop := start(t, p, h)
			h.waitUp(t, 1)
			await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })

			question := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "frist", Mention: true})
			parent := say(t, s, sim.Say{Room: simslack.General, User: simslack.Tom, Text: "to be deleted"})
			say(t, s, sim.Say{Room: simslack.General, Thread: parent.ID, User: simslack.Anna, Text: "under it"})
			h.wait(t, "what is said", func() bool { return len(h.all(core.KindMessage)) >= 4 })
			inThread := post(t, p, core.Place{Room: simslack.General, Thread: question.ID}, "an answer")
			inDM := post(t, p, core.Place{Room: simslack.DM(simslack.Tom)}, "another")
			thread, dm := sim.Ref{Room: inThread.Room, ID: inThread.ID}, sim.Ref{Room: inDM.Room, ID: inDM.ID}
			react := func(at sim.Ref, who, emoji string) {
				t.Helper()
				if err := s.React(t.Context(), at, who, emoji); err != nil {
					t.Fatal(err)
				}
			}
			react(thread, simslack.Minh, "👍")
			react(thread, simslack.Anna, "👍")
			react(thread, simslack.Anna, "🎉")
			h.event(t, core.KindReaction, 3)

			next := h
			if down {
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				next = h.next()
			} else {
				s.Faults().Add(sim.Fault{Match: "apps.connections.open", Status: 503, Times: 6})
				s.CutSockets()
			}
			before := len(next.all(""))
			if err := s.Unreact(t.Context(), thread, simslack.Minh, "👍"); err != nil {
				t.Fatal(err)
			}
			react(thread, simslack.Minh, "👎🏽")
			react(dm, simslack.Tom, "💯")
			other := say(t, s, sim.Say{Room: simslack.General, User: simslack.Anna, Text: "not the bot's"})
			react(other.Ref, simslack.Minh, "👍")
			if err := s.Edit(t.Context(), question.Ref, simslack.Minh, "first"); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(t.Context(), parent.Ref, simslack.Tom); err != nil {
				t.Fatal(err)
			}
			if down {
				start(t, newBot(t, config(s)), next)
			}
			next.wait(t, "everything", func() bool {
				return len(reactionsOf(next, thread.ID)) >= 2 && len(reactionsOf(next, dm.ID)) >= 1 && len(next.all(core.KindEdit)) > 0 && len(next.all(core.KindDelete)) > 0
			})
			// What is read after that must tell nothing new.
			missed := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "the end"})
			next.wait(t, "the end", func() bool {
				return slices.ContainsFunc(next.all(core.KindMessage), func(ev core.Event) bool { return ev.MessageID == missed.ID })
			})
			got := reactionsOf(next, thread.ID)
			if !down {
				got = got[3:]
			}
			slices.Sort(got)
			if want := []string{simslack.Minh + " 👍 false", simslack.Minh + " 👎 true"}; !slices.Equal(got, want) {
				t.Errorf("reactions in the thread: %q, want %q", got, want)
			}
			if got, want := reactionsOf(next, dm.ID), []string{simslack.Tom + " 💯 true"}; !slices.Equal(got, want) {
				t.Errorf("reactions in the direct chat: %q, want %q", got, want)
			}
			if got := reactionsOf(next, other.ID); len(got) > 0 {
				t.Errorf("reactions to another's message: %q", got)
			}
			for _, ev := range next.all("")[before:] {
				switch {
				case ev.Kind == core.KindEdit && (ev.MessageID != question.ID || ev.Text != "first" || !strings.HasPrefix(ev.Key, "e:")):
					t.Errorf("edit %+v", ev)
				case ev.Kind == core.KindDelete && (ev.MessageID != parent.ID || ev.Key != "d:"+simslack.DefaultTeamID+":"+simslack.General+":"+parent.ID):
					t.Errorf("deletion %+v", ev)
				case down && ev.Kind == core.KindReaction && ev.SentAt.After(other.At):
					t.Errorf("reaction of %v, which is later than it can be known to be", ev.SentAt)
				}
			}
		})
	}
}

// TestReactionsOutlastACrash holds that a reaction that the host knows is not told again in a way that would count more,
// though the bridge was killed before it wrote down what it knows.
func TestReactionsOutlastACrash(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: 1, Retries: []time.Duration{}})
	p, h := newBot(t, config(s)), newHost()
	stop := start(t, p, h)
	h.waitUp(t, 1)
	h.wait(t, "the position", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.cursors["until"] != "" })
	crashed := h.next()
	answer := post(t, p, core.Place{Room: simslack.DM(simslack.Tom)}, "an answer")
	if err := s.React(t.Context(), sim.Ref{Room: answer.Room, ID: answer.ID}, simslack.Tom, "👎"); err != nil {
		t.Fatal(err)
	}
	live := h.event(t, core.KindReaction, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	start(t, newBot(t, config(s)), crashed)
	again := crashed.event(t, core.KindReaction, 1)
	if again.Key == live.Key || again.SentAt.After(live.SentAt) || again.Reaction.Emoji != "👎" || !again.Reaction.Added {
		t.Errorf("caught up %+v, after %+v", again, live)
	}
}
