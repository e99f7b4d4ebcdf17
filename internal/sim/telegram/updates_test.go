package telegram_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

func TestConfirmation(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{FirstUpdateID: 100})
	r := newRaw(t, s)
	for _, text := range []string{"a", "b", "c", "d"} {
		say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: text})
	}
	for _, step := range []struct {
		name   string
		params obj
		want   string
	}{
		{"all unconfirmed", obj{}, "100 101 102 103"},
		{"asked again they come again", obj{}, "100 101 102 103"},
		{"limit", obj{"limit": 2}, "100 101"},
		{"a higher offset confirms what is below", obj{"offset": 102}, "102 103"},
		{"confirmed ones are gone", obj{}, "102 103"},
		{"text numbers, as forms send them", obj{"offset": "102", "limit": "1"}, "102"},
		{"negative offset counts from the end and forgets the rest", obj{"offset": -1}, "103"},
		{"what it forgot is gone", obj{}, "103"},
		{"beyond the last", obj{"offset": 104}, ""},
		{"nothing left", obj{}, ""},
	} {
		if got := ids(r.updates(step.params)); got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
	if n := s.Pending(); n != 0 {
		t.Errorf("%d pending", n)
	}
	for _, u := range s.Updates() {
		if !u.Confirmed || u.Delivered == 0 {
			t.Errorf("update %d: %+v", u.ID, u)
		}
	}
	noViolations(t, s)
}

func TestAllowedUpdates(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	m := say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "hi"})
	react := func(emoji string) {
		t.Helper()
		if err := s.React(t.Context(), m.Ref, telegram.Minh, emoji); err != nil {
			t.Fatal(err)
		}
	}
	drain := func(params obj) (kinds string) {
		t.Helper()
		var names []string
		for _, u := range r.updates(params) {
			switch {
			case u.Message != nil:
				names = append(names, "message")
			case u.Reaction != nil:
				names = append(names, "message_reaction")
			case u.Edited != nil:
				names = append(names, "edited_message")
			}
		}
		r.updates(obj{"offset": 1 << 40})
		return strings.Join(names, " ")
	}
	react("👍")
	if got := drain(obj{}); got != "message" {
		t.Errorf("by default: %q", got)
	}
	if got := drain(obj{"allowed_updates": []string{"message_reaction"}}); got != "" {
		t.Errorf("what was not wanted when it happened: %q", got)
	}
	react("👎")
	say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "again"})
	if got := drain(obj{}); got != "message_reaction" {
		t.Errorf("the list is remembered: %q", got)
	}
	drain(obj{"allowed_updates": []string{}})
	react("🔥")
	if err := s.Edit(t.Context(), m.Ref, telegram.Minh, "hi there"); err != nil {
		t.Fatal(err)
	}
	if got := drain(obj{}); got != "edited_message" {
		t.Errorf("an empty list is the default: %q", got)
	}
	noViolations(t, s)
	drain(obj{"allowed_updates": nil})
	violation(t, s, "getUpdates: allowed_updates is null where a list is due")
}

