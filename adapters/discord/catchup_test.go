package discord_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// stored waits until the host has a position for the newest message.
func stored(t *testing.T, h *host, cursor, id string) {
	t.Helper()
	h.wait(t, "position "+id+" in "+cursor, func() bool {
		v, _ := h.Cursor(cursor)
		return strings.Contains(v, id)
	})
}

const guildCursor = "guild:" + simdiscord.GuildAcme

// TestMissed: what was written while no process ran is found by the next one, wherever it stands, once and in order, with
// the same keys as from the gateway.
func TestMissed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		resumed bool
	}{{"history", false}, {"resumed", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simdiscord.Options{})
			clean(t, s)
			h := newHost()
			stop := start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), h)
			h.waitUp(t, 1)
			first := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "general before", Mention: true})
			direct := say(t, s, sim.Say{Room: simdiscord.DMMinh, User: simdiscord.Minh, Text: "direct before"})
			post, err := s.ForumPost(t.Context(), simdiscord.Help, simdiscord.Anna, "A post", "post before", true)
			if err != nil {
				t.Fatal(err)
			}
			h.event(t, core.KindMessage, 3)
			stored(t, h, guildCursor, first.ID)
			stored(t, h, "dms", direct.ID)
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			if !tt.resumed {
				s.InvalidateSessions(false)
			}

			keys := map[string]string{}
			missed := func(m sim.Message, err error) {
				if err != nil {
					t.Fatal(err)
				}
				keys["m:"+m.ID] = m.Text
			}
			missed(s.Say(t.Context(), sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "general 1", Mention: true}))
			missed(s.Say(t.Context(), sim.Say{Room: simdiscord.General, User: simdiscord.Anna, Text: "general 2"}))
			missed(s.Say(t.Context(), sim.Say{Room: simdiscord.Support, User: simdiscord.Anna, Text: "support"}))
			missed(s.Say(t.Context(), sim.Say{Room: simdiscord.DMMinh, User: simdiscord.Minh, Text: "direct"}))
			missed(s.Say(t.Context(), sim.Say{Room: simdiscord.Help, Thread: post.Thread, User: simdiscord.Anna, Text: "in the post"}))
			missed(s.ForumPost(t.Context(), simdiscord.Help, simdiscord.Tom, "Another", "new post", true))
			at, err := s.StartThread(t.Context(), first.Ref, simdiscord.Minh, "a thread")
			if err != nil {
				t.Fatal(err)
			}
			missed(s.Say(t.Context(), sim.Say{Room: simdiscord.General, Thread: at.Thread, User: simdiscord.Minh, Text: "in a thread"}))

			n := h.next()
			start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), n)
			n.waitUp(t, 1)
			n.wait(t, "what was missed", func() bool { return len(n.all(core.KindMessage)) >= len(keys) })
			live := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "live", Mention: true})
			keys["m:"+live.ID] = live.Text
			n.wait(t, "the live one", func() bool { return slices.Contains(n.texts(), "live") })
			for _, ev := range n.all(core.KindMessage) {
				if _, ok := keys[ev.Key]; !ok {
					t.Errorf("not missed: %s %q", ev.Key, ev.Text)
				}
				delete(keys, ev.Key)
			}
			if len(keys) > 0 {
				t.Errorf("never came: %v", keys)
			}
			var general []string
			for _, ev := range n.all(core.KindMessage) {
				if ev.Room.ID == simdiscord.General && ev.Thread == "" {
					general = append(general, ev.Text)
				}
				if ev.Text == "in a thread" && (ev.Thread != at.Thread || ev.Room.ID != simdiscord.General) {
					t.Errorf("place of the thread's message: %+v", ev.Place())
				}
				if ev.Text == "new post" && (ev.Roots != ev.Thread || ev.Thread == "" || ev.Room.Name != "help") {
					t.Errorf("the new post: %+v", ev)
				}
			}
			if want := []string{"general 1", "general 2", "live"}; !slices.Equal(general, want) {
				t.Errorf("general = %q, want %q", general, want)
			}
			want := 2
			if tt.resumed {
				want = 1
			}
			if got := s.Sessions(); got != want {
				t.Errorf("identified %d times, want %d", got, want)
			}
		})
	}
}

// TestFirstStart: a bot that is new answers nothing that was there.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	s := newSim(t, simdiscord.Options{})
	clean(t, s)
	say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "old", Mention: true})
	h := newHost()
	start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), h)
	h.waitUp(t, 1)
	say(t, s, sim.Say{Room: simdiscord.Support, User: simdiscord.Minh, Text: "new", Mention: true})
	h.event(t, core.KindMessage, 1)
	if got := h.texts(); !slices.Equal(got, []string{"new"}) {
		t.Errorf("messages = %q", got)
	}
}

// TestCrash: a process that ended without a word has stored the position that a new server begins with.
func TestCrash(t *testing.T) {
	t.Parallel()
	s := newSim(t, simdiscord.Options{})
	clean(t, s)
	h := newHost()
	start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), h)
	h.waitUp(t, 1)
	h.wait(t, "the first position", func() bool {
		v, _ := h.Cursor(guildCursor)
		return v != ""
	})
	crashed := h.next() // what is on disk now; the old process goes on and is cut off
	s.InvalidateSessions(false)
	q := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "after the crash", Mention: true})
	start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), crashed)
	if ev := crashed.event(t, core.KindMessage, 1); ev.Key != "m:"+q.ID {
		t.Errorf("event = %+v", ev)
	}
}

