package slack_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

const bothThere = "Both are *there*."

var minh = core.User{ID: simslack.Minh, Key: "slack:" + simslack.DefaultTeamID + ":" + simslack.Minh}

// asked is a thread with a question in it.
func asked(t *testing.T, s *simslack.Server, room string) core.Place {
	t.Helper()
	q := say(t, s, sim.Say{Room: room, User: simslack.Minh, Text: "what?"})
	return core.Place{Room: room, Thread: q.ID}
}

// streaming is a stream that has begun.
func streaming(t *testing.T, p *slack.Platform, at core.Place, text string) core.Stream {
	t.Helper()
	ref, err := p.StartStream(t.Context(), core.Post{Place: at, Nonce: "abc123", For: minh}, text)
	if err != nil {
		t.Fatalf("start a stream: %v", err)
	}
	return core.Stream{Message: ref, Began: time.Now(), Sent: len(text)}
}

func appended(t *testing.T, p *slack.Platform, st *core.Stream, text string) {
	t.Helper()
	if err := p.AppendStream(t.Context(), *st, text); err != nil {
		t.Fatalf("append %q: %v", text, err)
	}
	st.Sent += len(text)
}

func shows(t *testing.T, s *simslack.Server, m core.MessageRef, want string) sim.Message {
	t.Helper()
	found := find(t, s, m)
	if found.Shown != want {
		t.Errorf("shown %q, want %q", found.Shown, want)
	}
	return found
}

