package telegram_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

func TestQuestion(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	clean(t, s)
	sent := say(t, s, sim.Say{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling, User: simtelegram.Anna, Text: "where is my bill?", Mention: true})
	ev := h.event(t, core.KindMessage, 1)
	if d := time.Since(ev.SentAt); d < -time.Minute || d > time.Minute || ev.SentAt.Location() != time.UTC {
		t.Errorf("sent at %s", ev.SentAt)
	}
	want := core.Event{
		Key: "m:" + simtelegram.Forum + ":" + sent.ID, Kind: core.KindMessage, Reach: core.ReachMention,
		Room: core.Room{ID: simtelegram.Forum, Name: ev.Room.Name}, Thread: simtelegram.TopicBilling, MessageID: sent.ID,
		Sender: core.User{ID: simtelegram.Anna, Name: "Anna Berg", Handle: "anna_berg", Key: "telegram:" + simtelegram.Anna},
		Text:   "where is my bill?", SentAt: ev.SentAt,
	}
	if got, wanted := asJSON(t, ev), asJSON(t, want); got != wanted || ev.Room.Name == "" {
		t.Errorf("got  %s\nwant %s", got, wanted)
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReach(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{PrivacyOff: true})
	clean(t, s)
	own := post(t, p, core.Place{Room: simtelegram.Group}, "hello")
	tests := []struct {
		name   string
		say    sim.Say
		reach  core.Reach
		text   string
		thread string
	}{
		{name: "private", say: sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: "xin chào 👋"}, reach: core.ReachDirect, text: "xin chào 👋"},
		{name: "mention", say: sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: "what now?", Mention: true}, reach: core.ReachMention, text: "what now?"},
		{name: "reply", say: sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: "and then?", ReplyTo: own.ID}, reach: core.ReachReply, text: "and then?"},
		{name: "ambient", say: sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: "lunch?"}, reach: core.ReachAmbient, text: "lunch?"},
		{name: "topic", say: sim.Say{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling, User: simtelegram.Tom, Text: "my bill"}, reach: core.ReachAmbient, text: "my bill", thread: simtelegram.TopicBilling},
		{name: "General", say: sim.Say{Room: simtelegram.Forum, User: simtelegram.Tom, Text: "hi all", Mention: true}, reach: core.ReachMention, text: "hi all"},
	}
	for i, tt := range tests { // in turn: they are one stream of updates
		m := say(t, s, tt.say)
		ev := h.event(t, core.KindMessage, i+1)
		if ev.Reach != tt.reach || ev.Text != tt.text || ev.Thread != tt.thread || ev.MessageID != m.ID || ev.Sender.Key != "telegram:"+tt.say.User {
			t.Errorf("%s: %s", tt.name, asJSON(t, ev))
		}
	}
}

// TestConfirmedOnlyOnceAccepted: an update that the store refuses is not confirmed, nor is anything after it.
func TestConfirmedOnlyOnceAccepted(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	clean(t, s)
	full := errors.New("disk full")
	h.setRefuse(func(ev core.Event) error {
		if ev.Text == "two" {
			return full
		}
		return nil
	})
	for _, text := range []string{"one", "two", "three"} {
		ask(t, s, text)
	}
	if err := h.told(t, "disk full"); !errors.Is(err, full) {
		t.Errorf("state = %v", err)
	}
	if n := s.Pending(); n < 2 {
		t.Errorf("%d updates are unconfirmed, want the refused one and the one behind it", n)
	}
	if got := h.texts(); !slices.Equal(got, []string{"one"}) {
		t.Errorf("taken while the disk is full: %q", got)
	}
	h.setRefuse(nil)
	h.event(t, core.KindMessage, 3)
	if got, want := h.texts(), []string{"one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("messages = %q, want %q", got, want)
	}
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
	h.waitUp(t, 1)
}

