package slack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// TestOpened holds that a person who opens the chat with an assistant, or an agent, is told of, and gets suggestions there.
func TestOpened(t *testing.T) {
	t.Parallel()
	bothWays(t, simslack.Options{}, func(t *testing.T, s *simslack.Server, p *slack.Platform, h *host) {
		clean(t, s)
		prompts := []string{"What can you do?", " ", strings.Repeat("a long one ", 20), "third", "fourth", "fifth"}
		for i, open := range []func() (sim.Place, error){
			func() (sim.Place, error) { return s.OpenAssistant(t.Context(), simslack.Tom) },
			func() (sim.Place, error) { return s.OpenMessages(t.Context(), simslack.Tom) },
		} {
			at, err := open()
			if err != nil {
				t.Fatal(err)
			}
			ev := h.event(t, core.KindOpened, i+1)
			if ev.Room.ID != at.Room || ev.Thread != at.Thread || !ev.Room.Direct || ev.Reach != core.ReachDirect || ev.Sender.ID != simslack.Tom || ev.Sender.Name != "Tom" {
				t.Errorf("opened %+v, want %+v", ev, at)
			}
			if err := p.Prompt(t.Context(), ev.Place(), "Ask me", prompts); err != nil {
				t.Fatal(err)
			}
			got := s.Prompts(at.Room, at.Thread)
			if len(got) != 4 || got[0] != prompts[0] || !strings.HasPrefix(got[1], "a long one") || len([]rune(got[1])) > 75 {
				t.Errorf("suggested %q", got)
			}
		}
		if a, b := h.all(core.KindOpened)[0].Key, h.all(core.KindOpened)[1].Key; a == b {
			t.Errorf("both have the key %q", a)
		}
		allAcked(t, s)
	})
}

// TestTitle holds that a thread of a direct chat gets its title, and where there is none.
func TestTitle(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	at := asked(t, s, simslack.DM(simslack.Minh))
	if err := p.SetTitle(t.Context(), at, " Prices\nof 2026 "); err != nil {
		t.Fatal(err)
	}
	if got := s.Title(at.Room, at.Thread); got != "Prices of 2026" {
		t.Errorf("title %q", got)
	}
	for _, at := range []core.Place{
		{Room: at.Room}, {Room: at.Room, Thread: "1.000001"}, asked(t, s, simslack.General), {Room: "D404", Thread: at.Thread},
	} {
		if err := p.SetTitle(t.Context(), at, "x"); core.ClassOf(err) != core.Unsupported {
			t.Errorf("SetTitle in %+v = %v, want class unsupported", at, err)
		}
	}
	if err := p.Prompt(t.Context(), core.Place{Room: simslack.General}, "", []string{"x"}); core.ClassOf(err) != core.Unsupported {
		t.Errorf("Prompt in a channel = %v, want class unsupported", err)
	}
	if err := p.Prompt(t.Context(), core.Place{Room: at.Room}, "", nil); err != nil {
		t.Errorf("nothing to suggest: %v", err)
	}
	// One thread that has no title takes no other its own.
	if err := p.SetTitle(t.Context(), at, "Others"); err != nil || s.Title(at.Room, at.Thread) != "Others" {
		t.Errorf("SetTitle = %v, title %q", err, s.Title(at.Room, at.Thread))
	}
}

// TestNoAgent holds that a bot without the scope asks once, and no more.
func TestNoAgent(t *testing.T) {
	t.Parallel()
	scopes := slices.DeleteFunc(simslack.DefaultScopes(), func(s string) bool { return s == "assistant:write" })
	s, p := idle(t, simslack.Options{Scopes: scopes})
	at := asked(t, s, simslack.DM(simslack.Minh))
	other := core.Place{Room: simslack.DM(simslack.Tom)}
	other.Thread = say(t, s, sim.Say{Room: other.Room, User: simslack.Tom, Text: "what?"}).ID
	for _, at := range []core.Place{at, at, other} {
		if err := p.SetTitle(t.Context(), at, "x"); core.ClassOf(err) != core.Unsupported {
			t.Errorf("SetTitle = %v, want class unsupported", err)
		}
		if err := p.Prompt(t.Context(), at, "", []string{"x"}); core.ClassOf(err) != core.Unsupported {
			t.Errorf("Prompt = %v, want class unsupported", err)
		}
	}
	s.Faults().Add(sim.Fault{Match: "assistant.threads", Cut: true})
	_, _ = p.SetTitle(t.Context(), at, "x"), p.Prompt(t.Context(), at, "", []string{"x"})
	if n := s.Faults().Hits(); n != 0 {
		t.Errorf("asked %d times more", n)
	}
}

// TestHaltEvent holds that a person who stops an answer is told of.
func TestHaltEvent(t *testing.T) {
	t.Parallel()
	bothWays(t, simslack.Options{}, func(t *testing.T, s *simslack.Server, p *slack.Platform, h *host) {
		at := asked(t, s, simslack.General)
		st := streaming(t, p, at, "An answer")
		if err := s.Halt(t.Context(), sim.Ref{Room: st.Message.Room, ID: st.Message.ID}, simslack.Anna); err != nil {
			t.Fatal(err)
		}
		ev := h.event(t, core.KindHalt, 1)
		if ev.MessageID != st.Message.ID || ev.Place() != at || ev.Sender.ID != simslack.Anna || ev.Sender.Name != "Anna" || ev.Room.Name != "general" {
			t.Errorf("halt %+v", ev)
		}
		allAcked(t, s)
	})
}
