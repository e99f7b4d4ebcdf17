package slack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// bothWays runs a test over sockets and over HTTP.
func bothWays(t *testing.T, o simslack.Options, f func(t *testing.T, s *simslack.Server, p *slack.Platform, h *host)) {
	t.Helper()
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		s, p, h := running(t, o)
		f(t, s, p, h)
	})
	t.Run("HTTP", func(t *testing.T) {
		t.Parallel()
		s, p, h := listening(t, o)
		f(t, s, p, h)
	})
}

// withButtons posts a message with buttons.
func withButtons(t *testing.T, p *slack.Platform, at core.Place, buttons ...core.Button) core.MessageRef {
	t.Helper()
	part := p.Render("the answer", true)[0]
	part.Buttons = core.NewButtons(buttons...)
	ref, err := p.Post(t.Context(), core.Post{Place: at, Part: part, Nonce: "abc123"})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func press(t *testing.T, s *simslack.Server, m core.MessageRef, user, id string) {
	t.Helper()
	if err := s.Press(t.Context(), sim.Ref{Room: m.Room, ID: m.ID}, user, id); err != nil {
		t.Fatal(err)
	}
}

// alone are the messages that a person alone sees in a room.
func alone(t *testing.T, s *simslack.Server, room, user string, n int) []sim.Message {
	t.Helper()
	await(t, "a message for one person", s.Changed, func() bool { return len(s.Ephemerals(room, user)) >= n })
	return s.Ephemerals(room, user)
}

// TestPress holds what a press becomes, in all kinds of places, that it is acknowledged, and that it can be answered.
func TestPress(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"thread", "room", "direct", "direct thread"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			bothWays(t, simslack.Options{}, func(t *testing.T, s *simslack.Server, p *slack.Platform, h *host) {
				clean(t, s)
				at := core.Place{Room: simslack.General}
				if strings.HasPrefix(kind, "direct") {
					at.Room = simslack.DM(simslack.Minh)
				}
				if strings.HasSuffix(kind, "thread") {
					at = asked(t, s, at.Room)
				}
				ref := withButtons(t, p, at, append(slices.Clone(follow), rate...)...)
				press(t, s, ref, simslack.Minh, "ask:0")
				ev := h.event(t, core.KindPress, 1)
				if ev.Press.ID != "ask:0" || ev.Press.Label != follow[0].Label || ev.MessageID != ref.ID || ev.Place() != at || ev.Sender.Name != "Minh" ||
					ev.Sender.Key != minh.Key || ev.Room.Direct != strings.HasPrefix(kind, "direct") || ev.Room.Space != simslack.DefaultTeamID {
					t.Errorf("press %+v", ev)
				}
				if kind == "room" && ev.Roots != ref.ID || kind == "thread" && ev.Roots != "" {
					t.Errorf("press roots %q", ev.Roots)
				}
				press(t, s, ref, simslack.Minh, "dislike")
				second := h.event(t, core.KindPress, 2)
				if second.Press.ID != "dislike" || second.Press.Label != "👎" || second.Key == ev.Key {
					t.Errorf("press %+v", second)
				}
				press(t, s, ref, simslack.Minh, "dislike")
				if third := h.event(t, core.KindPress, 3); third.Key == second.Key {
					t.Errorf("two presses have the key %q", third.Key)
				}
				allAcked(t, s)

				if err := p.Answer(t.Context(), ev.Handle, core.Part{}); err != nil {
					t.Errorf("a blank answer: %v", err)
				}
				part := p.Render("**Thanks** <!channel>", true)[0]
				part.Buttons = core.NewButtons(core.Button{ID: "use:1", Label: "One"})
				if err := p.Answer(t.Context(), ev.Handle, part); err != nil {
					t.Fatal(err)
				}
				all := alone(t, s, at.Room, simslack.Minh, 1)
				if len(all) != 1 || all[0].Shown != "Thanks <!channel>" || all[0].Thread != at.Thread || len(s.Buttons(all[0].Ref)) != 1 {
					t.Errorf("shown %+v", all)
				}
				// What stands in it can be pressed, too.
				press(t, s, core.MessageRef{Place: at, ID: all[0].ID}, simslack.Minh, "use:1")
				own := h.event(t, core.KindPress, 4)
				if own.Press.ID != "use:1" || own.MessageID != all[0].ID || own.Place() != at || own.Roots != "" {
					t.Errorf("press %+v", own)
				}
				if err := p.Answer(t.Context(), own.Handle, core.Part{Text: "changed"}); err != nil {
					t.Fatal(err)
				}
				alone(t, s, at.Room, simslack.Minh, 2)
				if len(s.Pings()) != 0 {
					t.Errorf("pings %q", s.Pings())
				}
				if raw, _ := json.Marshal(ev); strings.Contains(string(raw), "response_url") || strings.Contains(string(raw), "/hooks/") {
					t.Errorf("what is stored holds a credential: %s", raw)
				}
			})
		})
	}
}

