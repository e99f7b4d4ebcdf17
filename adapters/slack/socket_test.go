package slack_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// allAcked waits until nothing is left that Slack would send again.
func allAcked(t *testing.T, s *simslack.Server) {
	t.Helper()
	await(t, "all acknowledgements", s.Changed, func() bool { return s.Unacked() == 0 })
}

func TestMentionIsOneEvent(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simslack.Options{})
	clean(t, s)
	for i := range 6 { // the two events of a mention come in either order
		said := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: fmt.Sprintf("what is %d & 1?", i), Mention: true})
		allAcked(t, s)
		all := h.all(core.KindMessage)
		if len(all) != 2*(i+1) {
			t.Fatalf("%d events, want a pair for each of %d mentions", len(all), i+1)
		}
		a, b := all[2*i], all[2*i+1]
		if a.Key != b.Key || a.Key != "m:"+simslack.DefaultTeamID+":"+simslack.General+":"+said.ID {
			t.Errorf("keys %q and %q, want the same", a.Key, b.Key)
		}
		if fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
			t.Errorf("the two events of a mention differ:\n%+v\n%+v", a, b)
		}
		if a.Reach != core.ReachMention || a.Text != fmt.Sprintf("what is %d & 1?", i) || a.Roots != said.ID || a.Room.Name != "general" {
			t.Errorf("event %+v", a)
		}
		if a.Sender.Name != "Minh" || a.Sender.Key != "slack:"+simslack.DefaultTeamID+":"+simslack.Minh || a.Sender.Handle == "" {
			t.Errorf("sender %+v", a.Sender)
		}
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simslack.Options{})
	clean(t, s)
	dm := simslack.DM(simslack.Anna)
	question := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "hello all"})
	if ev := h.event(t, core.KindMessage, 1); ev.Reach != core.ReachAmbient || ev.Thread != "" || ev.Roots != question.ID {
		t.Errorf("said in a room: %+v", ev)
	}
	say(t, s, sim.Say{Room: simslack.General, Thread: question.ID, User: simslack.Anna, Text: "hello Minh"})
	if ev := h.event(t, core.KindMessage, 2); ev.Reach != core.ReachAmbient || ev.Thread != question.ID || ev.Roots != "" {
		t.Errorf("said in a thread: %+v", ev)
	}
	direct := say(t, s, sim.Say{Room: dm, User: simslack.Anna, Text: "hi"})
	if ev := h.event(t, core.KindMessage, 3); ev.Reach != core.ReachDirect || !ev.Room.Direct || ev.Thread != "" || ev.Roots != "" || ev.Room.Name != "Anna" {
		t.Errorf("said in a direct chat: %+v", ev)
	}
	say(t, s, sim.Say{Room: dm, Thread: direct.ID, User: simslack.Anna, Text: "there"})
	if ev := h.event(t, core.KindMessage, 4); ev.Thread != direct.ID || ev.Reach != core.ReachDirect {
		t.Errorf("said in a thread of a direct chat: %+v", ev)
	}
	at, err := s.OpenAssistant(t.Context(), simslack.Tom)
	if err != nil {
		t.Fatal(err)
	}
	say(t, s, sim.Say{Room: at.Room, Thread: at.Thread, User: simslack.Tom, Text: "help"})
	if ev := h.event(t, core.KindMessage, 5); ev.Thread != at.Thread || ev.Reach != core.ReachDirect {
		t.Errorf("said to the assistant: %+v", ev)
	}
	// What the bot itself says comes back and is nobody's question.
	if _, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: dm}, Part: core.Part{Text: "mine"}}); err != nil {
		t.Fatal(err)
	}
	allAcked(t, s)
	if n := len(h.all(core.KindMessage)); n != 5 {
		t.Errorf("%d messages, want 5: %+v", n, h.all(""))
	}
}