func TestLongPollAndConflict(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{ConflictPause: time.Millisecond})
	r := newRaw(t, s)
	type result struct {
		reply reply
		err   error
	}
	poll := func(ctx context.Context) <-chan result {
		out := make(chan result, 1)
		go func() {
			got, err := r.try(ctx, "getUpdates", obj{"timeout": 30})
			out <- result{got, err}
		}()
		return out
	}
	if s.Connected() {
		t.Error("connected before any poll")
	}
	first := poll(t.Context())
	eventually(t, s, "the first poll", s.Connected)
	second := poll(t.Context())
	got := <-first
	if got.err != nil {
		t.Fatal(got.err)
	}
	r.want(got.reply, http.StatusConflict,
		"Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
	say(t, s, sim.Say{Room: telegram.Anna, User: telegram.Anna, Text: "hello"})
	got = <-second
	var us []update
	r.ok(got.reply, &us)
	if len(us) != 1 || us[0].Message.Text != "hello" {
		t.Errorf("second poll: %+v", us)
	}
	r.updates(obj{"offset": us[0].ID + 1})

	ctx, cancel := context.WithCancel(t.Context())
	third := poll(ctx)
	eventually(t, s, "the third poll", func() bool { return s.Connected() && s.Calls("getUpdates") == 4 })
	cancel()
	if got := <-third; !errors.Is(got.err, context.Canceled) {
		t.Errorf("third poll: %v", got.err)
	}
	eventually(t, s, "the bot gone", func() bool { return !s.Connected() })

	fourth := poll(t.Context())
	eventually(t, s, "the fourth poll", s.Connected)
	r.ok(r.call("setWebhook", obj{"url": "http://127.0.0.1:1/hook"}), nil)
	got = <-fourth
	r.want(got.reply, http.StatusConflict, "Conflict: terminated by setWebhook request")
	r.want(r.call("getUpdates", obj{}), http.StatusConflict, "Conflict: can't use getUpdates method while webhook is active; "+
		"use deleteWebhook to delete the webhook first")
	r.ok(r.call("deleteWebhook", obj{}), nil)
	r.updates(obj{})

	s.InstantPolls(true)
	r.updates(obj{"timeout": 50}) // would outlast the client's patience
	noViolations(t, s)
}

func TestDuplicatesAndPoison(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{FirstUpdateID: 7})
	r := newRaw(t, s)
	say(t, s, sim.Say{Room: telegram.Tom, User: telegram.Tom, Text: "one"})
	say(t, s, sim.Say{Room: telegram.Tom, User: telegram.Tom, Text: "two"})
	r.updates(obj{})
	r.updates(obj{"offset": 9})
	if err := s.Duplicate(7); err != nil {
		t.Fatal(err)
	}
	if got := ids(r.updates(obj{"offset": 9})); got != "7" {
		t.Errorf("duplicate: %q", got)
	}
	if got := ids(r.updates(obj{"offset": 9})); got != "" {
		t.Errorf("a duplicate stays: %q", got)
	}
	if n := s.Redeliver(2); n != 2 {
		t.Errorf("redelivered %d", n)
	}
	if got := ids(r.updates(obj{"offset": 9})); got != "7 8" {
		t.Errorf("redelivered: %q", got)
	}
	if err := s.Duplicate(99); !errors.Is(err, telegram.ErrNoUpdate) {
		t.Errorf("unknown update: %v", err)
	}
	id, err := s.InjectUpdate([]byte(`{"message_reaction":{"new_reaction":[{"type":"hologram"}]}}`))
	if err != nil || id != 9 {
		t.Fatalf("injected %d, %v", id, err)
	}
	got := r.call("getUpdates", obj{"offset": 9})
	if !strings.Contains(string(got.Result), `"hologram"`) || !strings.Contains(string(got.Result), `"update_id":9`) {
		t.Errorf("poison: %s", got.Result)
	}
	if _, err := s.InjectUpdate([]byte(`[]`)); err == nil {
		t.Error("a list is taken as an update")
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{MaxUpdates: 3, MaxMessages: 2, FirstUpdateID: 1})
	for range 5 {
		say(t, s, sim.Say{Room: telegram.Tom, User: telegram.Tom, Text: "x"})
	}
	if got := ids(newRaw(t, s).updates(obj{})); got != "3 4 5" {
		t.Errorf("kept %q", got)
	}
	if n := len(s.Messages(telegram.Tom, "")); n != 2 {
		t.Errorf("%d messages kept", n)
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	s, err := telegram.New(telegram.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRaw(t, s)
	s.Faults().Add(sim.Fault{Match: "/getMe", Delay: time.Hour})
	done := make(chan error, 2)
	for _, call := range []struct {
		method string
		params obj
	}{{"getUpdates", obj{"timeout": 50}}, {"getMe", obj{}}} {
		go func() {
			_, err := r.try(t.Context(), call.method, call.params)
			done <- err
		}()
	}
	eventually(t, s, "both calls", func() bool { return s.Connected() })
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Logf("cut off, as it may be: %v", errors.Unwrap(err)) // without the address, which holds the token
		}
	}
	if took := time.Since(began); took > 30*time.Second { // less than what waits would take
		t.Errorf("closing took %v", took)
	}
}
