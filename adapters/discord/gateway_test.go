package discord_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

func TestQuestion(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simdiscord.Options{})
	clean(t, s)
	sent := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "ask @Anna in #support", Mention: true})
	ev := h.event(t, core.KindMessage, 1)
	want := core.Event{
		Key: "m:" + sent.ID, Bot: "acme", Platform: "discord", Kind: core.KindMessage, Reach: core.ReachMention,
		Room:  core.Room{ID: simdiscord.General, Name: "general", Space: simdiscord.GuildAcme},
		Roots: sent.ID, MessageID: sent.ID, Text: "ask @Anna in #support", SentAt: ev.SentAt,
		Sender: core.User{ID: simdiscord.Minh, Name: "Minh", Handle: ev.Sender.Handle, Key: "discord:" + simdiscord.Minh},
	}
	if d := time.Since(ev.SentAt); d < -time.Minute || d > time.Minute {
		t.Errorf("sent at %s", ev.SentAt)
	}
	if ev.Sender != want.Sender || ev.Key != want.Key || ev.Text != want.Text || ev.Room != want.Room || ev.Reach != want.Reach || ev.Roots != want.Roots {
		t.Errorf("got  %+v\nwant %+v", ev, want)
	}
}

func TestUnknownComponents(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simdiscord.Options{})
	clean(t, s)
	_, err := s.SayWith(t.Context(), sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "hello", Mention: true},
		simdiscord.Extra{Components: []byte(`[{"type":99,"x":{"type":[1]}},{"type":16}]`)})
	if err != nil {
		t.Fatal(err)
	}
	if ev := h.event(t, core.KindMessage, 1); ev.Text != "hello" {
		t.Errorf("text = %q", ev.Text)
	}
}

func TestReactionsEditsDeletes(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{})
	clean(t, s)
	q := say(t, s, sim.Say{Room: simdiscord.Support, User: simdiscord.Anna, Text: "one", Mention: true})
	place := core.Place{Room: simdiscord.Support}
	answer, err := p.Post(t.Context(), core.Post{Place: place, Part: core.Part{Text: "an answer"}})
	if err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: simdiscord.Support, ID: answer.ID}
	for _, act := range []func() error{
		func() error { return s.React(t.Context(), q.Ref, simdiscord.Minh, "👍") }, // somebody's: not told
		func() error { return s.React(t.Context(), at, simdiscord.Minh, "👍🏽") },
		func() error { return s.Unreact(t.Context(), at, simdiscord.Minh, "👍🏽") },
		func() error { return s.React(t.Context(), at, simdiscord.Minh, "👍🏽") },
		func() error { return s.Unfurl(q.Ref, []byte(`[{"type":"link","url":"https://example.com"}]`)) },
		func() error { return s.Edit(t.Context(), q.Ref, simdiscord.Anna, "two") },
		func() error { return s.Delete(t.Context(), q.Ref, simdiscord.Anna) },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
	}
	h.event(t, core.KindDelete, 1)
	var keys []string
	for i, want := range []bool{true, false, true} {
		ev := h.event(t, core.KindReaction, i+1)
		if ev.Reaction.Emoji != "👍" || ev.Reaction.Added != want || ev.MessageID != answer.ID || ev.Sender.ID != simdiscord.Minh {
			t.Errorf("reaction %d: %+v %+v", i, ev, ev.Reaction)
		}
		keys = append(keys, ev.Key)
	}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 3 {
		t.Errorf("keys are not unique: %q", keys)
	}
	edits := h.all(core.KindEdit)
	if len(edits) != 1 || edits[0].Text != "two" || edits[0].MessageID != q.ID {
		t.Errorf("edits = %+v", edits)
	}
	if d := h.all(core.KindDelete); len(d) != 1 || d[0].MessageID != q.ID {
		t.Errorf("deletes = %+v", d)
	}
	if r := h.all(core.KindReaction); len(r) != 3 {
		t.Errorf("%d reactions, want 3", len(r))
	}
}

