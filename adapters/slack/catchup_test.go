package slack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// TestCatchUp holds that what was said while the bridge was down is found: in rooms, direct chats, and threads, in order.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	// Slack has given its retries up long before.
	s := newSim(t, simslack.Options{AckDeadline: 1, Retries: []time.Duration{}})
	clean(t, s)
	h := newHost()
	stop := start(t, newBot(t, config(s)), h)
	h.waitUp(t, 1)
	h.wait(t, "the position", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.cursors["until"] != "" })
	old := say(t, s, sim.Say{Room: simslack.General, User: simslack.Anna, Text: "an old thread"})
	question := say(t, s, sim.Say{Room: simslack.Support, User: simslack.Minh, Text: "first", Mention: true})
	h.wait(t, "what is said", func() bool { return len(h.texts()) >= 3 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, ev := range h.all("") {
		seen[ev.Key] = true
	}

	dm := simslack.DM(simslack.Tom)
	var want []string
	missed := func(m sim.Say) {
		say(t, s, m)
		want = append(want, m.Text)
	}
	missed(sim.Say{Room: dm, User: simslack.Tom, Text: "are you there?"})
	missed(sim.Say{Room: simslack.Support, Thread: question.ID, User: simslack.Minh, Text: "and?"})
	missed(sim.Say{Room: simslack.General, Thread: old.ID, User: simslack.Tom, Text: "in the old thread", Mention: true})
	for i := range 5 {
		missed(sim.Say{Room: simslack.General, User: simslack.Anna, Text: fmt.Sprintf("missed %d", i), Mention: i%2 == 0})
	}
	missed(sim.Say{Room: dm, User: simslack.Tom, Text: "look", Files: []sim.File{{Name: "a.txt", Data: []byte("x")}}})

	next := h.next()
	start(t, newBot(t, config(s)), next)
	fresh := func() []core.Event {
		var found []core.Event
		for _, ev := range next.all(core.KindMessage) {
			if !seen[ev.Key] {
				found = append(found, ev)
			}
		}
		return found
	}
	next.wait(t, "what was missed", func() bool { return len(fresh()) >= len(want) })
	var texts, inOrder []string
	for _, ev := range fresh() {
		texts = append(texts, ev.Text)
		if ev.Room.ID == simslack.General {
			inOrder = append(inOrder, ev.MessageID)
		}
		switch ev.Text {
		case "and?":
			if ev.Thread != question.ID || ev.Reach != core.ReachAmbient {
				t.Errorf("event %+v", ev)
			}
		case "are you there?":
			if ev.Reach != core.ReachDirect || !ev.Room.Direct {
				t.Errorf("event %+v", ev)
			}
		case "look":
			if len(ev.Attachments) != 1 {
				t.Errorf("event %+v", ev)
			}
		case "in the old thread":
			if ev.Thread != old.ID || ev.Reach != core.ReachMention {
				t.Errorf("event %+v", ev)
			}
		}
	}
	slices.Sort(texts)
	slices.Sort(want)
	if !slices.Equal(texts, want) {
		t.Errorf("caught up %q, want %q", texts, want)
	}
	if !slices.IsSorted(inOrder) {
		t.Errorf("messages of one room came in the order %q", inOrder)
	}
}

// TestFirstStart holds that a new bot looks at nothing that was said before.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: 1, Retries: []time.Duration{}})
	clean(t, s)
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "before"})
	h := newHost()
	start(t, newBot(t, config(s)), h)
	h.waitUp(t, 1)
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "after"})
	if ev := h.event(t, core.KindMessage, 1); ev.Text != "after" {
		t.Errorf("event %+v", ev)
	}
}

// TestSecondGap holds that a connection that breaks is caught up too.
func TestSecondGap(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: 1, Retries: []time.Duration{}})
	h := newHost()
	start(t, newBot(t, config(s)), h)
	h.waitUp(t, 1)
	for s.Sockets() < 2 { // one that opens only now would close the gap
		changed := s.Changed()
		if s.Sockets() < 2 {
			<-changed
		}
	}
	s.Faults().Add(sim.Fault{Match: "apps.connections.open", Status: 503, Times: 6})
	s.CutSockets()
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "in the gap"})
	h.waitUp(t, 2)
	if ev := h.event(t, core.KindMessage, 1); ev.MessageID != said.ID {
		t.Errorf("event %+v", ev)
	}
}

// TestCatchUpWithoutScope holds that a room that may not be read keeps no other from being read.
func TestCatchUpWithoutScope(t *testing.T) {
	t.Parallel()
	scopes := slices.DeleteFunc(simslack.DefaultScopes(), func(s string) bool {
		return s == "channels:history" || s == "groups:read" || strings.HasPrefix(s, "mpim:")
	})
	s := newSim(t, simslack.Options{AckDeadline: 1, Retries: []time.Duration{}, Scopes: scopes})
	h := newHost()
	h.cursors["until"] = "1700000000.000000"
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "missed"})
	say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "not to be read"})
	start(t, newBot(t, config(s)), h)
	if ev := h.event(t, core.KindMessage, 1); ev.MessageID != said.ID {
		t.Errorf("event %+v", ev)
	}
}

// TestGapGrowsWhileRead holds that a history that is read while no socket is open is read again when one is.
func TestGapGrowsWhileRead(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{
		AckDeadline: 1, Retries: []time.Duration{}, Users: simslack.DefaultUsers()[:1], Channels: simslack.DefaultChannels()[:1],
	})
	h := newHost()
	h.cursors["until"] = slack.TSOf(time.Now().Add(-time.Minute))
	s.Faults().Add(sim.Fault{Match: "conversations.history", Delay: 100 * time.Millisecond})
	start(t, newBot(t, config(s)), h)
	h.waitUp(t, 1)
	await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
	for range time.Tick(10 * time.Millisecond) {
		if s.Faults().Hits() > 0 { // the first of two histories is being read
			break
		}
	}
	s.Faults().Add(sim.Fault{Match: "apps.connections.open", Status: 503, For: time.Second})
	s.CutSockets()
	<-time.After(600 * time.Millisecond) // longer than both take, twice
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "in the gap"})
	if ev := h.event(t, core.KindMessage, 1); ev.MessageID != said.ID {
		t.Errorf("event %+v", ev)
	}
}

// TestRootsBeforeThreads holds that a question beside the threads of a room waits for none of them, in no room.
func TestRootsBeforeThreads(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{Retries: []time.Duration{}})
	clean(t, s)
	h := newHost()
	stop := start(t, newBot(t, config(s)), h)
	h.waitUp(t, 1)
	rooms := []string{simslack.Support, simslack.General}
	for _, room := range rooms { // so that each has a thread
		say(t, s, sim.Say{Room: room, User: simslack.Minh, Text: "before in " + room, Mention: true})
	}
	said := func(h *host, when string) func() bool {
		return func() bool {
			got := h.texts()
			return !slices.ContainsFunc(rooms, func(room string) bool { return !slices.Contains(got, when+" in "+room) })
		}
	}
	h.wait(t, "the first questions", said(h, "before"))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, room := range rooms {
		say(t, s, sim.Say{Room: room, User: simslack.Minh, Text: "missed in " + room, Mention: true})
	}
	s.Faults().Add(sim.Fault{Match: "conversations.replies", Delay: time.Hour})
	next := h.next()
	start(t, newBot(t, config(s)), next)
	next.wait(t, "what was missed", said(next, "missed"))
}
