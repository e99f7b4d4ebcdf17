package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// idle is a bot that is not connected: it can send all the same.
func idle(t *testing.T, o simslack.Options) (*simslack.Server, *slack.Platform) {
	t.Helper()
	s := newSim(t, o)
	return s, attached(t, newBot(t, config(s)), newHost())
}

// attached gives a bot that does not run the notes that a host has.
func attached(t *testing.T, p *slack.Platform, h *host) *slack.Platform {
	t.Helper()
	if err := slack.Attach(p, h); err != nil {
		t.Fatal(err)
	}
	return p
}

func post(t *testing.T, p *slack.Platform, at core.Place, markdown string) core.MessageRef {
	t.Helper()
	ref, err := p.Post(t.Context(), core.Post{Place: at, Part: p.Render(markdown, true)[0], Nonce: "abc123"})
	if err != nil {
		t.Fatalf("post %q: %v", markdown, err)
	}
	return ref
}

func find(t *testing.T, s *simslack.Server, m core.MessageRef) sim.Message {
	t.Helper()
	found, ok := s.Find(sim.Ref{Room: m.Room, ID: m.ID})
	if !ok {
		t.Fatalf("message %+v is not there", m)
	}
	return found
}

func TestPostEditDelete(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	question := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "what?"})
	at := core.Place{Room: simslack.General, Thread: question.ID}
	ref := post(t, p, at, "**bold** & <!channel> <@"+simslack.Anna+"> @here")
	if ref.Place != at {
		t.Errorf("posted at %+v, want %+v", ref.Place, at)
	}
	if got, want := find(t, s, ref).Shown, "bold & <!channel> <@"+simslack.Anna+"> @here"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
	var raw struct {
		Metadata struct {
			Type    string            `json:"event_type"`
			Payload map[string]string `json:"event_payload"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(find(t, s, ref).Raw, &raw); err != nil {
		t.Fatal(err)
	}
	if raw.Metadata.Type != slack.ReplyEvent || raw.Metadata.Payload["nonce"] != "abc123" {
		t.Errorf("metadata %+v", raw.Metadata)
	}
	long := strings.Repeat("long words ", 300)
	if err := p.Edit(t.Context(), ref, p.Render(long, true)[0]); err != nil {
		t.Fatalf("edit: %v", err)
	}
	if got := find(t, s, ref).Shown; got != strings.TrimSpace(long) {
		t.Errorf("shown %.80q … of %d bytes, want the new text", got, len(got))
	}
	for range 2 { // the second time it is gone already
		if err := p.Delete(t.Context(), ref); err != nil {
			t.Fatalf("delete: %v", err)
		}
	}
	if _, ok := s.Find(sim.Ref{Room: ref.Room, ID: ref.ID}); ok {
		t.Error("the message is still there")
	}
	if pings := s.Pings(); len(pings) != 0 {
		t.Errorf("pings %q", pings)
	}
	if err := p.Edit(t.Context(), ref, p.Render("x", true)[0]); core.ClassOf(err) != core.MessageGone {
		t.Errorf("edit of a message that is gone = %v, want class message_gone", err)
	}
}

func TestPlainFallback(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"invalid_blocks", "msg_blocks_too_long"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			refuse := func(method string) sim.Fault {
				return sim.Fault{Match: "/api/" + method, Times: 1, Status: http.StatusOK, Body: `{"ok":false,"error":"` + code + `"}`}
			}
			s.Faults().Add(refuse("chat.postMessage"))
			s.Faults().Add(refuse("chat.update"))
			ref := post(t, p, core.Place{Room: simslack.General}, "# Head\n\n**bold** & <!here>")
			m := find(t, s, ref)
			if !strings.Contains(m.Text, "bold &amp; &lt;!here&gt;") || strings.Contains(m.Text, "*") {
				t.Errorf("text %q, want the plain one, escaped", m.Text)
			}
			post2 := post(t, p, core.Place{Room: simslack.General}, "**with blocks**")
			if err := p.Edit(t.Context(), post2, p.Render("**bold** edit", true)[0]); err != nil {
				t.Fatal(err)
			}
			var raw map[string]json.RawMessage
			if err := json.Unmarshal(find(t, s, post2).Raw, &raw); err != nil || len(raw["blocks"]) > 2 {
				t.Errorf("after a plain edit the message has blocks %s", raw["blocks"])
			}
			if got := find(t, s, post2).Shown; got != "bold edit" {
				t.Errorf("shown %q, want the plain text", got)
			}
			if pings := s.Pings(); len(pings) != 0 {
				t.Errorf("pings %q", pings)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	said := func(code string) sim.Fault {
		return sim.Fault{Status: http.StatusOK, Body: `{"ok":false,"error":"` + code + `"}`}
	}
	tests := []struct {
		name  string
		fault sim.Fault
		class core.Class
		after time.Duration
		maybe bool
	}{
		{name: "429", fault: sim.TooManyRequests("", 7*time.Second, 1), class: core.RateLimited, after: 7 * time.Second},
		{name: "429 without a header", fault: sim.Fault{Status: 429, Body: "slow"}, class: core.RateLimited},
		{name: "429 with an odd header", fault: sim.Fault{Status: 429, Header: http.Header{"Retry-After": {"soon"}}}, class: core.RateLimited},
		{name: "ratelimited", fault: said("ratelimited"), class: core.RateLimited},
		{name: "502 page", fault: sim.Fault{Status: 502, Body: "<html>"}, class: core.Transient, maybe: true},
		{name: "403 page", fault: sim.Fault{Status: 403, Body: "<html>"}, class: core.Transient},
		{name: "200 page", fault: sim.Fault{Status: 200, Body: "<html>"}, class: core.Transient, maybe: true},
		{name: "half an answer", fault: sim.Fault{Status: 200, Body: `{"ok":tr`}, class: core.Transient, maybe: true},
		{name: "no error text", fault: said(""), class: core.Transient, maybe: true},
		{name: "answer without a timestamp", fault: sim.Fault{Status: 200, Body: `{"ok":true}`}, class: core.Transient, maybe: true},
		{name: "cut", fault: sim.Fault{Cut: true}, class: core.Transient, maybe: true},
		{name: "internal", fault: said("internal_error"), class: core.Transient, maybe: true},
		{name: "auth", fault: said("token_revoked"), class: core.Auth},
		{name: "scope", fault: said("missing_scope"), class: core.Denied},
		{name: "room", fault: said("is_archived"), class: core.RoomGone},
		{name: "read only", fault: said("restricted_action_something_new"), class: core.RoomGone},
		{name: "thread", fault: said("thread_not_found"), class: core.ThreadGone},
		{name: "too long", fault: said("msg_too_long"), class: core.TooLong},
		{name: "method", fault: said("unknown_method"), class: core.Unsupported},
		{name: "unknown", fault: said("something_new"), class: core.Invalid},
		{name: "error with a status of its own", fault: sim.Fault{Status: 400, Body: `{"ok":false,"error":"not_in_channel"}`}, class: core.RoomGone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			tt.fault.Match = "/api/chat.postMessage"
			s.Faults().Add(tt.fault)
			_, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simslack.General}, Part: core.Part{Text: "x", Plain: "x"}})
			e, ok := err.(*core.Error) //nolint:errorlint // the contract says this type
			if !ok {
				t.Fatalf("Post = %T %v, want a *core.Error", err, err)
			}
			if e.Class != tt.class || e.RetryAfter != tt.after || e.Maybe != tt.maybe {
				t.Errorf("Post = %v with class %s, after %s, maybe %t; want %s, %s, %t", e, e.Class, e.RetryAfter, e.Maybe, tt.class, tt.after, tt.maybe)
			}
			if strings.Contains(e.Error(), s.BotToken()) || strings.Contains(e.Error(), "<html>") {
				t.Errorf("the error tells too much: %v", e)
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: "C1"}, Part: core.Part{Text: "x"}})
	e, ok := err.(*core.Error) //nolint:errorlint // the contract says this type
	if !ok || e.Class != core.Transient || e.Maybe {
		t.Errorf("Post = %v, want class transient, and certainly not sent", err)
	}
}

// TestHeldAfter429 holds that after a 429 no post to that room gets its turn, and all else goes on.
func TestHeldAfter429(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	s.Faults().Add(sim.TooManyRequests("/api/chat.postMessage", time.Minute, 1))
	show := func(room string) core.Show {
		return core.Show{Kind: core.ShowPost, Place: core.Place{Room: room}, Urgent: true}
	}
	send := func(ctx context.Context, room string) error {
		if err := p.Pace(ctx, show(room)); err != nil {
			return err
		}
		_, err := p.Post(ctx, core.Post{Place: core.Place{Room: room}, Part: core.Part{Text: "x"}})
		return err
	}
	if err := send(t.Context(), simslack.General); core.RetryAfterOf(err) != time.Minute {
		t.Fatalf("Post = %v, want to be told to wait a minute", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := send(ctx, simslack.General); !errors.Is(err, context.DeadlineExceeded) || s.Faults().Hits() != 1 {
		t.Errorf("Post = %v, want no turn for it", err)
	}
	if err := send(t.Context(), simslack.Support); err != nil {
		t.Errorf("Post to another room = %v", err)
	}
}

func TestContextEndsACall(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	s.Faults().Add(sim.Fault{Match: "/api/chat.update", Delay: time.Minute})
	ref := post(t, p, core.Place{Room: simslack.General}, "x")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Edit(ctx, ref, core.Part{Text: "y"}); core.ClassOf(err) != core.Transient {
		t.Errorf("Edit = %v, want class transient", err)
	}
}

func TestTyping(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	question := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "what?"})
	at := core.Place{Room: simslack.General, Thread: question.ID}
	if err := p.Typing(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if text, ok := s.Typing(at.Room, at.Thread); !ok || text != "is thinking…" {
		t.Errorf("status %q %t", text, ok)
	}
	post(t, p, at, "this")
	if text, ok := s.Typing(at.Room, at.Thread); ok {
		t.Errorf("status %q after the answer, want none", text)
	}
	if err := p.Typing(t.Context(), core.Place{Room: at.Room}); core.ClassOf(err) != core.Unsupported {
		t.Errorf("outside a thread Typing = %v, want class unsupported", err)
	}
}

func TestTypingRefused(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sim.Fault{
		"unknown method": {Status: http.StatusOK, Body: `{"ok":false,"error":"unknown_method"}`},
		"scope":          {Status: http.StatusOK, Body: `{"ok":false,"error":"missing_scope","needed":"assistant:write"}`},
		"not found":      {Status: http.StatusNotFound, Body: "nothing here"},
		"room":           {Status: http.StatusOK, Body: `{"ok":false,"error":"method_not_supported_for_channel_type"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			fault.Match = "/api/assistant.threads.setStatus"
			s.Faults().Add(fault)
			for range 2 {
				err := p.Typing(t.Context(), core.Place{Room: simslack.General, Thread: "1700000000.000001"})
				if core.ClassOf(err) != core.Unsupported {
					t.Errorf("Typing = %v, want class unsupported", err)
				}
			}
			if n := s.Faults().Hits(); n != 1 {
				t.Errorf("asked %d times, want once: it is remembered", n)
			}
		})
	}
}

// TestPrefixedAPI holds that api_url may have a path, as behind a proxy.
func TestPrefixedAPI(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	proxy := newProxy(t, s.APIURL(), "/some/prefix")
	c := config(s)
	c.APIURL = proxy + "/some/prefix/"
	p, h := newBot(t, c), newHost()
	start(t, p, h)
	h.waitUp(t, 1)
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "hi"})
	h.event(t, core.KindMessage, 1)
	post(t, p, core.Place{Room: simslack.General}, "x")
}

func TestBadReferences(t *testing.T) {
	t.Parallel()
	_, p := idle(t, simslack.Options{})
	for _, m := range []core.MessageRef{{}, {Place: core.Place{Room: "C1"}, ID: "x"}, {Place: core.Place{Room: "C 1"}, ID: "1700000000.000001"}} {
		if err := p.Edit(t.Context(), m, core.Part{Text: "x"}); core.ClassOf(err) != core.Invalid {
			t.Errorf("Edit(%+v) = %v, want class invalid", m, err)
		}
		if err := p.Delete(t.Context(), m); core.ClassOf(err) != core.Invalid {
			t.Errorf("Delete(%+v) = %v, want class invalid", m, err)
		}
	}
}