// TestRefusedComesAgain: what a process could not store comes to the next one, with the same key.
func TestRefusedComesAgain(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{})
	clean(t, s)
	p, h := newBot(t, s.APIURL(), s.Token()), &host{}
	var refused core.Event
	h.setRefuse(func(ev core.Event) error {
		if ev.Text == "two" {
			refused = ev
			return errors.New("disk full")
		}
		return nil
	})
	stop := start(t, p, h)
	h.waitUp(t, 1)
	ask(t, s, "one")
	ask(t, s, "two")
	_ = h.told(t, "disk full")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := s.Pending(); n != 1 {
		t.Errorf("%d updates wait, want the refused one alone: what was taken is confirmed on the way out", n)
	}
	next := &host{}
	start(t, newBot(t, s.APIURL(), s.Token()), next)
	if ev := next.event(t, core.KindMessage, 1); ev.Key != refused.Key || ev.Text != "two" {
		t.Errorf("event = %+v, want %+v", ev, refused)
	}
}

func TestStopConfirms(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{})
	clean(t, s)
	h := &host{}
	stop := start(t, newBot(t, s.APIURL(), s.Token()), h)
	h.waitUp(t, 1)
	var stopping sync.WaitGroup
	h.setRefuse(func(core.Event) error {
		stopping.Go(func() { _ = stop() }) // before the next poll can confirm it
		return nil
	})
	ask(t, s, "last")
	h.event(t, core.KindMessage, 1)
	if err := stop(); err != nil {
		t.Error(err)
	}
	stopping.Wait()
	if n := s.Pending(); n != 0 {
		t.Errorf("%d updates would come again", n)
	}
}

func TestSameKeyWhenDeliveredAgain(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	ask(t, s, "twice")
	h.event(t, core.KindMessage, 1)
	if n := s.Redeliver(1); n != 1 {
		t.Fatalf("redelivered %d", n)
	}
	if a, b := h.event(t, core.KindMessage, 1), h.event(t, core.KindMessage, 2); a.Key != b.Key {
		t.Errorf("keys %q and %q", a.Key, b.Key)
	}
}

func TestPoisonStallsNothing(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	for _, raw := range []string{
		`{"message":7}`,
		`{"message":{"message_id":"not a number","chat":7}}`,
		`{"unheard_of":{"x":1}}`,
		`{"message":{"message_id":900,"date":1,"chat":{"id":5000000001,"type":"private"},"from":{"id":5000000001,"first_name":"M"},"paid_media":{"paid_media":[{"type":"hologram"}]},"text":"a new kind of media"}}`,
		`{"message":{"message_id":901,"date":"?","chat":{"id":5000000001,"type":"private"},"from":{"id":5000000001,"first_name":7},"text":"odd fields","entities":{},"photo":"x","sticker":[]}}`,
	} {
		if _, err := s.InjectUpdate([]byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, s, "after")
	h.event(t, core.KindMessage, 3)
	if got, want := h.texts(), []string{"a new kind of media", "odd fields", "after"}; !slices.Equal(got, want) {
		t.Errorf("messages = %q, want %q", got, want)
	}
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
}

func TestPanicIsPassedOver(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	h.setRefuse(func(ev core.Event) error {
		if ev.Text == "poison" {
			panic("poison")
		}
		return nil
	})
	ask(t, s, "poison")
	ask(t, s, "water")
	if ev := h.event(t, core.KindMessage, 1); ev.Text != "water" {
		t.Errorf("text = %q", ev.Text)
	}
}

// TestOtherPoller: another process with the same token throws this one out, until it ends.
func TestOtherPoller(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{ConflictPause: 10 * time.Millisecond})
	other := newBot(t, s.APIURL(), s.Token())
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			_ = telegram.Call(ctx, other, "getUpdates", map[string]int{"timeout": 50}, nil)
		}
	})
	err := h.told(t, "another program polls with this token")
	if core.ClassOf(err) != core.Transient || !strings.Contains(err.Error(), "@BotFather") {
		t.Errorf("state = %v", err)
	}
	cancel()
	wg.Wait()
	ask(t, s, "again alone")
	if ev := h.event(t, core.KindMessage, 1); ev.Text != "again alone" {
		t.Errorf("text = %q", ev.Text)
	}
}