// TestReactionsWhileDown: a session that Discord still keeps is resumed by the next process, and brings what no history
// tells.
func TestReactionsWhileDown(t *testing.T) {
	t.Parallel()
	s := newSim(t, simdiscord.Options{})
	clean(t, s)
	p, h := newBot(t, s.APIURL(), simdiscord.DefaultToken), newHost()
	stop := start(t, p, h)
	h.waitUp(t, 1)
	q := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "q", Mention: true})
	h.event(t, core.KindMessage, 1)
	place, err := p.OpenThread(t.Context(), core.MessageRef{Place: core.Place{Room: simdiscord.General}, ID: q.ID}, "q")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.Post(t.Context(), core.Post{Place: place, Part: core.Part{Text: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: place.Room, Thread: place.Thread, ID: answer.ID}
	if err := s.React(t.Context(), at, simdiscord.Minh, "👍"); err != nil {
		t.Fatal(err)
	}
	if err := s.Edit(t.Context(), q.Ref, simdiscord.Minh, "q2"); err != nil {
		t.Fatal(err)
	}
	n := h.next()
	start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), n)
	ev := n.event(t, core.KindReaction, 1)
	if ev.Place() != place || ev.MessageID != answer.ID || !ev.Reaction.Added {
		t.Errorf("reaction = %+v", ev)
	}
	if e := n.event(t, core.KindEdit, 1); e.Text != "q2" {
		t.Errorf("edit = %+v", e)
	}
	// The channel was looked up, with what is needed to open a thread.
	say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "r", Mention: true})
	if e := n.event(t, core.KindMessage, 1); e.Roots != e.MessageID || e.Room.Name != "general" {
		t.Errorf("message = %+v", e)
	}
}

// TestManyMissed: more than a page, while more is written, in a channel whose history fails at first: all come once and in
// order.
func TestManyMissed(t *testing.T) {
	t.Parallel()
	s := newSim(t, simdiscord.Options{})
	h := newHost()
	stop := start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), h)
	h.waitUp(t, 1)
	first := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "first", Mention: true})
	stored(t, h, guildCursor, first.ID)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	s.InvalidateSessions(false)
	var want []string
	write := func(n int) {
		for range n {
			text := fmt.Sprintf("message %d", len(want))
			want = append(want, text)
			say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: text})
		}
	}
	write(250)
	s.Faults().Add(sim.Fault{Match: "GET /api/v9/channels/" + simdiscord.General + "/messages", Times: 2, Status: http.StatusServiceUnavailable, Body: "<html>"})
	n := h.next()
	start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), n)
	n.waitUp(t, 1)
	write(700) // more than is held
	n.wait(t, "all", func() bool { return len(once(n)) >= len(want) })
	write(1)
	n.wait(t, "the last", func() bool { return len(once(n)) >= len(want) })
	if got := once(n); !slices.Equal(got, want) {
		t.Errorf("%d messages, want %d in order", len(got), len(want))
	}
}

// TestWithoutHistory: where history may not be read, what is live comes all the same.
func TestWithoutHistory(t *testing.T) {
	t.Parallel()
	for _, refuse := range []string{"permission", "answer"} {
		t.Run(refuse, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simdiscord.Options{})
			h := newHost()
			stop := start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), h)
			h.waitUp(t, 1)
			first := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "first", Mention: true})
			stored(t, h, guildCursor, first.ID)
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			s.InvalidateSessions(false)
			say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "missed"})
			if refuse == "permission" {
				s.SetPermissions(simdiscord.DefaultPermissions &^ simdiscord.ReadMessageHistory)
			} else {
				s.Faults().Add(sim.Fault{
					Match: "GET /api/v9/channels/" + simdiscord.General + "/messages", Status: http.StatusForbidden,
					Body: `{"message": "Missing Access", "code": 50001}`, Delay: 20 * time.Millisecond,
				})
			}
			n := h.next()
			start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), n)
			n.waitUp(t, 1)
			say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "live", Mention: true})
			if ev := n.event(t, core.KindMessage, 1); ev.Text != "live" {
				t.Errorf("text = %q", ev.Text)
			}
		})
	}
}

// TestHeldEvents: an edit and a deletion of a message that is not read yet come after it.
func TestHeldEvents(t *testing.T) {
	t.Parallel()
	s := newSim(t, simdiscord.Options{})
	h := newHost()
	stop := start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), h)
	h.waitUp(t, 1)
	first := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "first", Mention: true})
	stored(t, h, guildCursor, first.ID)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	s.InvalidateSessions(false)
	q := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "q", Mention: true})
	n := h.next()
	n.setRefuse(func(ev core.Event) error { // while the history cannot be stored
		if ev.Kind == core.KindMessage {
			return discord.ErrNotStored
		}
		return nil
	})
	start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), n)
	n.waitUp(t, 1)
	n.wait(t, "the message to be refused", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.seen["m:"+q.ID] > 0
	})
	if err := s.Edit(t.Context(), q.Ref, simdiscord.Minh, "q2"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), q.Ref, simdiscord.Minh); err != nil {
		t.Fatal(err)
	}
	say(t, s, sim.Say{Room: simdiscord.DMMinh, User: simdiscord.Minh, Text: "other rooms go on"})
	n.wait(t, "the direct message to be tried", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.seen) > 1
	})
	if got := len(n.all("")); got != 0 {
		t.Fatalf("%d events before the message that they concern", got)
	}
	n.setRefuse(nil)
	n.event(t, core.KindDelete, 1)
	var kinds []core.Kind
	for _, ev := range n.all("") {
		if !ev.Room.Direct && (len(kinds) == 0 || ev.Kind != kinds[len(kinds)-1]) {
			kinds = append(kinds, ev.Kind)
		}
	}
	// The message was deleted before its page was read again, or not: both are right.
	want := []core.Kind{core.KindMessage, core.KindEdit, core.KindDelete}
	if !slices.Equal(kinds, want) && !slices.Equal(kinds, want[1:]) {
		t.Errorf("events = %q", kinds)
	}
}