func TestEditsAndDeletes(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simslack.Options{})
	clean(t, s)
	said := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "frist https://a.example"})
	h.event(t, core.KindMessage, 1)
	if err := s.Unfurl(t.Context(), said.Ref); err != nil {
		t.Fatal(err)
	}
	if err := s.Edit(t.Context(), said.Ref, simslack.Minh, "first & last"); err != nil {
		t.Fatal(err)
	}
	ev := h.event(t, core.KindEdit, 1)
	if ev.MessageID != said.ID || ev.Text != "first & last" || !strings.HasPrefix(ev.Key, "e:") || ev.Sender.ID != simslack.Minh {
		t.Errorf("edit: %+v", ev)
	}
	// With a reply under it a deleted message leaves a tombstone.
	reply := say(t, s, sim.Say{Room: simslack.General, Thread: said.ID, User: simslack.Anna, Text: "reply"})
	for _, m := range []sim.Message{said, reply} {
		if err := s.Delete(t.Context(), m.Ref, m.Author); err != nil {
			t.Fatal(err)
		}
	}
	allAcked(t, s)
	deleted := map[string]string{}
	for _, ev := range h.all(core.KindDelete) {
		deleted[ev.MessageID] = ev.Thread
	}
	if len(deleted) != 2 || deleted[reply.ID] != said.ID {
		t.Errorf("deleted: %v, want %s and %s in its thread", deleted, said.ID, reply.ID)
	}
	if n := len(h.all(core.KindEdit)); n != 1 {
		t.Errorf("%d edits, want 1: a link preview is none", n)
	}
}

func TestReactions(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simslack.Options{CustomEmoji: []string{"acme"}})
	clean(t, s)
	ref, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simslack.General}, Part: core.Part{Text: "an answer"}})
	if err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: ref.Room, ID: ref.ID}
	for i, e := range []string{"👍🏽", "❤️", "💯", ":acme:"} {
		if err := s.React(t.Context(), at, simslack.Minh, e); err != nil {
			t.Fatal(err)
		}
		h.event(t, core.KindReaction, i+1) // two that are sent at one instant over two sockets have no order
	}
	if err := s.Unreact(t.Context(), at, simslack.Minh, "👍🏽"); err != nil {
		t.Fatal(err)
	}
	other := say(t, s, sim.Say{Room: simslack.General, User: simslack.Anna, Text: "not the bot's"})
	if err := s.React(t.Context(), other.Ref, simslack.Minh, "👍"); err != nil {
		t.Fatal(err)
	}
	allAcked(t, s)
	var got []string
	keys := map[string]bool{}
	for _, ev := range h.all(core.KindReaction) {
		if ev.MessageID != ref.ID || ev.Room.ID != ref.Room || ev.Sender.Key != "slack:"+simslack.DefaultTeamID+":"+simslack.Minh {
			t.Errorf("reaction %+v", ev)
		}
		got = append(got, fmt.Sprintf("%s %t", ev.Reaction.Emoji, ev.Reaction.Added))
		keys[ev.Key] = true
	}
	want := []string{"👍 true", "❤ true", "💯 true", ":acme: true", "👍 false"}
	if !slices.Equal(got, want) || len(keys) != len(want) {
		t.Errorf("reactions %v with %d keys, want %v", got, len(keys), want)
	}
}

func TestAckOnlyAfterAccept(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: 100 * time.Millisecond, Retries: []time.Duration{0, 50 * time.Millisecond, 50 * time.Millisecond}})
	clean(t, s)
	h := newHost()
	h.setRefuse(func(core.Event) error { return errors.New("disk full") })
	start(t, newBot(t, config(s)), h)
	h.waitUp(t, 1)
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "hi"})
	var key string
	h.wait(t, "a second delivery", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for k, n := range h.seen {
			key = k
			if n >= 2 {
				return true
			}
		}
		return false
	})
	if n := len(s.Acked()); n != 0 {
		t.Errorf("%d acknowledgements of what the store refused", n)
	}
	h.setRefuse(nil)
	if ev := h.event(t, core.KindMessage, 1); ev.Key != key || ev.Text != "hi" {
		t.Errorf("event %+v, want key %s", ev, key)
	}
}

// TestStoreOutLonger holds that what the store refuses for longer than Slack tries is found in the history.
func TestStoreOutLonger(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: 30 * time.Millisecond, Retries: []time.Duration{0}})
	h := newHost()
	h.setRefuse(func(core.Event) error { return errors.New("disk full") })
	start(t, newBot(t, config(s)), h)
	h.waitUp(t, 1)
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "hi"})
	await(t, "Slack to give up", s.Changed, func() bool { return s.Unacked() == 0 })
	if n := len(s.Acked()); n != 0 {
		t.Fatalf("%d acknowledgements of what the store refused", n)
	}
	h.setRefuse(nil)
	if ev := h.event(t, core.KindMessage, 1); ev.MessageID != said.ID {
		t.Errorf("event %+v", ev)
	}
}