// TestWebhookIsTakenAway: what waited for the webhook is answered.
func TestWebhookIsTakenAway(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{WebhookRetry: time.Hour})
	if err := telegram.Call(t.Context(), p, "setWebhook", map[string]string{"url": "https://127.0.0.1:8443/hook?secret=hunter2"}, nil); err != nil {
		t.Fatal(err)
	}
	ask(t, s, "before")
	h := &host{}
	start(t, p, h)
	if ev := h.event(t, core.KindMessage, 1); ev.Text != "before" {
		t.Errorf("text = %q", ev.Text)
	}
}

// TestWebhookSetAgainAndAgain: that another program does so is told, and polls are not repeated as fast as they are refused.
func TestWebhookSetAgainAndAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const hook = `{"ok":true,"result":{"url":"https://elsewhere.example/hook?secret=hunter2"}}`
		var polls atomic.Int32
		l := memnet.Listen()
		api := fakeOn(t, l, map[string]http.HandlerFunc{
			"getUpdates": func(w http.ResponseWriter, _ *http.Request) {
				polls.Add(1)
				w.WriteHeader(http.StatusConflict)
				_, _ = io.WriteString(w, `{"ok":false,"error_code":409,"description":"Conflict: can't use getUpdates method while webhook is active"}`)
			},
			"getWebhookInfo": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, hook) },
		})
		p, err := telegram.New("acme", telegram.Config{Token: token, APIURL: api}, quiet(t))
		if err != nil {
			t.Fatal(err)
		}
		telegram.Dial(p, l.DialContext)
		t.Cleanup(func() { telegram.CloseIdle(p) })
		h := &host{}
		stop := start(t, p, h)
		if err := h.told(t, "again and again"); strings.Contains(err.Error(), "hunter2") {
			t.Errorf("state = %v", err)
		}
		pass(2 * time.Minute)
		if err := stop(); err != nil {
			t.Error(err)
		}
		if n := polls.Load(); n < 3 || n > 20 {
			t.Errorf("%d polls in two minutes", n)
		}
	})
}

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	t.Run("wrong", func(t *testing.T) {
		t.Parallel()
		s := newSim(t, simtelegram.Options{})
		const wrong = "7000000001:another-token-of-the-bot"
		p, h := newBot(t, s.APIURL(), wrong), &host{}
		refused(t, p.Run(t.Context(), h), wrong)
		if h.up || len(h.errs) == 0 {
			t.Errorf("state: up %t, errors %v", h.up, h.errs)
		}
	})
	for _, code := range []int{http.StatusUnauthorized, http.StatusNotFound} {
		t.Run(fmt.Sprint("later ", code), func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simtelegram.Options{})
			p, h := newBot(t, s.APIURL(), s.Token()), &host{}
			done := make(chan error, 1)
			go func() { done <- p.Run(t.Context(), h) }()
			h.waitUp(t, 1)
			s.Faults().Add(simtelegram.ErrorFault("", code, http.StatusText(code), 0))
			ask(t, s, "ends the poll under way")
			select {
			case err := <-done:
				refused(t, err, s.Token())
			case <-time.After(patience):
				t.Fatal("Run goes on")
			}
		})
	}
}

func refused(t *testing.T, err error, token string) {
	t.Helper()
	if core.ClassOf(err) != core.Auth || !strings.Contains(err.Error(), "@BotFather") {
		t.Errorf("Run = %v, want class auth and what to do", err)
	}
	if err != nil && strings.Contains(err.Error(), token) {
		t.Errorf("the token is in the error: %v", err)
	}
}

