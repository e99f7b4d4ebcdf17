package agent_test

import (
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

// TestArchive holds what a chat's commands need of an app: its opening, its conversations and what to ask next.
func TestArchive(t *testing.T) {
	apps := sim.DemoApps()
	s, err := sim.New(sim.Options{Apps: apps})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	client, err := clickai.New(clickai.Config{BaseURL: s.URL(), APIKey: apps[0].Key})
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(agent.Config{Name: "support", Mode: agent.ModeChat, Client: client, BaseURL: s.URL(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	ctx := t.Context()

	open, err := a.Opening(ctx)
	if err != nil || open.Text != apps[0].Opening || !slices.Equal(open.Prompts, apps[0].Questions) {
		t.Errorf("opening %+v, %v", open, err)
	}
	ask := func(q core.Question) (id string, suggested []string) {
		t.Helper()
		for d, err := range a.Ask(ctx, q) {
			if err != nil {
				t.Fatal(err)
			}
			if d.Conversation != "" {
				id = d.Conversation
			}
			suggested = append(suggested, d.Suggestions...)
		}
		return id, suggested
	}
	const user = "test:U1"
	first, suggested := ask(core.Question{User: user, Query: "one", Suggest: true})
	if len(suggested) == 0 {
		t.Error("nothing is suggested")
	}
	_, suggested = ask(core.Question{User: user, Query: "two", Conversation: first})
	if len(suggested) != 0 {
		t.Errorf("suggested unasked: %q", suggested)
	}
	past, err := a.History(ctx, user, first, 5)
	if err != nil || len(past) != 2 || past[0].Query != "one" || past[1].Query != "two" || past[1].Answer == "" {
		t.Errorf("history %+v, %v", past, err)
	}
	name, err := a.Rename(ctx, user, first, "Mine")
	if err != nil || name != "Mine" {
		t.Errorf("renamed %q, %v", name, err)
	}
	all, err := a.Conversations(ctx, user, 5)
	if err != nil || len(all) != 1 || all[0].ID != first || all[0].Name != "Mine" {
		t.Errorf("conversations %+v, %v", all, err)
	}
	if others, err := a.Conversations(ctx, "test:U2", 5); err != nil || len(others) != 0 {
		t.Errorf("somebody else's conversations %+v, %v", others, err)
	}
	if name, err = a.Rename(ctx, user, first, ""); err != nil || name == "" || name == "Mine" {
		t.Errorf("renamed by the app %q, %v", name, err)
	}
	if err := a.Delete(ctx, user, first); err != nil {
		t.Error(err)
	}
	if gone, ok := errors.AsType[*core.AppError](a.Delete(ctx, user, first)); !ok || gone.Class != core.NotFound {
		t.Errorf("deleted twice: %v", gone)
	}
}