func TestRetriesAreTaken(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simslack.Options{})
	clean(t, s)
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "hi"})
	first := h.event(t, core.KindMessage, 1)
	allAcked(t, s)
	if err := s.Redeliver(said.Ref); err != nil {
		t.Fatal(err)
	}
	if again := h.event(t, core.KindMessage, 2); again.Key != first.Key {
		t.Errorf("redelivered as %q, want %q", again.Key, first.Key)
	}
	allAcked(t, s)
}

func TestRefreshLosesNothing(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simslack.Options{})
	clean(t, s)
	await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
	var want []string
	for i := range 12 {
		switch i {
		case 3:
			s.Refresh()
		case 6:
			s.CutSockets()
		case 9:
			s.Disconnect("warning")
		}
		text := fmt.Sprintf("message %d", i)
		say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: text})
		want = append(want, text)
	}
	h.wait(t, "every message", func() bool {
		for _, text := range want {
			if !slices.Contains(h.texts(), text) {
				return false
			}
		}
		return true
	})
	await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
}

// TestSpread holds that of two sockets of one age one is renewed early, so that Slack does not end both at once.
func TestSpread(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{LimitScale: 1000}) // it opens sockets more often than Slack would let it
	clean(t, s)
	p, h := newBot(t, config(s)), newHost()
	slack.Spread(p, 200*time.Millisecond)
	start(t, p, h)
	h.waitUp(t, 1)
	for n := range 4 { // the one that is opened again is the younger one again
		await(t, "a socket more", s.Changed, func() bool { return s.SocketsOpened() > n+2 })
		say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "meanwhile"})
		h.event(t, core.KindMessage, n+1)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ups != 1 || len(h.errs) != 0 {
		t.Errorf("the host was told of %d connections and %v, want one and nothing more", h.ups, h.errs)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		opt    simslack.Options
		config func(*slack.Config)
		fault  *sim.Fault
		class  core.Class
		text   string
	}{
		{name: "bot token", config: func(c *slack.Config) { c.BotToken = "xoxb-no" }, class: core.Auth, text: "invalid_auth"},
		{name: "app token", config: func(c *slack.Config) { c.AppToken = "xapp-no" }, class: core.Auth, text: "invalid_auth"},
		{name: "app token of another kind", config: func(c *slack.Config) { c.AppToken = c.BotToken }, class: core.Denied, text: "xapp-"},
		{name: "scope of the app token", opt: simslack.Options{AppScopes: []string{"authorizations:read"}}, class: core.Denied, text: "connections:write"},
		{name: "no app token", config: func(c *slack.Config) { c.AppToken = "" }, class: core.Denied, text: "signing_secret"},
		{
			name:  "token revoked",
			fault: &sim.Fault{Match: "apps.connections.open", Status: 200, Body: `{"ok":false,"error":"token_revoked"}`},
			class: core.Auth, text: "token_revoked",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, tt.opt)
			if tt.fault != nil {
				s.Faults().Add(*tt.fault)
			}
			c := config(s)
			if tt.config != nil {
				tt.config(&c)
			}
			err := newBot(t, c).Run(t.Context(), newHost())
			if core.ClassOf(err) != tt.class || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("Run = %v, want class %s and %q", err, tt.class, tt.text)
			}
			for _, secret := range []string{c.BotToken.Reveal(), c.AppToken.Reveal()} {
				if secret != "" && strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds a token: %v", err)
				}
			}
		})
	}
}

// TestTroubleAtStart holds that what is not Slack's own word does not stop the bot.
func TestTroubleAtStart(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sim.Fault{
		"proxy page":       {Status: http.StatusBadGateway, Body: "<html>bad gateway</html>", Times: 4},
		"login page":       {Status: http.StatusOK, Body: "<html>log in</html>", Times: 4},
		"forbidden":        {Status: http.StatusForbidden, Body: "no", Times: 4},
		"not found":        {Status: http.StatusNotFound, Body: "no", Times: 4},
		"cut":              {Cut: true, Times: 4},
		"no error text":    {Status: http.StatusOK, Body: `{"ok":false,"error":""}`, Times: 4},
		"internal error":   {Status: http.StatusOK, Body: `{"ok":false,"error":"internal_error"}`, Times: 4},
		"socket not found": {Match: "/link/", Status: http.StatusNotFound, Times: 3},
		"open not found":   {Match: "apps.connections.open", Status: http.StatusNotFound, Times: 3},
		"open proxy page":  {Match: "apps.connections.open", Status: http.StatusBadGateway, Body: "<html>", Times: 3},
		"redirected":       {Status: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"https://example.com/api/auth.test"}}, Times: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simslack.Options{})
			clean(t, s)
			s.Faults().Add(fault)
			h := newHost()
			start(t, newBot(t, config(s)), h)
			h.waitUp(t, 1)
			say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "hi"})
			h.event(t, core.KindMessage, 1)
		})
	}
}

