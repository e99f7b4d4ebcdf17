package slack_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// TestNotesWhileSlackIsAway holds that a turn of an earlier process knows what that one has noted, though it goes on before
// the bot has begun to run, and Slack does not say who the bot is.
func TestNotesWhileSlackIsAway(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	h := newHost()
	at := core.Place{Room: simslack.General}
	file := upload("chart.png", noise(1000), 1000)
	file.Nonce = "f1"
	lost(s, "files.completeUploadExternal", false)
	if _, err := attached(t, newBot(t, config(s)), h).Upload(t.Context(), at, "", file); core.ClassOf(err) != core.Transient {
		t.Fatalf("Upload = %v, want class transient", err)
	}

	s.Faults().Add(sim.Fault{Match: "auth.test", Status: http.StatusBadGateway, Body: "<html>"})
	p, next := newBot(t, config(s)), h.next()
	file.Again = true
	file.Open = func(context.Context) (io.ReadCloser, error) {
		t.Error("the file is read again")
		return io.NopCloser(strings.NewReader("")), nil
	}
	done := make(chan error, 1)
	go func() {
		_, err := p.Upload(context.WithoutCancel(t.Context()), at, "", file)
		done <- err
	}()
	start(t, p, next)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if own := ofBot(s, at); len(own) != 1 || len(own[0].Files) != 1 {
		t.Errorf("the bot's messages: %+v", own)
	}
	next.mu.Lock()
	defer next.mu.Unlock()
	if next.ups != 0 {
		t.Error("the bot is connected: Slack was not away")
	}
}

// TestNotesAfterRun holds that what a turn notes is stored after Run has ended, too.
func TestNotesAfterRun(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	p, h := newBot(t, config(s)), newHost()
	stop := start(t, p, h)
	h.waitUp(t, 1)
	at := asked(t, s, simslack.General)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	post := core.Post{Place: at, Nonce: "late1", For: core.User{ID: simslack.Minh}}
	if _, err := p.StartStream(t.Context(), post, "Half of"); err != nil {
		t.Fatal(err)
	}
	if stored, _ := h.Cursor("notes"); !strings.Contains(stored, `"late1"`) {
		t.Errorf("stored %q", stored)
	}
}
