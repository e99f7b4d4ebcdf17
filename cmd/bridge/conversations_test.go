package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/control"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/store"
)

func TestConversations(t *testing.T) {
	t.Parallel()
	type keys struct{ id, one, odd string }
	found := map[*memory]*keys{}
	lock := make(chan struct{}, 1)
	of := func(m *memory) *keys {
		lock <- struct{}{}
		defer func() { <-lock }()
		if found[m] == nil {
			found[m] = &keys{}
		}
		return found[m]
	}
	bothWays(t, func(m *memory, s *store.Store) {
		k := of(m)
		k.id = m.talk("What is covered?", "And the battery?", "Thanks")
		k.one = remember(t, s, "R1", "保修 support", k.id)
		k.odd = remember(t, s, "R2", "evil \x1b[31m\u202etitle", "")
	}, func(t *testing.T, m *memory) {
		k := of(m)
		out := m.wants(0, []string{"conversations", "list"}, "KEY", k.one, k.odd, k.id, "保修 support", "Nguyễn Minh", "2+", "2026-08-01 09:30", "evil")
		m.wants(2, []string{"conversations", "list", "--bot", "demo-slak"}, "demo-slack")
		m.wants(2, []string{"conversations", "list", "--app", "dmo"}, "demo")
		if strings.ContainsAny(out, "\x1b\u202e") {
			t.Errorf("the table holds what a terminal acts on: %q", out)
		}
		m.wants(0, []string{"conversations", "list", "--bot", "demo-discord"}, "no conversations")
		var list struct {
			Total int
			Data  []control.Conversation
		}
		out = m.wants(0, []string{"conversations", "list", "--json", "--app", "demo"})
		if err := json.Unmarshal([]byte(out), &list); err != nil || list.Total != 2 || len(list.Data) != 2 {
			t.Errorf("%+v, %v", list, err)
		}

		m.wants(0, []string{"conversations", "history", k.id}, "> What is covered?", "> Thanks", "2026-", " UTC")
		out = m.wants(0, []string{"conversations", "history", k.one, "--limit", "1"}, "> Thanks", "newest 1")
		if strings.Contains(out, "> What is covered?") {
			t.Errorf("more than one:\n%s", out)
		}
		var h history
		out = m.wants(0, []string{"conversations", "history", k.one, "--json"})
		if err := json.Unmarshal([]byte(out), &h); err != nil || len(h.Messages) != 3 || h.More || h.Messages[1].Query != "And the battery?" || h.Conversation.Key != k.one {
			t.Errorf("%+v, %v", h, err)
		}
		m.wants(1, []string{"conversations", "history", k.odd}, "has no conversation at ClickAI")
		m.wants(1, []string{"conversations", "history", "nobody"}, "conversations list")

		m.wants(0, []string{"conversations", "rename", k.one, "Bảo", "hành"}, `"Bảo hành"`)
		if c := m.set.ClickAI.Conversations()[0]; c.Name != "Bảo hành" {
			t.Errorf("ClickAI has the name %q", c.Name)
		}
		m.wants(0, []string{"conversations", "rename", k.one}, "is now named")
		if c := m.set.ClickAI.Conversations()[0]; c.Name == "Bảo hành" {
			t.Error("no other name was made")
		}

		m.wants(1, []string{"conversations", "delete", k.id}, "--yes", "no terminal", "保修 support", "2 turns")
		if len(m.set.ClickAI.Conversations()) != 1 {
			t.Fatal("deleted without a yes")
		}
		m.wants(0, []string{"conversations", "delete", k.id, "--yes"}, k.one+": deleted")
		if len(m.set.ClickAI.Conversations()) != 0 {
			t.Error("ClickAI still has it")
		}
		m.wants(1, []string{"conversations", "delete", k.id, "--yes"}, "no conversation has")
		m.wants(0, []string{"conversations", "reset", k.odd}, "begins a new conversation")
		m.wants(0, []string{"conversations", "list", "--json"}, `"total": 0`)
	})
}