// TestReconnect: whatever ends a connection, the bot is back, and what was written meanwhile comes once, in order. The time is
// virtual.
func TestReconnect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		end      func(s *simdiscord.Server)
		sessions int // in all; 1: it was resumed
	}{
		{"cut", func(s *simdiscord.Server) { s.Cut() }, 1},
		{"op 7", func(s *simdiscord.Server) { s.Reconnect() }, 1},
		{"op 7 as the first packet", func(s *simdiscord.Server) { s.ReconnectFirst(3); s.Cut() }, 1},
		{"op 9 resumable", func(s *simdiscord.Server) { s.InvalidateSessions(true) }, 1},
		{"op 9", func(s *simdiscord.Server) { s.InvalidateSessions(false) }, 2},
		{"close 4000", func(s *simdiscord.Server) { s.CloseGateway(4000, "unknown") }, 1},
		{"close 1001", func(s *simdiscord.Server) { s.CloseGateway(1001, "going away") }, 1},
		{"close 4007", func(s *simdiscord.Server) { s.CloseGateway(4007, "seq") }, 2},
		{"close 4009", func(s *simdiscord.Server) { s.CloseGateway(4009, "timeout") }, 2},
		{"no Hello", func(s *simdiscord.Server) { s.StallConnects(2); s.Cut() }, 1},
		{"heartbeats without acknowledgement", func(s *simdiscord.Server) { s.Silence() }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			virtual(t, func(t *testing.T, s *simdiscord.Server, _ *discord.Platform, h *host, _ func()) {
				say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "before", Mention: true})
				h.event(t, core.KindMessage, 1)
				tt.end(s)
				for _, text := range []string{"during 1", "during 2", "during 3"} {
					say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: text, Mention: true})
				}
				<-time.After(5 * time.Minute)
				h.waitUp(t, 2)
				say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "after", Mention: true})
				want := []string{"before", "during 1", "during 2", "during 3", "after"}
				h.wait(t, "the last message", func() bool { return slices.Contains(h.texts(), "after") })
				if got := once(h); !slices.Equal(got, want) {
					t.Errorf("messages = %q, want %q", got, want)
				}
				if n := s.Sessions(); n != tt.sessions {
					t.Errorf("identified %d times, want %d", n, tt.sessions)
				}
			})
		})
	}
}

// once are the texts of messages in the order in which their keys came first.
func once(h *host) []string {
	var found []string
	seen := map[string]bool{}
	for _, e := range h.all(core.KindMessage) {
		if !seen[e.Key] {
			seen[e.Key] = true
			found = append(found, e.Text)
		}
	}
	return found
}