// TestGoesOnAfter has faults that say nothing about the bot.
func TestGoesOnAfter(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html"}}
	tests := []struct {
		name  string
		fault sim.Fault
		says  string
	}{
		{name: "page of a gateway", fault: sim.Fault{Times: 2, Status: http.StatusBadGateway, Header: html, Body: "<html>bad gateway</html>"}, says: "502 Bad Gateway, which is not from the Bot API"},
		{name: "page with status 401", fault: sim.Fault{Times: 2, Status: http.StatusUnauthorized, Header: html, Body: "<html>log in</html>"}, says: "401 Unauthorized, which is not from the Bot API"},
		{name: "page with status 404", fault: sim.Fault{Times: 2, Status: http.StatusNotFound, Header: html, Body: "<html>nothing here</html>"}, says: "404 Not Found, which is not from the Bot API"},
		{name: "page with status 200", fault: sim.Fault{Times: 2, Status: http.StatusOK, Header: html, Body: "<html>welcome</html>"}, says: "200 OK, which is not from the Bot API"},
		{name: "redirect", fault: sim.Fault{Times: 2, Status: http.StatusMovedPermanently, Header: http.Header{"Location": {"http://elsewhere.invalid/"}}}, says: "301 Moved"},
		{name: "5xx", fault: simtelegram.ErrorFault("", 500, "Internal Server Error", 2), says: "500 Internal Server Error"},
		{name: "cut", fault: sim.Fault{Times: 2, Cut: true}, says: "EOF"},
		{name: "odd result", fault: sim.Fault{Times: 2, Status: http.StatusOK, Body: `{"ok":true,"result":{"x":[]}}`}, says: "does not hold what was asked for"},
		{name: "poll alone", fault: sim.Fault{Match: "getUpdates", Times: 2, Status: http.StatusOK, Body: `{"ok":true,"result":{"x":[]}}`}, says: "does not hold what was asked for"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simtelegram.Options{})
			s.Faults().Add(tt.fault)
			h := &host{}
			start(t, newBot(t, s.APIURL(), s.Token()), h)
			if err := h.told(t, tt.says); core.ClassOf(err) != core.Transient {
				t.Errorf("state = %v", err)
			}
			ask(t, s, "hello")
			if ev := h.event(t, core.KindMessage, 1); ev.Text != "hello" {
				t.Errorf("text = %q", ev.Text)
			}
		})
	}
}

func TestFloodOfPolls(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{})
	s.Faults().Add(simtelegram.TooManyRequests("getUpdates", 1, 1))
	h := &host{}
	began := time.Now()
	start(t, newBot(t, s.APIURL(), s.Token()), h)
	if err := h.told(t, "429"); core.ClassOf(err) != core.RateLimited || core.RetryAfterOf(err) != time.Second {
		t.Errorf("state = %v", err)
	}
	h.waitUp(t, 1)
	if d := time.Since(began); d < time.Second {
		t.Errorf("polled again after %v, want a second at least", d)
	}
}