// TestResetWhileRunning has the next question after a reset begin a new conversation.
func TestResetWhileRunning(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := m.run()
	st := m.set.Stages()[0]
	first := ask(t, m.set, st, "What does the warranty cover?")
	ended(t, p, 1)
	one := func() control.Conversation {
		t.Helper()
		var list struct{ Data []control.Conversation }
		if err := json.Unmarshal([]byte(m.wants(0, []string{"conversations", "list", "--json"})), &list); err != nil || len(list.Data) == 0 {
			t.Fatalf("%+v, %v", list, err)
		}
		return list.Data[0]
	}
	before := one()
	if before.Turns != 1 || before.Bot != "demo-slack" || before.ID == "" {
		t.Errorf("after %q: %+v", first.turn.Question, before)
	}
	m.wants(0, []string{"conversations", "reset", before.Key}, before.ID)
	m.wants(0, []string{"conversations", "list"}, "no conversations")
	if c := m.set.ClickAI.Conversations(); len(c) != 1 || c[0].ID != before.ID {
		t.Errorf("ClickAI has %v", c)
	}
	ask(t, m.set, st, "And the battery?")
	ended(t, p, 2)
	if after := one(); after.ID == before.ID || after.Turns != 1 {
		t.Errorf("the old conversation goes on: %+v", after)
	}
	p.stop()
	secrets(t, p.text(), m.set)
}

// TestResetDuringATurn has a turn that runs end in the old conversation, without bringing it back.
func TestResetDuringATurn(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := m.run()
	st := m.set.Stages()[0]
	ask(t, m.set, st, "What does the warranty cover?")
	ended(t, p, 1)
	old := m.set.ClickAI.Conversations()[0].ID
	gate := clickai.NewGate()
	m.set.ClickAI.Script(nil, clickai.Silence(gate), clickai.BuiltIn())
	const slow = "And the battery, then?"
	if _, err := st.Platform.Say(t.Context(), sim.Say{Room: st.Room.Room, Thread: st.Room.Thread, Mention: st.Mention, User: st.Person, Text: slow}); err != nil {
		t.Fatal(err)
	}
	until(t, "the question reaches ClickAI", func() bool { return requested(m.set, slow) }, m.set.ClickAI.Changed)
	m.wants(0, []string{"conversations", "reset", old}, old)
	gate.Open()
	ended(t, p, 2)
	m.wants(0, []string{"conversations", "list"}, "no conversations")
	ask(t, m.set, st, "Is it the old one still?")
	ended(t, p, 3)
	out := m.wants(0, []string{"conversations", "list"})
	if strings.Contains(out, old) || len(m.set.ClickAI.Conversations()) != 2 {
		t.Errorf("want another conversation than %s:\n%s", old, out)
	}
	p.stop()
}

// TestSocketOfARunningBridge looks at the socket of a running bridge.
func TestSocketOfARunningBridge(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := runBridge(t, m.config)
	info, err := os.Lstat(m.store + ".sock")
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("%v, %v, want a socket with 600", info, err)
	}
	p.kill()
	m.wants(0, []string{"conversations", "list"}, "no conversations") // the dead one's socket is there still
	p = m.run()
	m.wants(0, []string{"conversations", "list"}, "no conversations")
	p.stop()
	if _, err := os.Lstat(m.store + ".sock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the bridge has stopped: %v", err)
	}
}

func TestAskPerson(t *testing.T) {
	t.Parallel()
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	silent, w := io.Pipe()
	defer func() { _ = w.Close() }() // ends the read
	for _, tt := range []struct {
		name string
		ctx  context.Context
		in   io.Reader
		yes  bool
	}{
		{"y", t.Context(), strings.NewReader("y\n"), true},
		{"YES", t.Context(), strings.NewReader(" YES \n"), true},
		{"without a line feed", t.Context(), strings.NewReader("y"), true},
		{"n", t.Context(), strings.NewReader("n\n"), false},
		{"just enter", t.Context(), strings.NewReader("\n"), false},
		{"nothing", t.Context(), strings.NewReader(""), false},
		{"another word", t.Context(), strings.NewReader("yess\n"), false},
		{"interrupted", cut, silent, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := askPerson(tt.ctx, tt.in, &out, "delete it")
			if (err == nil) != tt.yes || err != nil && !errors.Is(err, errNotConfirmed) {
				t.Errorf("%v", err)
			}
			if !strings.HasPrefix(out.String(), "Delete it? [y/N] ") {
				t.Errorf("it asks %q", out.String())
			}
		})
	}
}

// TestKeyRefused wants a mend where ClickAI refuses the app's key.
func TestKeyRefused(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	id := m.talk("hello")
	m.fill(func(s *store.Store) { remember(t, s, "R", "x", id) })
	for _, a := range clickai.DefaultApps() {
		m.set.ClickAI.SetKey(a.Name, "app-other-"+string(a.Mode))
	}
	m.wants(1, []string{"conversations", "history", id}, "bridge check", "demo")
}