// TestAnswerFallsBack holds that an answer reaches the person when the response_url does not take it any more, and in which
// cases nobody is told.
func TestAnswerFallsBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault sim.Fault
		shown bool
		class core.Class
	}{
		{name: "expired", fault: sim.Fault{Status: http.StatusNotFound, Body: "expired_url"}, shown: true},
		{name: "used", fault: sim.Fault{Status: http.StatusNotFound, Body: "used_url"}, shown: true},
		{name: "gone", fault: sim.Fault{Status: http.StatusGone, Body: "<html>"}, shown: true},
		{name: "blocks refused", fault: sim.Fault{Status: http.StatusOK, Body: `{"ok":false,"error":"invalid_blocks"}`, Times: 1}, shown: true},
		{name: "payload refused", fault: sim.Fault{Status: http.StatusBadRequest, Body: "invalid_payload", Times: 1}, shown: true},
		{name: "429", fault: sim.TooManyRequests("", 7e9, 1), class: core.RateLimited},
		{name: "502", fault: sim.Fault{Status: http.StatusBadGateway, Body: "<html>"}, class: core.Transient},
		{name: "cut", fault: sim.Fault{Cut: true}, class: core.Transient},
		{name: "redirect", fault: sim.Fault{Status: http.StatusFound, Header: http.Header{"Location": {"https://evil.example/"}}}, class: core.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p, h := running(t, simslack.Options{})
			at := asked(t, s, simslack.General)
			press(t, s, withButtons(t, p, at, rate...), simslack.Anna, "like")
			ev := h.event(t, core.KindPress, 1)
			tt.fault.Match = "/hooks/"
			s.Faults().Add(tt.fault)
			err := p.Answer(t.Context(), ev.Handle, p.Render("**Thanks**", true)[0])
			if core.ClassOf(err) != tt.class {
				t.Errorf("Answer = %v, want class %q", err, tt.class)
			}
			if err != nil && (strings.Contains(err.Error(), "/hooks/") || strings.Contains(err.Error(), "evil")) {
				t.Errorf("the error tells the address: %v", err)
			}
			got := s.Ephemerals(at.Room, simslack.Anna)
			if shown := len(got) == 1 && got[0].Shown == "Thanks" && got[0].Thread == at.Thread; shown != tt.shown {
				t.Errorf("shown %+v", got)
			}
		})
	}
}

