package slack_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

// callback is what an events_api envelope holds.
type callback struct {
	EventID        string `json:"event_id"`
	TeamID         string `json:"team_id"`
	AppID          string `json:"api_app_id"`
	Authorizations []struct {
		UserID string `json:"user_id"`
		IsBot  bool   `json:"is_bot"`
	} `json:"authorizations"`
	Event map[string]any `json:"event"`
}

func read(t *testing.T, e socketmode.Event) callback {
	t.Helper()
	var c callback
	if err := json.Unmarshal(e.Request.Payload, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// inner is the last event of a type that the app saw, or nil.
func (a *app) inner(kind string) map[string]any {
	for _, e := range slices.Backward(a.events(socketmode.EventTypeEventsAPI)) {
		var c callback
		if json.Unmarshal(e.Request.Payload, &c) == nil && c.Event["type"] == kind {
			return c.Event
		}
	}
	return nil
}

func TestMentionArrivesTwice(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	m := say(t, s, sim.Say{Text: "what is <this>?", Mention: true})
	kinds, ids := map[string]string{}, map[string]bool{}
	for _, e := range a.await(t, socketmode.EventTypeEventsAPI, 2) {
		ev, ok := e.Data.(slackevents.EventsAPIEvent)
		if !ok {
			t.Fatalf("data %T", e.Data)
		}
		switch in := ev.InnerEvent.Data.(type) {
		case *slackevents.AppMentionEvent:
			kinds["app_mention"] = in.TimeStamp + in.Text + in.User + in.Channel
		case *slackevents.MessageEvent:
			kinds["message"] = in.TimeStamp + in.Text + in.User + in.Channel
			if !in.IsChannel() || in.ClientMsgID == "" || len(in.Blocks.BlockSet) != 1 || in.ThreadTimeStamp != "" {
				t.Errorf("message event %+v", in)
			}
		}
		c := read(t, e)
		ids[c.EventID] = true
		if c.TeamID != slack.DefaultTeamID || c.AppID != slack.DefaultAppID || len(c.Authorizations) != 1 ||
			c.Authorizations[0].UserID != s.BotUserID() || e.Request.RetryAttempt != 0 {
			t.Errorf("callback %+v", c)
		}
	}
	want := m.ID + "<@" + s.BotUserID() + "> what is &lt;this&gt;?" + slack.Minh + slack.General
	if kinds["message"] != want || kinds["app_mention"] != want || len(ids) != 2 {
		t.Errorf("kinds %q, want both as %q; ids %v", kinds, want, ids)
	}
	await(t, s, "both acks", func() bool { return len(s.Acked()) == 2 && s.Unacked() == 0 })
	for _, id := range s.Acked() {
		if !ids[id] {
			t.Errorf("acked %s is none of %v", id, ids)
		}
	}
	say(t, s, sim.Say{Room: slack.DM(slack.Minh), Text: "hi", Mention: true})
	if got := s.Deliveries(); len(got) != 3 || got[2].Event != "message" {
		t.Errorf("a mention in a direct chat raised %+v", got)
	}
	wantClean(t, s)
}

func TestEventShapes(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	ctx := t.Context()
	m := say(t, s, sim.Say{Text: "first", Files: []sim.File{{Name: "a.txt", Data: []byte("data")}}})
	reply := say(t, s, sim.Say{Text: "reply", User: slack.Anna, Thread: m.ID})
	steps := []func() error{
		func() error { return s.Edit(ctx, reply.Ref, slack.Anna, "second") },
		func() error { return s.Edit(ctx, reply.Ref, slack.Anna, "second") }, // no change, no event
		func() error { return s.Unfurl(ctx, reply.Ref) },
		func() error { return s.React(ctx, reply.Ref, slack.Tom, "👍🏿") },
		func() error { return s.Unreact(ctx, reply.Ref, slack.Tom, "👍🏿") },
		func() error { return s.Delete(ctx, reply.Ref, slack.Anna) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	if _, _, err := client(s).PostMessageContext(ctx, slack.General, slackgo.MsgOptionText("from the bot", false)); err != nil {
		t.Fatal(err)
	}
	got := a.await(t, socketmode.EventTypeEventsAPI, 8)
	var kinds []string
	byKind := map[string]any{}
	for _, e := range got {
		ev, _ := e.Data.(slackevents.EventsAPIEvent)
		kind := ev.InnerEvent.Type
		if me, ok := ev.InnerEvent.Data.(*slackevents.MessageEvent); ok {
			kind += ":" + me.SubType
			if me.BotID != "" {
				kind += ":bot"
			}
		}
		kinds = append(kinds, kind)
		if _, seen := byKind[kind]; !seen {
			byKind[kind] = ev.InnerEvent.Data
		}
	}
	want := []string{
		"message:file_share", "message:", "message:message_changed", "message:message_changed", "reaction_added", "reaction_removed",
		"message:message_deleted", "message::bot",
	}
	if !slices.Equal(kinds, want) {
		t.Fatalf("events %q, want %q", kinds, want)
	}
	if e, _ := byKind["message:file_share"].(*slackevents.MessageEvent); len(e.Message.Files) != 1 || e.Message.Files[0].Name != "a.txt" || e.Message.Files[0].Size != 4 {
		t.Errorf("file_share %+v", e.Message)
	}
	if e, _ := byKind["message:"].(*slackevents.MessageEvent); e.ThreadTimeStamp != m.ID || e.TimeStamp != reply.ID {
		t.Errorf("reply %+v", e)
	}
	if e, _ := byKind["message:message_changed"].(*slackevents.MessageEvent); e.Message.Text != "second" || e.PreviousMessage.Text != "reply" ||
		e.Message.Timestamp != reply.ID || e.Message.Edited == nil || e.Message.Edited.User != slack.Anna || e.Message.ThreadTimestamp != m.ID {
		t.Errorf("changed %+v", e)
	}
	if e, _ := byKind["message:message_deleted"].(*slackevents.MessageEvent); e.DeletedTimeStamp != reply.ID || e.PreviousMessage.Text != "second" {
		t.Errorf("deleted %+v", e)
	}
	if e, _ := byKind["reaction_added"].(*slackevents.ReactionAddedEvent); e.Reaction != "+1::skin-tone-6" || e.User != slack.Tom || e.ItemUser != slack.Anna ||
		e.Item.Timestamp != reply.ID || e.Item.Channel != slack.General || e.Item.Type != "message" {
		t.Errorf("reaction %+v", e)
	}
	if e, _ := byKind["message::bot"].(*slackevents.MessageEvent); e.User != s.BotUserID() || e.BotID != slack.DefaultBotID {
		t.Errorf("own message %+v", e)
	}
	wantClean(t, s)
}

// aWhile are pauses that end while a test under virtual time waits.
var aWhile = []time.Duration{0, 10 * time.Second, 10 * time.Second}

func TestRedelivery(t *testing.T) {
	virtual(t, slack.Options{AckDeadline: 3 * time.Second, Retries: aWhile}, func(t *testing.T, s *slack.Server, connect func(func(socketmode.Event) bool) *app) {
		var n atomic.Int32
		a := connect(func(socketmode.Event) bool { return n.Add(1) >= 3 })
		await(t, s, "a socket", s.Connected)
		m := say(t, s, sim.Say{Text: "again and again"})
		await(t, s, "an ack", func() bool { return len(s.Acked()) == 1 })
		envelopes := map[string]bool{}
		for i, e := range a.await(t, socketmode.EventTypeEventsAPI, 3) {
			envelopes[e.Request.EnvelopeID] = true
			reason := "timeout"
			if i == 0 {
				reason = ""
			}
			if e.Request.RetryAttempt != i || e.Request.RetryReason != reason || read(t, e).EventID != s.Acked()[0] {
				t.Errorf("attempt %d: %+v", i, e.Request)
			}
		}
		if d := s.Deliveries()[0]; d.Attempts != 3 || !d.Acked || d.Lost || len(envelopes) != 3 {
			t.Errorf("delivery %+v, %d envelopes", d, len(envelopes))
		}
		if err := s.Redeliver(m.Ref); err != nil {
			t.Fatal(err)
		}
		got := a.await(t, socketmode.EventTypeEventsAPI, 4)
		if e := got[3]; e.Request.RetryAttempt == 0 || read(t, e).EventID != s.Acked()[0] || envelopes[e.Request.EnvelopeID] {
			t.Errorf("redelivered %+v", e.Request)
		}
		await(t, s, "its ack", func() bool { return s.Unacked() == 0 })
		if err := s.Redeliver(sim.Ref{Room: slack.General, ID: "1.000001"}); err == nil {
			t.Error("redelivered what never was")
		}
	})
}

func TestNobodyAcknowledges(t *testing.T) {
	virtual(t, slack.Options{AckDeadline: 3 * time.Second, Retries: []time.Duration{0, 0, 0}}, func(t *testing.T, s *slack.Server, connect func(func(socketmode.Event) bool) *app) {
		a := connect(func(socketmode.Event) bool { return false })
		await(t, s, "a socket", s.Connected)
		say(t, s, sim.Say{Text: "hello?"})
		await(t, s, "the end of the retries", func() bool { d := s.Deliveries(); return d[0].Lost })
		if d := s.Deliveries()[0]; d.Attempts != 4 || d.Acked {
			t.Errorf("delivery %+v", d)
		}
		if got := a.await(t, socketmode.EventTypeEventsAPI, 4); len(got) != 4 {
			t.Errorf("%d envelopes", len(got))
		}
	})
}

func TestNoSocketThenRetry(t *testing.T) {
	virtual(t, slack.Options{AckDeadline: 3 * time.Second, Retries: aWhile}, func(t *testing.T, s *slack.Server, connect func(func(socketmode.Event) bool) *app) {
		if s.Connected() {
			t.Error("connected before anyone came")
		}
		m := say(t, s, sim.Say{Text: "anyone there?"})
		a := connect(nil)
		e := a.await(t, socketmode.EventTypeEventsAPI, 1)[0]
		if e.Request.RetryAttempt < 1 || read(t, e).Event["ts"] != m.ID {
			t.Errorf("envelope %+v, want a retry", e.Request)
		}
	})
}

func TestTwoSocketsShare(t *testing.T) {
	s := start(t, slack.Options{})
	a, b := connect(t, s, nil), connect(t, s, nil)
	await(t, s, "two sockets", func() bool { return s.Sockets() == 2 })
	for range 10 {
		say(t, s, sim.Say{Text: "x"})
	}
	await(t, s, "all acks", func() bool { return len(s.Acked()) == 10 })
	na, nb := len(a.events(socketmode.EventTypeEventsAPI)), len(b.events(socketmode.EventTypeEventsAPI))
	if na+nb != 10 || na == 0 || nb == 0 {
		t.Errorf("%d and %d envelopes, want 10 shared", na, nb)
	}
	if hello := b.events(socketmode.EventTypeHello); len(hello) != 1 || hello[0].Request.ConnectionInfo.AppID != slack.DefaultAppID {
		t.Errorf("hello %+v", hello)
	}
}

func TestRefreshAndCut(t *testing.T) {
	virtual(t, slack.Options{AckDeadline: 3 * time.Second, Retries: aWhile}, func(t *testing.T, s *slack.Server, connect func(func(socketmode.Event) bool) *app) {
		a := connect(nil)
		for i, broken := range []func(){s.Refresh, s.CutSockets} {
			await(t, s, "a socket", s.Connected)
			s.Faults().Add(sim.Fault{Match: "apps.connections.open", Delay: 5 * time.Second, Times: 1}) // else it is back at once
			broken()
			<-time.After(time.Second)
			if s.Connected() {
				t.Error("still connected")
			}
			say(t, s, sim.Say{Text: "in the gap"})
			a.await(t, socketmode.EventTypeConnected, i+2)
			await(t, s, "the ack of what came in the gap", func() bool { return len(s.Acked()) == i+1 })
		}
		wantClean(t, s)
	})
}

// dial opens a raw socket with a fresh ticket.
func dial(t *testing.T, s *slack.Server) *websocket.Conn {
	t.Helper()
	r := send(t, s, "apps.connections.open", "application/json", s.AppToken(), "")
	if r.err() != "" {
		t.Fatal(r.err())
	}
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), r.str("url"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func frame(t *testing.T, conn *websocket.Conn) map[string]any {
	t.Helper()
	var f map[string]any
	if err := conn.ReadJSON(&f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFrames(t *testing.T) {
	s := start(t, slack.Options{})
	conn := dial(t, s)
	if f := frame(t, conn); f["type"] != "hello" || f["num_connections"] != 1.0 {
		t.Errorf("first frame %v", f)
	}
	if err := s.Command(t.Context(), slack.Minh, slack.General, "/clickai", "new <x>"); err != nil {
		t.Fatal(err)
	}
	f := frame(t, conn)
	payload, _ := f["payload"].(map[string]any)
	if f["type"] != "slash_commands" || f["accepts_response_payload"] != true || payload["text"] != "new &lt;x&gt;" || payload["channel_name"] != "general" {
		t.Errorf("command %v", f)
	}
	if err := conn.WriteJSON(map[string]any{"envelope_id": f["envelope_id"], "payload": map[string]any{"text": "*done*"}}); err != nil {
		t.Fatal(err)
	}
	await(t, s, "the answer", func() bool { return len(s.Ephemerals(slack.General, slack.Minh)) == 1 })
	if got := s.Ephemerals(slack.General, slack.Minh)[0]; got.Shown != "done" {
		t.Errorf("answer %+v", got)
	}
	if err := conn.WriteMessage(websocket.TextMessage, []byte("junk")); err != nil {
		t.Fatal(err)
	}
	await(t, s, "the violation", func() bool { return len(s.Violations()) == 1 })
	s.Disconnect("warning")
	if f := frame(t, conn); f["type"] != "disconnect" || f["reason"] != "warning" {
		t.Errorf("frame %v", f)
	}
}

func TestSocketLimits(t *testing.T) {
	s := start(t, slack.Options{})
	for range 10 {
		frame(t, dial(t, s))
	}
	if f := frame(t, dial(t, s)); f["type"] != "disconnect" || f["reason"] != "too_many_websockets" {
		t.Errorf("eleventh socket got %v", f)
	}
	wantViolation(t, s, "more than 10 sockets")
	url := send(t, s, "apps.connections.open", "", s.AppToken(), "").str("url")
	for i, want := range []int{http.StatusSwitchingProtocols, http.StatusUnauthorized} {
		conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
		if resp == nil || resp.StatusCode != want {
			t.Errorf("use %d of a ticket: %v %v", i+1, resp, err)
			continue
		}
		_ = resp.Body.Close()
		if conn != nil {
			_ = conn.Close()
		}
	}
}

func TestHalfDeadSocketIsDropped(t *testing.T) {
	s := start(t, slack.Options{PingInterval: 10 * time.Millisecond})
	conn := dial(t, s)
	pings := 0
	conn.SetPingHandler(func(string) error { pings++; return nil }) // answers none
	frame(t, conn)
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("the socket is still read from")
	}
	if pings == 0 {
		t.Error("never pinged")
	}
	await(t, s, "the end of the socket", func() bool { return !s.Connected() })
}

func TestRaise(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	if err := s.Raise(sim.Ref{Room: slack.General}, []byte(`{"type":"app_home_opened","tab":"messages","user":"`+slack.Minh+`"}`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Raise(sim.Ref{}, []byte("no json")); err == nil {
		t.Error("raised what is no JSON")
	}
	e := a.await(t, socketmode.EventTypeEventsAPI, 1)[0]
	if !strings.Contains(string(e.Request.Payload), `"tab":"messages"`) {
		t.Errorf("payload %s", e.Request.Payload)
	}
}