// TestFirstPacketReconnect: Op 7 in place of the very first READY, on which discordgo's Open locks up.
func TestFirstPacketReconnect(t *testing.T) {
	t.Parallel()
	s := newSim(t, simdiscord.Options{})
	clean(t, s)
	s.ReconnectFirst(2)
	s.StallConnects(1)
	p, h := newBot(t, s.APIURL(), simdiscord.DefaultToken), newHost()
	discord.Hello(p, 500*time.Millisecond) // the stalled one says nothing for that long; others may be late, and are tried again
	stop := start(t, p, h)
	h.waitUp(t, 1)
	if err := stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		opt   simdiscord.Options
		token string
		close int // 0: the gateway itself refuses
		class core.Class
		mend  string
	}{
		{name: "token", token: "wrong", class: core.Auth, mend: "token is refused"},
		{name: "intent", opt: simdiscord.Options{NoMessageContent: true}, class: core.Denied, mend: "MESSAGE CONTENT is off: switch it on"},
		{name: "4004 later", close: 4004, class: core.Auth, mend: "token is refused"},
		{name: "4010", close: 4010, class: core.Denied, mend: "shard"},
		{name: "4011", close: 4011, class: core.Denied, mend: "too many servers"},
		{name: "4012", close: 4012, class: core.Denied, mend: "API version"},
		{name: "4013", close: 4013, class: core.Denied, mend: "intents are refused"},
		{name: "4014 later", close: 4014, class: core.Denied, mend: "MESSAGE CONTENT is off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, tt.opt)
			if tt.token == "" {
				tt.token = simdiscord.DefaultToken
			}
			p, h := newBot(t, s.APIURL(), tt.token), newHost()
			done := make(chan error, 1)
			go func() { done <- p.Run(t.Context(), h) }()
			if tt.close != 0 {
				h.waitUp(t, 1)
				s.CloseGateway(tt.close, "no")
			}
			select {
			case err := <-done:
				if core.ClassOf(err) != tt.class || !strings.Contains(err.Error(), tt.mend) {
					t.Errorf("Run = %v, want class %s and %q", err, tt.class, tt.mend)
				}
				if strings.Contains(err.Error(), tt.token) {
					t.Errorf("the token is in the error: %v", err)
				}
			case <-time.After(patience):
				t.Fatal("Run goes on")
			}
			if h.up || len(h.errs) == 0 || h.errs[len(h.errs)-1] == nil {
				t.Errorf("state: up %t, errors %v", h.up, h.errs)
			}
		})
	}
}

// TestNotStored: an event that the store refuses is not told to Discord as received. It comes again, and nothing after it
// comes first.
func TestNotStored(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simdiscord.Options{})
	clean(t, s)
	full := errors.New("no space left on device")
	h.setRefuse(func(ev core.Event) error {
		if ev.Text == "two" {
			return full
		}
		return nil
	})
	for _, text := range []string{"one", "two", "three"} {
		say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: text, Mention: true})
	}
	// Dropped and resumed, more than once. It is not up meanwhile: what is refused comes ahead of RESUMED.
	h.wait(t, "three refusals", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.errs) >= 3
	})
	if got := once(h); !slices.Equal(got, []string{"one"}) {
		t.Errorf("taken while the disk is full: %q", got)
	}
	refused := false
	h.mu.Lock()
	for _, err := range h.errs {
		refused = refused || errors.Is(err, discord.ErrNotStored) && errors.Is(err, full)
	}
	h.mu.Unlock()
	if !refused {
		t.Errorf("states do not tell why: %v", h.errs)
	}
	h.setRefuse(nil)
	h.wait(t, "the rest", func() bool { return slices.Contains(h.texts(), "three") })
	if got, want := once(h), []string{"one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("messages = %q, want %q", got, want)
	}
	if n := s.Sessions(); n != 1 {
		t.Errorf("identified %d times", n)
	}
}

func TestPanicIsPassedOver(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simdiscord.Options{})
	h.setRefuse(func(ev core.Event) error {
		if ev.Text == "poison" {
			panic("poison")
		}
		return nil
	})
	for _, text := range []string{"poison", "water"} {
		say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: text, Mention: true})
	}
	if ev := h.event(t, core.KindMessage, 1); ev.Text != "water" {
		t.Errorf("text = %q", ev.Text)
	}
}

func TestRunTwice(t *testing.T) {
	t.Parallel()
	_, p, _ := running(t, simdiscord.Options{})
	if err := p.Run(t.Context(), newHost()); core.ClassOf(err) != core.Invalid {
		t.Errorf("a second Run = %v", err)
	}
}

func TestRedelivery(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simdiscord.Options{})
	sent := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "twice", Mention: true})
	h.event(t, core.KindMessage, 1)
	if err := s.Redeliver(sent.Ref); err != nil {
		t.Fatal(err)
	}
	if a, b := h.event(t, core.KindMessage, 1), h.event(t, core.KindMessage, 2); a.Key != b.Key {
		t.Errorf("keys %q and %q", a.Key, b.Key)
	}
}