// TestUnknownShapes holds that an event with things in it that slack-go does not know is taken, and acknowledged.
func TestUnknownShapes(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simslack.Options{})
	clean(t, s)
	dm := simslack.DM(simslack.Minh)
	for i, event := range []string{
		`{"type":"message","channel":"%s","channel_type":"im","user":"%s","ts":"%d.000001","text":"one","blocks":[{"type":"actions","elements":[{"type":"hologram"}]}]}`,
		`{"type":"message","channel":"%s","channel_type":"im","user":"%s","ts":"%d.000002","text":"two","blocks":[{"type":"table","rows":[[{"type":"raw_hologram"}]]}]}`,
		`{"type":"message","channel":"%s","channel_type":"im","user":"%s","ts":"%d.000003","text":"three","blocks":{"no":"list"},"files":[{"id":"F1","name":"a.txt","size":"big"}],"edited":7}`,
	} {
		raw := fmt.Sprintf(event, dm, simslack.Minh, time.Now().Unix())
		if err := s.Raise(sim.Ref{Room: dm}, []byte(raw)); err != nil {
			t.Fatal(err)
		}
		h.event(t, core.KindMessage, i+1)
	}
	if err := s.Raise(sim.Ref{Room: dm}, []byte(`{"type":"entirely_new","channel":{"id":"C1"}}`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Raise(sim.Ref{Room: dm}, []byte(`{"type":"message","channel":17,"ts":{}}`)); err != nil {
		t.Fatal(err)
	}
	allAcked(t, s)
	if got := h.texts(); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("texts %q", got)
	}
	if a := h.all(core.KindMessage)[2].Attachments; len(a) != 1 || a[0].Name != "a.txt" || a[0].Size != -1 {
		t.Errorf("attachments %+v", a)
	}
}

// TestOrder holds that messages of one room arrive in order, whichever socket brings them.
func TestOrder(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simslack.Options{LimitScale: 100})
	clean(t, s)
	await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
	var want []string
	for i := range 20 {
		text := fmt.Sprintf("%d", i)
		want = append(want, text)
		say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: text})
		// Sent at the same instant over two sockets, two messages have no order that could be seen.
		h.event(t, core.KindMessage, i+1)
	}
	if got := h.texts(); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
}

// TestNamesDoNotHoldUp holds that an event is taken though its names cannot be looked up.
func TestNamesDoNotHoldUp(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	clean(t, s)
	s.Faults().Add(sim.Fault{Match: "users.info", Delay: 20 * time.Second})
	p, h := newBot(t, config(s)), newHost()
	slack.Lookup(p, 50*time.Millisecond)
	start(t, p, h)
	h.waitUp(t, 1)
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "@Anna hi"})
	ev := h.event(t, core.KindMessage, 1)
	if ev.Sender.ID != simslack.Minh || ev.Sender.Key != "slack:"+simslack.DefaultTeamID+":"+simslack.Minh || ev.Text != "@"+simslack.Anna+" hi" {
		t.Errorf("event %+v", ev)
	}
	allAcked(t, s)
}

// TestNothingSecretInTheLog holds that neither tokens nor what people say stand in the log.
func TestNothingSecretInTheLog(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	c := config(s)
	var log bytes.Buffer
	p, err := slack.New("acme", c, logTo(&log))
	if err != nil {
		t.Fatal(err)
	}
	h := newHost()
	s.Faults().Add(sim.Fault{Match: "/link/", Status: http.StatusBadGateway, Times: 1})
	s.Faults().Add(sim.Fault{Match: "users.info", Status: http.StatusBadGateway, Times: 1})
	s.Faults().Add(sim.Fault{Match: "chat.postMessage", Status: http.StatusOK, Body: `{"ok":false,"error":"invalid_blocks"}`, Times: 1})
	stop := start(t, slack.Hurry(p), h)
	h.waitUp(t, 1)
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "my password is hunter2"})
	h.event(t, core.KindMessage, 1)
	post(t, p, core.Place{Room: simslack.General}, "**hunter2**")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{c.BotToken.Reveal(), c.AppToken.Reveal(), "hunter2", "ticket="} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q stands in the log:\n%s", secret, log.String())
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged at all")
	}
}
