package slack_test

import (
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// TestHalt holds that a message that a person has stopped stays as it is, whether the event or Slack's answer tells so first.
func TestHalt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		bot  func(t *testing.T) (*simslack.Server, *slack.Platform)
	}{
		{"by the event", func(t *testing.T) (*simslack.Server, *slack.Platform) {
			s, p, _ := running(t, simslack.Options{})
			return s, p
		}},
		{"by HTTP", func(t *testing.T) (*simslack.Server, *slack.Platform) {
			s, p, _ := listening(t, simslack.Options{})
			return s, p
		}},
		{"by the answer", func(t *testing.T) (*simslack.Server, *slack.Platform) { return idle(t, simslack.Options{Retries: nil}) }},
	}
	for _, tt := range tests {
		for _, next := range []string{"append", "stop", "edit"} {
			t.Run(tt.name+", then "+next, func(t *testing.T) {
				t.Parallel()
				s, p := tt.bot(t)
				clean(t, s)
				at := asked(t, s, simslack.General)
				st := streaming(t, p, at, "Half of")
				if err := s.Halt(t.Context(), sim.Ref{Room: at.Room, ID: st.Message.ID}, simslack.Minh); err != nil {
					t.Fatal(err)
				}
				if tt.name != "by the answer" {
					allAcked(t, s)
				}
				whole := p.Render("Half of it", true)[0]
				calls := map[string]func() error{
					"append": func() error { return p.AppendStream(t.Context(), st, " it") },
					"stop":   func() error { return p.StopStream(t.Context(), st, " it", whole) },
					"edit":   func() error { return p.Edit(t.Context(), st.Message, whole) },
				}
				for _, call := range []string{next, "append", "stop", "edit"} {
					if err := calls[call](); err != nil {
						t.Errorf("%s: %v", call, err)
					}
				}
				shows(t, s, st.Message, "Half of")
				if got := s.Session(at.Room, at.Thread); got != "active" {
					t.Errorf("the session is %q, want it released", got)
				}
				if n := slack.Streams(p); n != 0 {
					t.Errorf("%d streams are remembered", n)
				}
				other := post(t, p, core.Place{Room: at.Room, Thread: at.Thread}, "another")
				if err := p.Edit(t.Context(), other, p.Render("another, edited", true)[0]); err != nil {
					t.Fatal(err)
				}
				shows(t, s, other, "another, edited")
				if err := p.Delete(t.Context(), st.Message); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