// TestAnswerMany holds that more answers than a response_url takes reach the person.
func TestAnswerMany(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simslack.Options{})
	press(t, s, withButtons(t, p, core.Place{Room: simslack.General}, rate...), simslack.Anna, "like")
	ev := h.event(t, core.KindPress, 1)
	for i := range 7 {
		if err := p.Answer(t.Context(), ev.Handle, core.Part{Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Ephemerals(simslack.General, simslack.Anna); len(got) != 7 {
		t.Errorf("shown %d answers, want 7", len(got))
	}
}

func TestBadHandles(t *testing.T) {
	t.Parallel()
	_, p := idle(t, simslack.Options{})
	for _, h := range []string{"", "x", "{}", `{"c":"C1"}`, `{"c":"C1","p":"U1","t":"x"}`, `{"c":"<!channel>","p":"U1"}`} {
		if err := p.Answer(t.Context(), h, core.Part{Text: "x"}); core.ClassOf(err) != core.Invalid {
			t.Errorf("Answer(%q) = %v, want class invalid", h, err)
		}
		if err := p.OpenForm(t.Context(), h, core.Form{ID: "x"}); core.ClassOf(err) != core.Invalid {
			t.Errorf("OpenForm(%q) = %v, want class invalid", h, err)
		}
	}
}

// TestSlashCommand holds what a slash command becomes, and that it is acknowledged without a word and answered to one person.
func TestSlashCommand(t *testing.T) {
	t.Parallel()
	bothWays(t, simslack.Options{}, func(t *testing.T, s *simslack.Server, p *slack.Platform, h *host) {
		clean(t, s)
		tests := []struct{ room, text, name, args string }{
			{simslack.General, "", "help", ""},
			{simslack.General, "   ", "help", ""},
			{simslack.General, "NEW", "new", ""},
			{simslack.General, "rename  Invoices <&> 2026 ", "rename", "Invoices <&> 2026"},
			{simslack.DM(simslack.Minh), "stop", "stop", ""},
			{simslack.General, "blöd", "blöd", ""},
		}
		keys := map[string]bool{}
		for i, tt := range tests {
			if err := s.Command(t.Context(), simslack.Minh, tt.room, "/clickai", tt.text); err != nil {
				t.Fatal(err)
			}
			ev := h.event(t, core.KindCommand, i+1)
			direct := strings.HasPrefix(tt.room, "D")
			if ev.Command.Name != tt.name || ev.Command.Args != tt.args || ev.Room.ID != tt.room || ev.Room.Direct != direct || ev.Thread != "" ||
				ev.Sender.Key != minh.Key || ev.Sender.Name != "Minh" || ev.Handle == "" || keys[ev.Key] {
				t.Errorf("%q: %+v", tt.text, ev)
			}
			if !direct && ev.Room.Name != "general" {
				t.Errorf("room %+v", ev.Room)
			}
			keys[ev.Key] = true
		}
		allAcked(t, s)
		if got := s.Ephemerals(simslack.General, simslack.Minh); len(got) != 0 {
			t.Errorf("shown before an answer: %+v", got)
		}
		if err := p.Answer(t.Context(), h.all(core.KindCommand)[0].Handle, p.Render("# Help", true)[0]); err != nil {
			t.Fatal(err)
		}
		if got := alone(t, s, simslack.General, simslack.Minh, 1); got[0].Shown != "Help" {
			t.Errorf("shown %+v", got)
		}
	})
}

// TestNotStoredNotAcknowledged holds that a command and a press that the store does not take fail where the person sees it.
func TestNotStoredNotAcknowledged(t *testing.T) {
	t.Parallel()
	bothWays(t, simslack.Options{AckDeadline: 300 * time.Millisecond}, func(t *testing.T, s *simslack.Server, p *slack.Platform, h *host) {
		ref := withButtons(t, p, core.Place{Room: simslack.General}, rate...)
		h.setRefuse(func(ev core.Event) error {
			if ev.Kind == core.KindCommand || ev.Kind == core.KindPress {
				return errors.New("disk full")
			}
			return nil
		})
		if err := s.Command(t.Context(), simslack.Minh, simslack.General, "/clickai", "new"); err != nil {
			t.Fatal(err)
		}
		press(t, s, ref, simslack.Minh, "like")
		if got := alone(t, s, simslack.General, simslack.Minh, 1); !strings.Contains(got[0].Shown, "dispatch_failed") {
			t.Errorf("shown %+v", got)
		}
		await(t, "the failed press", s.Changed, func() bool { return len(s.Failures()) == 1 })
	})
}

// TestPressWhileBehind holds that a press does not wait for a history.
func TestPressWhileBehind(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	p, h := newBot(t, config(s)), away()
	s.Faults().Add(sim.Fault{Match: "conversations.history", Delay: 10 * time.Second})
	start(t, p, h)
	h.waitUp(t, 1)
	press(t, s, withButtons(t, p, core.Place{Room: simslack.General}, rate...), simslack.Minh, "like")
	h.event(t, core.KindPress, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ev := range h.events {
		if ev.Kind == core.KindMessage {
			t.Errorf("the history has been read: %+v", ev)
		}
	}
}

// interactions are payloads as Slack sends them, and others.
var interactions = []string{
	`{"type":"block_actions","trigger_id":"1.2.a","user":{"id":"U0MINH","team_id":"T0HOME"},"team":{"id":"T0HOME"},"channel":{"id":"C0ROOM"},
	"container":{"type":"message","message_ts":"1712345678.000200","channel_id":"C0ROOM","thread_ts":"1712345678.000100"},
	"message":{"user":"U0BOT","bot_id":"B0BOT","ts":"1712345678.000200","thread_ts":"1712345678.000100","text":"x"},
	"response_url":"https://hooks.slack.com/actions/T1/2/3","actions":[{"type":"button","action_id":"retry","value":"retry","action_ts":"1712345679.000300",
	"text":{"type":"plain_text","text":":repeat: Again &amp; again"}}]}`,
	`{"type":"block_actions","user":{"id":"U0GUEST","team_id":"T0OTHER"},"team":{"id":"T0HOME"},"container":{"message_ts":"1712345678.000200",
	"channel_id":"D0GUEST","is_ephemeral":true},"response_url":"http://hooks.slack.com/x","actions":[{"type":"feedback_buttons","action_id":"rating","value":"like"}]}`,
	`{"type":"view_submission","trigger_id":"1.2.a","user":{"id":"U0MINH","team_id":"T0HOME"},"team":{"id":"T0HOME"},"view":{"id":"V1","callback_id":"why",
	"private_metadata":"{\"c\":\"C0ROOM\",\"t\":\"1712345678.000100\",\"m\":\"1712345678.000200\"}","state":{"values":{"form":{"text":{"type":"plain_text_input","value":"too long"}}}}}}`,
	`{"type":"block_actions","user":{"id":"U0MINH"},"container":{"message_ts":"1712345678.000200","channel_id":"C0ROOM"},
	"message":{"user":"U0OTHER","bot_id":"B0OTHER","ts":"1712345678.000200"},"actions":[{"type":"button","action_id":"x"}]}`,
	`{"type":"block_actions","user":{"id":"U0MINH"},"container":{"message_ts":"1712345678.000200","channel_id":"C0ROOM"},"actions":[{"type":"button","action_id":"x"}]}`,
	`{"type":"block_actions","user":{"id":"U0MINH"},"container":{"message_ts":"1712345678.000200","channel_id":"C0ROOM","is_ephemeral":true},"actions":[]}`,
	`{"type":"block_actions","user":{"id":"U0MINH"},"container":{"message_ts":"1712345678.000200","channel_id":"C0ROOM","is_ephemeral":true},
	"actions":[{"type":"static_select","action_id":"x","value":7}]}`,
	`{"type":"block_actions","user":7,"container":[],"message":"x","actions":{}}`,
	`{"type":"view_submission","user":{"id":"U0MINH"},"view":{"id":"V1","callback_id":"why","private_metadata":"{\"c\":\"<!channel>\"}"}}`,
	`{"type":"view_closed","user":{"id":"U0MINH"},"view":{"id":"V1","callback_id":"why"}}`,
	`{"type":"shortcut","callback_id":"x","user":{"id":"U0MINH"}}`, `{"type":"hologram"}`, `{}`, `[]`, `"`, ``,
}

// TestInteractions holds what payloads become that a stand-in does not send.
func TestInteractions(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	want := []string{
		"press p:T0HOME:C0ROOM:U0MINH:1712345679.000300:retry C0ROOM/1712345678.000100 1712345678.000200 retry 🔁 Again & again  slack:T0HOME:U0MINH url true",
		"press p:T0HOME:D0GUEST:U0GUEST:*:like D0GUEST/ 1712345678.000200 like   slack:T0OTHER:U0GUEST url false",
		"press f:T0HOME:C0ROOM:U0MINH:V1 C0ROOM/1712345678.000100 1712345678.000200 why  too long slack:T0HOME:U0MINH url false",
	}
	for i, payload := range interactions {
		ev, ok := d.Interaction(t.Context(), []byte(payload))
		if ok != (i < len(want)) {
			t.Errorf("%s becomes %+v, %t", payload, ev, ok)
			continue
		}
		if !ok {
			continue
		}
		got := fmt.Sprintf("%s %s %s/%s %s %s %s %s %s url %t", ev.Kind, ev.Key, ev.Room.ID, ev.Thread, ev.MessageID, ev.Press.ID, ev.Press.Label,
			ev.Press.Text, ev.Sender.Key, strings.Contains(ev.Handle, "hooks.slack.com"))
		if before, after, ok := strings.Cut(want[i], "*"); ok {
			if !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
				t.Errorf("%s, want %s", got, want[i])
			}
		} else if got != want[i] {
			t.Errorf("%s, want %s", got, want[i])
		}
	}
}

// TestResponseURLs holds that answers go to Slack's hosts and that of api_url, and nowhere else.
func TestResponseURLs(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	for address, ok := range map[string]bool{
		"https://hooks.slack.com/commands/T1/2/3": true, "https://hooks.slack-gov.com/x": true, "https://slack.com/api/x": true,
		"http://hooks.slack.com/x": false, "https://hooks.slack.com.evil.example/x": false, "https://evil.example/hooks.slack.com": false,
		"https://slack.com@evil.example/": false, "https://user:pw@hooks.slack.com/": false, "file:///etc/passwd": false, "": false, "%": false, "//hooks.slack.com/x": false,
	} {
		form := url.Values{"command": {"/clickai"}, "channel_id": {"C0ROOM"}, "user_id": {"U0MINH"}, "team_id": {"T0HOME"}, "response_url": {address}}
		ev, decoded := d.Command(t.Context(), slack.SlashForm(form))
		if !decoded || strings.Contains(ev.Handle, `"u":`) != ok {
			t.Errorf("%q: %t, handle %s", address, decoded, ev.Handle)
		}
	}
}

// FuzzInteraction holds that any payload of a button, a form or a command is decoded, and that what comes out can be stored.
func FuzzInteraction(f *testing.F) {
	for _, payload := range interactions {
		f.Add([]byte(payload))
	}
	f.Add([]byte(`{"channel_id":"C1","user_id":"U1","team_id":"T1","text":"new <@U1|minh> <!here>","trigger_id":"ế.1","response_url":"https://hooks.slack.com/x"}`))
	f.Add([]byte(`{"channel_id":7,"user_id":"U1","text":{}}`))
	d := newDecoder(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, decode := range []func() (core.Event, bool){
			func() (core.Event, bool) { return d.Interaction(t.Context(), payload) },
			func() (core.Event, bool) { return d.Command(t.Context(), payload) },
		} {
			ev, ok := decode()
			if !ok {
				continue
			}
			if !storable(ev) || ev.Sender.ID == "" || ev.Kind == core.KindPress && ev.Press.ID == "" || ev.Kind == core.KindCommand && ev.Command.Name == "" {
				t.Errorf("event %+v cannot be stored", ev)
			}
			if _, err := json.Marshal(ev); err != nil {
				t.Errorf("event %+v: %v", ev, err)
			}
		}
	})
}