// TestPaced has servers that do not hold polls, or repeat what was confirmed, or send what has no id.
func TestPaced(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, updates string }{
		{name: "empty", updates: `[]`},
		{name: "confirmed already", updates: `[{"update_id":5,"unheard_of":{}}]`},
		{name: "without an id", updates: `[{"update_id":"x"},{"message":{}}, 7]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			times := make(chan time.Time, 1000)
			api := fake(t, map[string]http.HandlerFunc{"getUpdates": func(w http.ResponseWriter, _ *http.Request) {
				times <- time.Now()
				_, _ = io.WriteString(w, `{"ok":true,"result":`+tt.updates+`}`)
			}})
			p, h := newBot(t, api, token), &host{}
			stop := start(t, p, h)
			first := <-times
			for range 6 { // the first follow at once
				<-times
			}
			if d := (<-times).Sub(first); d < 4*30*time.Millisecond {
				t.Errorf("eight polls within %v", d)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
	if hold, pause, _ := telegram.Unhurried(); hold != 50*time.Second || pause < time.Second {
		t.Errorf("in use: polls of %v, %v apart", hold, pause)
	}
}

func TestInstantPollsLoseNothing(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	clean(t, s)
	s.InstantPolls(true)
	for _, text := range []string{"one", "two", "three"} {
		ask(t, s, text)
	}
	h.event(t, core.KindMessage, 3)
	if got, want := h.texts(), []string{"one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("messages = %q, want %q", got, want)
	}
}

// TestPollAsksForEverything: each poll names the kinds of updates, and its offset is above what was taken.
func TestPollAsksForEverything(t *testing.T) {
	t.Parallel()
	type params struct {
		Offset  int64    `json:"offset"`
		Limit   int      `json:"limit"`
		Timeout int      `json:"timeout"`
		Allowed []string `json:"allowed_updates"`
	}
	polls := make(chan params, 1000)
	var given atomic.Bool
	api := fake(t, map[string]http.HandlerFunc{"getUpdates": func(w http.ResponseWriter, r *http.Request) {
		var got params
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		polls <- got
		if given.CompareAndSwap(false, true) {
			_, _ = io.WriteString(w, `{"ok":true,"result":[{"update_id":41,"x":1},{"update_id":42,"x":1}]}`)
			return
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":[]}`)
	}})
	p, h := newBot(t, api+"/behind/a/proxy", token), &host{}
	start(t, p, h)
	want := []string{"message", "edited_message", "callback_query", "message_reaction", "my_chat_member"}
	for i := range 3 {
		got := <-polls
		timeout, offset := 50, int64(0) // what came before is confirmed by now
		switch i {
		case 0:
			timeout = 0 // to tell at once whether polling works
		case 1:
			offset = 43
		}
		if got.Timeout != timeout || got.Offset != offset || got.Limit != 100 || !slices.Equal(got.Allowed, want) {
			t.Errorf("poll %d: %+v", i, got)
		}
	}
}

func TestRunTwice(t *testing.T) {
	t.Parallel()
	_, p, _ := running(t, simtelegram.Options{})
	if err := p.Run(t.Context(), &host{}); core.ClassOf(err) != core.Invalid {
		t.Errorf("a second Run = %v", err)
	}
}

// TestStopsAnywhere ends Run where it waits.
func TestStopsAnywhere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault sim.Fault
		until func(t *testing.T, s *simtelegram.Server, h *host)
	}{
		{name: "in a poll", until: func(t *testing.T, _ *simtelegram.Server, h *host) { h.waitUp(t, 1) }},
		{
			name: "in a pause after 429", fault: simtelegram.TooManyRequests("getUpdates", 600, 0),
			until: func(t *testing.T, _ *simtelegram.Server, h *host) { _ = h.told(t, "429") },
		},
		{
			name: "in getMe", fault: sim.Fault{Match: "getMe", Delay: time.Minute},
			until: func(t *testing.T, s *simtelegram.Server, _ *host) {
				await(t, "the call", tick(t), func() bool { return s.Faults().Hits() > 0 })
			},
		},
		{
			name: "while nothing can be stored",
			until: func(t *testing.T, s *simtelegram.Server, h *host) {
				h.setRefuse(func(core.Event) error { return errors.New("disk full") })
				ask(t, s, "hello")
				_ = h.told(t, "disk full")
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simtelegram.Options{})
			if tt.fault.Status != 0 || tt.fault.Delay != 0 {
				s.Faults().Add(tt.fault)
			}
			h := &host{}
			stop := start(t, newBot(t, s.APIURL(), s.Token()), h)
			tt.until(t, s, h)
			began := time.Now()
			if err := stop(); err != nil {
				t.Errorf("Run = %v", err)
			}
			if d := time.Since(began); d > 30*time.Second { // what it waits for takes a minute or more
				t.Errorf("it took %v", d)
			}
		})
	}
}

// tick wakes now and then, for what tells nobody that it has changed.
func tick(t testing.TB) func() <-chan struct{} {
	t.Helper()
	return func() <-chan struct{} {
		c := make(chan struct{})
		time.AfterFunc(5*time.Millisecond, func() { close(c) })
		return c
	}
}
