package slack_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

var why = core.Form{ID: "why", Title: "What was wrong with it?!", Label: "Tell us", Submit: "Send", Cancel: "Not now"}

// TestForm holds that a form opens, and that what a person writes into it comes back with the message it is about.
func TestForm(t *testing.T) {
	t.Parallel()
	bothWays(t, simslack.Options{}, func(t *testing.T, s *simslack.Server, p *slack.Platform, h *host) {
		clean(t, s)
		at := asked(t, s, simslack.General)
		ref := withButtons(t, p, at, rate...)
		press(t, s, ref, simslack.Anna, "dislike")
		ev := h.event(t, core.KindPress, 1)
		if err := p.OpenForm(t.Context(), ev.Handle, why); err != nil {
			t.Fatal(err)
		}
		v := s.Views()[0]
		if v.User != simslack.Anna || v.Title != why.Title || v.Label != why.Label || !strings.Contains(string(v.JSON), "Not now") {
			t.Errorf("view %+v", v)
		}
		if err := s.Submit(t.Context(), v.ID, "too long\nand wrong"); err != nil {
			t.Fatal(err)
		}
		sent := h.event(t, core.KindPress, 2)
		if sent.Press.ID != "why" || sent.Press.Text != "too long\nand wrong" || sent.MessageID != ref.ID || sent.Place() != at ||
			sent.Sender.ID != simslack.Anna || sent.Key == ev.Key || sent.Room.Name != "general" {
			t.Errorf("form %+v", sent)
		}
		await(t, "the form to close", s.Changed, func() bool { return !s.Views()[0].Open })
		allAcked(t, s)
		if err := p.Answer(t.Context(), sent.Handle, core.Part{Text: "Thanks"}); err != nil {
			t.Fatal(err)
		}
		if got := alone(t, s, simslack.General, simslack.Anna, 1); got[0].Shown != "Thanks" || got[0].Thread != at.Thread {
			t.Errorf("shown %+v", got)
		}
		// One that is closed says nothing.
		press(t, s, ref, simslack.Anna, "dislike")
		if err := p.OpenForm(t.Context(), h.event(t, core.KindPress, 3).Handle, why); err != nil {
			t.Fatal(err)
		}
		if err := s.CloseView(s.Views()[1].ID); err != nil {
			t.Fatal(err)
		}
		if n := len(h.all(core.KindPress)); n != 3 {
			t.Errorf("%d presses", n)
		}
	})
}

// TestFormFails holds of which class the errors are with which a form does not open.
func TestFormFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault sim.Fault
		class core.Class
	}{
		{name: "expired", fault: refused("", "expired_trigger_id", 1), class: core.NotFound},
		{name: "used", fault: refused("", "exchanged_trigger_id", 1), class: core.NotFound},
		{name: "unknown", fault: refused("", "unknown_method", 1), class: core.Unsupported},
		{name: "502", fault: sim.Fault{Status: http.StatusBadGateway}, class: core.Transient},
		{name: "slow", fault: sim.Fault{Delay: 10e9}, class: core.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p, h := running(t, simslack.Options{})
			press(t, s, withButtons(t, p, core.Place{Room: simslack.General}, rate...), simslack.Anna, "dislike")
			ev := h.event(t, core.KindPress, 1)
			tt.fault.Match = "/api/views.open"
			s.Faults().Add(tt.fault)
			if err := p.OpenForm(t.Context(), ev.Handle, why); core.ClassOf(err) != tt.class {
				t.Errorf("OpenForm = %v, want class %q", err, tt.class)
			}
			if len(s.Views()) != 0 {
				t.Errorf("views %+v", s.Views())
			}
		})
	}
	_, p := idle(t, simslack.Options{})
	late := `{"c":"C1","p":"U1","g":"1.2.x","at":"2020-01-01T00:00:00Z"}`
	if err := p.OpenForm(t.Context(), late, why); core.ClassOf(err) != core.NotFound {
		t.Errorf("OpenForm, late = %v, want class not_found", err)
	}
}