func blocksOf(t *testing.T, m sim.Message) string {
	t.Helper()
	var raw struct {
		Blocks   json.RawMessage `json:"blocks"`
		Metadata struct {
			Type    string            `json:"event_type"`
			Payload map[string]string `json:"event_payload"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(m.Raw, &raw); err != nil {
		t.Fatal(err)
	}
	if raw.Metadata.Type != slack.ReplyEvent || raw.Metadata.Payload["nonce"] != "abc123" {
		t.Errorf("metadata %+v", raw.Metadata)
	}
	return string(raw.Blocks)
}

func TestStream(t *testing.T) {
	t.Parallel()
	for name, room := range map[string]string{"channel": simslack.General, "direct": simslack.DM(simslack.Minh)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			clean(t, s)
			at := asked(t, s, room)
			if !p.Limits(at).Streams {
				t.Fatal("no stream is offered in a thread")
			}
			st := streaming(t, p, at, "Both are")
			if !s.Streaming(sim.Ref{Room: room, ID: st.Message.ID}) || st.Message.Place != at {
				t.Errorf("message %+v does not stream", st.Message)
			}
			appended(t, p, &st, " *there")
			shows(t, s, st.Message, "Both are *there")
			if err := p.StopStream(t.Context(), st, "*.", p.Render(bothThere, true)[0]); err != nil {
				t.Fatal(err)
			}
			m := shows(t, s, st.Message, "Both are there.")
			if blocks := blocksOf(t, m); !strings.Contains(blocks, `"markdown"`) || s.Streaming(sim.Ref{Room: room, ID: m.ID}) {
				t.Errorf("blocks %s, want the stream as it was, and ended", blocks)
			}
			if n := slack.Streams(p); n != 0 {
				t.Errorf("%d streams are remembered, want none", n)
			}
		})
	}
}

// TestStreamEnds holds when the end of a stream is an edit, and that whatever has happened the whole stands in the end.
func TestStreamEnds(t *testing.T) {
	t.Parallel()
	const table = "|a|b|\n|-|-|\n|1|2|"
	cut := func(method string, handled bool) func(*simslack.Server, *slack.Platform, *core.Stream) {
		return func(s *simslack.Server, _ *slack.Platform, _ *core.Stream) {
			s.Faults().Add(sim.Fault{Match: "/api/" + method, Times: 1, Cut: true, Handled: handled})
		}
	}
	tests := []struct {
		name, first, whole string
		between            func(*simslack.Server, *slack.Platform, *core.Stream)
		fails              bool // the first try of StopStream
		edited             bool
	}{
		{name: "plain", first: "Both", whole: bothThere},
		{name: "table", first: "|a|b|", whole: table, edited: true},
		{name: "the answer was changed", first: "Neither", whole: bothThere, edited: true},
		{name: "after a restart", first: "Both", whole: bothThere, between: func(_ *simslack.Server, p *slack.Platform, _ *core.Stream) { slack.Forget(p) }, edited: true},
		{name: "answer of the stop lost", first: "Both", whole: bothThere, between: cut("chat.stopStream", true), fails: true, edited: true},
		{name: "stop lost", first: "Both", whole: bothThere, between: cut("chat.stopStream", false), fails: true, edited: true},
		{name: "closing edit lost", first: "|a|b|", whole: table, between: cut("chat.update", false), fails: true, edited: true},
		{name: "refused", first: "Both", whole: bothThere, edited: true, between: func(s *simslack.Server, _ *slack.Platform, _ *core.Stream) {
			s.Faults().Add(sim.Fault{Match: "/api/chat.stopStream", Times: 1, Status: http.StatusOK, Body: `{"ok":false,"error":"msg_too_long"}`})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			at := asked(t, s, simslack.General)
			st := streaming(t, p, at, tt.first)
			if tt.between != nil {
				tt.between(s, p, &st)
			}
			whole := p.Render(tt.whole, true)[0]
			rest := strings.TrimPrefix(tt.whole, tt.first)
			err := p.StopStream(t.Context(), st, rest, whole)
			if (err != nil) != tt.fails {
				t.Fatalf("StopStream = %v, want an error: %t", err, tt.fails)
			}
			if err != nil {
				if e, ok := err.(*core.Error); !ok || e.Class != core.Transient || !e.Maybe { //nolint:errorlint // the contract says this type
					t.Errorf("StopStream = %v, want an error that tells of the doubt", err)
				}
				if err := p.StopStream(t.Context(), st, rest, whole); core.ClassOf(err) == core.Transient {
					t.Fatalf("StopStream, again: %v", err)
				}
			}
			other, want := newSim(t, simslack.Options{}), ""
			q := newBot(t, config(other))
			want = find(t, other, post(t, q, core.Place{Room: simslack.General}, tt.whole)).Shown
			m := shows(t, s, st.Message, want)
			if edited := !strings.Contains(string(m.Raw), `"type":"markdown"`); edited != tt.edited {
				t.Errorf("edited %t, want %t: %s", edited, tt.edited, m.Raw)
			}
			if s.Streaming(sim.Ref{Room: m.Room, ID: m.ID}) || slack.Streams(p) != 0 {
				t.Errorf("the stream is open, or still remembered")
			}
		})
	}
}

func TestStopOnly(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	at := asked(t, s, simslack.General)
	st := streaming(t, p, at, "Half of")
	if err := p.StopStream(t.Context(), st, "", core.Part{}); err != nil {
		t.Fatal(err)
	}
	shows(t, s, st.Message, "Half of")
	if err := p.AppendStream(t.Context(), st, " it"); core.ClassOf(err) != core.StreamOver {
		t.Errorf("AppendStream after the end = %v, want class stream_over", err)
	}
	if err := p.Edit(t.Context(), st.Message, p.Render("All of it", true)[0]); err != nil {
		t.Errorf("Edit after the end: %v", err)
	}
	shows(t, s, st.Message, "All of it")
}

// TestEditEndsStream holds that a message that streams is edited, also one of an earlier process.
func TestEditEndsStream(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		s, p := idle(t, simslack.Options{})
		clean(t, s)
		st := streaming(t, p, asked(t, s, simslack.General), "Half of")
		if restart {
			slack.Forget(p)
		}
		if err := p.Edit(t.Context(), st.Message, p.Render("**All** of it", true)[0]); err != nil {
			t.Fatalf("Edit, restart %t: %v", restart, err)
		}
		shows(t, s, st.Message, "All of it")
		if s.Streaming(sim.Ref{Room: st.Message.Room, ID: st.Message.ID}) || slack.Streams(p) != 0 {
			t.Error("the stream is open, or still remembered")
		}
	}
}

func TestAppendRefused(t *testing.T) {
	t.Parallel()
	said := func(code string) sim.Fault {
		return sim.Fault{Status: http.StatusOK, Body: `{"ok":false,"error":"` + code + `"}`}
	}
	tests := []struct {
		name  string
		fault sim.Fault
		class core.Class
		maybe bool
	}{
		{name: "ended", fault: said("message_not_in_streaming_state"), class: core.StreamOver},
		{name: "conflict", fault: said("streaming_state_conflict"), class: core.StreamOver},
		{name: "gone", fault: said("message_not_found"), class: core.StreamOver},
		{name: "other form", fault: said("streaming_mode_mismatch"), class: core.StreamOver},
		{name: "method", fault: said("unknown_method"), class: core.StreamOver},
		{name: "scope", fault: said("missing_scope"), class: core.StreamOver},
		{name: "room", fault: said("is_archived"), class: core.RoomGone},
		{name: "token", fault: said("token_revoked"), class: core.Auth},
		{name: "429", fault: sim.TooManyRequests("", time.Second, 1), class: core.RateLimited},
		{name: "lost", fault: sim.Fault{Cut: true}, class: core.Transient, maybe: true},
		{name: "page", fault: sim.Fault{Status: 502, Body: "<html>"}, class: core.Transient, maybe: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			st := streaming(t, p, asked(t, s, simslack.General), "Both")
			tt.fault.Match = "/api/chat.appendStream"
			s.Faults().Add(tt.fault)
			e, ok := p.AppendStream(t.Context(), st, " are").(*core.Error) //nolint:errorlint // the contract says this type
			if !ok || e.Class != tt.class || e.Maybe != tt.maybe {
				t.Errorf("AppendStream = %v, want class %s, maybe %t", e, tt.class, tt.maybe)
			}
		})
	}
}

// TestStreamRotates holds that a stream is ended before Slack ends it, and before it is longer than a message.
func TestStreamRotates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*core.Stream)
	}{
		{"old", func(st *core.Stream) { st.Began = st.Began.Add(-4 * time.Minute) }},
		{"long", func(st *core.Stream) { st.Sent = 3890 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			clean(t, s)
			st := streaming(t, p, asked(t, s, simslack.General), "Both")
			tt.change(&st)
			if err := p.AppendStream(t.Context(), st, " are and more"); core.ClassOf(err) != core.StreamOver {
				t.Errorf("AppendStream = %v, want class stream_over", err)
			}
			shows(t, s, st.Message, "Both")
			if s.Streaming(sim.Ref{Room: st.Message.Room, ID: st.Message.ID}) {
				t.Error("the stream is open")
			}
		})
	}
}

// TestStreamsRefused holds that streams are not tried again where they were refused for good.
func TestStreamsRefused(t *testing.T) {
	t.Parallel()
	said := func(code string) sim.Fault {
		return sim.Fault{Status: http.StatusOK, Body: `{"ok":false,"error":"` + code + `"}`}
	}
	tests := []struct {
		name        string
		fault       sim.Fault
		class       core.Class
		here, there bool // what Limits say afterwards of the room and of another
	}{
		{name: "unknown method", fault: said("unknown_method"), class: core.Unsupported},
		{name: "bare 404", fault: sim.Fault{Status: 404, Body: "404 page not found"}, class: core.Unsupported},
		{name: "scope", fault: said("missing_scope"), class: core.Unsupported},
		{name: "token type", fault: said("not_allowed_token_type"), class: core.Unsupported},
		{name: "not allowed", fault: said("not_allowed_something_new"), class: core.Unsupported},
		{name: "feature", fault: said("feature_not_enabled"), class: core.Unsupported},
		{name: "room", fault: said("channel_type_not_supported"), class: core.Unsupported, there: true},
		{name: "unknown", fault: said("something_new"), class: core.Unsupported, there: true},
		{name: "reader", fault: said("user_not_found"), class: core.Unsupported, here: true, there: true},
		{name: "text", fault: said("msg_too_long"), class: core.Unsupported, here: true, there: true},
		{name: "thread", fault: said("thread_not_found"), class: core.ThreadGone, here: true, there: true},
		{name: "archived", fault: said("is_archived"), class: core.RoomGone, here: true, there: true},
		{name: "429", fault: sim.TooManyRequests("", time.Minute, 0), class: core.Unsupported},
		{name: "server", fault: sim.Fault{Status: 500, Body: "oops"}, class: core.Transient, here: true, there: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			at := asked(t, s, simslack.General)
			tt.fault.Match = "/api/chat.startStream"
			s.Faults().Add(tt.fault)
			for range 2 {
				_, err := p.StartStream(t.Context(), core.Post{Place: at, For: minh}, "Both")
				if core.ClassOf(err) != tt.class {
					t.Fatalf("StartStream = %v, want class %s", err, tt.class)
				}
			}
			if want := map[bool]int{false: 1, true: 2}[tt.here]; s.Faults().Hits() != want && tt.name != "429" {
				t.Errorf("asked %d times, want %d", s.Faults().Hits(), want)
			}
			if got := p.Limits(at).Streams; got != tt.here {
				t.Errorf("streams here: %t, want %t", got, tt.here)
			}
			if got := p.Limits(core.Place{Room: simslack.Support, Thread: at.Thread}).Streams; got != tt.there {
				t.Errorf("streams in another room: %t, want %t", got, tt.there)
			}
		})
	}
}

func TestStreamNeeds(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	at := asked(t, s, simslack.General)
	for name, post := range map[string]core.Post{
		"a thread": {Place: core.Place{Room: simslack.DM(simslack.Minh)}, For: minh},
		"a reader": {Place: at},
	} {
		if _, err := p.StartStream(t.Context(), post, "Both"); core.ClassOf(err) != core.Unsupported {
			t.Errorf("without %s StartStream = %v, want class unsupported", name, err)
		}
	}
	if !p.Limits(at).Streams {
		t.Error("what one post lacked is held against the place")
	}
	// The reader's team is asked for when it is not known.
	if _, err := p.StartStream(t.Context(), core.Post{Place: at, For: core.User{ID: simslack.Anna}}, "Both"); err != nil {
		t.Error(err)
	}
}

// TestLastWords holds that the end of an answer is shown without waiting for the turn to end its stream.
func TestLastWords(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	b := slack.BudgetsOf(p)
	for range 4 {
		if err := b.Method(t.Context(), "chat.stopStream"); err != nil {
			t.Fatal(err)
		}
	}
	st := streaming(t, p, asked(t, s, simslack.General), "Both")
	done := make(chan error, 1)
	go func() { done <- p.StopStream(t.Context(), st, " are *there*.", p.Render(bothThere, true)[0]) }()
	await(t, "the last words", s.Changed, func() bool { return find(t, s, st.Message).Shown == "Both are there." })
	select {
	case err := <-done:
		t.Errorf("StopStream is done, %v, before its turn", err)
	default:
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	shows(t, s, st.Message, "Both are there.")
}
