package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

// form is a view of one field.
func form(title, label string) slackgo.ModalViewRequest {
	plain := func(text string) *slackgo.TextBlockObject {
		return slackgo.NewTextBlockObject("plain_text", text, false, false)
	}
	field := slackgo.NewPlainTextInputBlockElement(nil, "text")
	field.MaxLength = 10
	return slackgo.ModalViewRequest{
		Type: slackgo.VTModal, CallbackID: "why", PrivateMetadata: "meta", Title: plain(title), Submit: plain("Send"),
		Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{slackgo.NewInputBlock("form", plain(label), nil, field)}},
	}
}

// pressed posts a message with a button, presses it, and returns what the app was told.
func pressed(t *testing.T, s *slack.Server, a *app, n int) slackgo.InteractionCallback {
	t.Helper()
	_, ts, err := client(s).PostMessageContext(t.Context(), slack.General, slackgo.MsgOptionText("a", false), slackgo.MsgOptionBlocks(
		slackgo.NewActionBlock("acts", slackgo.NewButtonBlockElement("go", "v", slackgo.NewTextBlockObject("plain_text", "Go & see", false, false)))))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Press(t.Context(), sim.Ref{Room: slack.General, ID: ts}, slack.Minh, "v"); err != nil {
		t.Fatal(err)
	}
	in, ok := a.await(t, socketmode.EventTypeInteractive, n)[n-1].Data.(slackgo.InteractionCallback)
	if !ok || in.ActionCallback.BlockActions[0].Text.Text != "Go &amp; see" {
		t.Fatalf("interaction %+v", in)
	}
	return in
}

func TestForm(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	in := pressed(t, s, a, 1)
	if _, err := client(s).OpenViewContext(t.Context(), in.TriggerID, form("Why?", "Tell us")); err != nil {
		t.Fatal(err)
	}
	if _, err := client(s).OpenViewContext(t.Context(), in.TriggerID, form("Why?", "Tell us")); err == nil {
		t.Error("a trigger was taken twice")
	}
	v := s.Views()[0]
	if !v.Open || v.User != slack.Minh || v.Title != "Why?" || v.Label != "Tell us" || v.CallbackID != "why" {
		t.Errorf("view %+v", v)
	}
	for _, text := range []string{"", strings.Repeat("x", 11)} {
		if err := s.Submit(t.Context(), v.ID, text); err == nil {
			t.Errorf("a client sends %q", text)
		}
	}
	if err := s.Submit(t.Context(), v.ID, "too slow"); err != nil {
		t.Fatal(err)
	}
	got, ok := a.await(t, socketmode.EventTypeInteractive, 2)[1].Data.(slackgo.InteractionCallback)
	if !ok || got.Type != slackgo.InteractionTypeViewSubmission || got.View.CallbackID != "why" || got.View.PrivateMetadata != "meta" ||
		got.View.ID != v.ID || got.View.State.Values["form"]["text"].Value != "too slow" || got.User.ID != slack.Minh {
		t.Errorf("submission %+v", got)
	}
	await(t, s, "the view to close", func() bool { return !s.Views()[0].Open })
	if err := s.Submit(t.Context(), v.ID, "again"); err == nil {
		t.Error("a closed view was sent")
	}

	if _, err := client(s).OpenViewContext(t.Context(), pressed(t, s, a, 3).TriggerID, form("Why?", "Tell us")); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseView(s.Views()[1].ID); err != nil || s.Views()[1].Open {
		t.Errorf("closed: %v, %+v", err, s.Views()[1])
	}
	wantClean(t, s)
}

// TestFormRefused holds that a view that breaks a limit is refused.
func TestFormRefused(t *testing.T) {
	change := map[string]func(v map[string]any){
		"title": func(v map[string]any) {
			v["title"] = map[string]any{"type": "plain_text", "text": strings.Repeat("t", 25)}
		},
		"no title": func(v map[string]any) { delete(v, "title") },
		"submit": func(v map[string]any) {
			v["submit"] = map[string]any{"type": "plain_text", "text": strings.Repeat("t", 25)}
		},
		"no submit":        func(v map[string]any) { delete(v, "submit") },
		"close":            func(v map[string]any) { v["close"] = map[string]any{"type": "mrkdwn", "text": "x"} },
		"private_metadata": func(v map[string]any) { v["private_metadata"] = strings.Repeat("m", 3001) },
		"callback_id":      func(v map[string]any) { v["callback_id"] = strings.Repeat("m", 256) },
		"no blocks":        func(v map[string]any) { v["blocks"] = []any{} },
		"input":            func(v map[string]any) { input(v)["element"] = map[string]any{"type": "button"} },
		"label":            func(v map[string]any) { delete(input(v), "label") },
		"max_length": func(v map[string]any) {
			input(v)["element"] = map[string]any{"type": "plain_text_input", "action_id": "a", "max_length": 3001}
		},
	}
	for name, f := range change {
		t.Run(name, func(t *testing.T) {
			s := start(t, slack.Options{})
			a := connect(t, s, nil)
			await(t, s, "a socket", s.Connected)
			raw, err := json.Marshal(form("Why?", "Tell us"))
			if err != nil {
				t.Fatal(err)
			}
			var view map[string]any
			if err := json.Unmarshal(raw, &view); err != nil {
				t.Fatal(err)
			}
			f(view)
			if raw, err = json.Marshal(view); err != nil {
				t.Fatal(err)
			}
			r := call(t, s, "views.open", "trigger_id", pressed(t, s, a, 1).TriggerID, "view", string(raw))
			if r.err() != "invalid_arguments" || len(s.Views()) != 0 {
				t.Errorf("views.open: %q, %d views", r.err(), len(s.Views()))
			}
			wantViolation(t, s, "views.open")
		})
	}
}

func input(view map[string]any) map[string]any {
	blocks, _ := view["blocks"].([]any)
	b, _ := blocks[0].(map[string]any)
	return b
}

// TestPressNotAcknowledged holds what people see when an app takes neither a press nor a form.
func TestPressNotAcknowledged(t *testing.T) {
	s := start(t, slack.Options{AckDeadline: 50 * time.Millisecond})
	a := connect(t, s, func(socketmode.Event) bool { return false })
	await(t, s, "a socket", s.Connected)
	if _, err := client(s).OpenViewContext(t.Context(), pressed(t, s, a, 1).TriggerID, form("Why?", "Tell us")); err != nil {
		t.Fatal(err)
	}
	if err := s.Submit(t.Context(), s.Views()[0].ID, "x"); err != nil {
		t.Fatal(err)
	}
	await(t, s, "both failures", func() bool { return len(s.Failures()) == 2 })
	if !s.Views()[0].Open {
		t.Error("the form that was not sent is closed")
	}
}

// TestPressOfOne holds that a button that one person sees can be pressed by that person, and tells no more than where.
func TestPressOfOne(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	ts, err := client(s).PostEphemeralContext(t.Context(), slack.General, slack.Minh, slackgo.MsgOptionText("choose", false), slackgo.MsgOptionBlocks(
		slackgo.NewActionBlock("acts", slackgo.NewButtonBlockElement("go", "v", slackgo.NewTextBlockObject("plain_text", "Go", false, false)))))
	if err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: slack.General, ID: ts}
	if err := s.Press(t.Context(), at, slack.Anna, "go"); err == nil {
		t.Error("somebody else pressed it")
	}
	if err := s.Press(t.Context(), at, slack.Minh, "go"); err != nil {
		t.Fatal(err)
	}
	in, _ := a.await(t, socketmode.EventTypeInteractive, 1)[0].Data.(slackgo.InteractionCallback)
	if !in.Container.IsEphemeral || in.Container.MessageTs != ts || in.Message.Timestamp != "" {
		t.Errorf("interaction %+v", in)
	}
	wantClean(t, s)
}

// TestActionsRefused holds that a block has no two elements of one action_id.
func TestActionsRefused(t *testing.T) {
	s := start(t, slack.Options{})
	blocks := `[{"type":"actions","elements":[
		{"type":"button","action_id":"a","text":{"type":"plain_text","text":"x"}},
		{"type":"button","action_id":"a","text":{"type":"plain_text","text":"y"}}]}]`
	if r := call(t, s, "chat.postMessage", "channel", slack.General, "text", "x", "blocks", blocks); r.err() != "invalid_blocks" {
		t.Errorf("chat.postMessage: %q", r.err())
	}
}

func TestOpenMessages(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	at, err := s.OpenMessages(t.Context(), slack.Tom)
	if err != nil || at.Room != slack.DM(slack.Tom) {
		t.Fatalf("OpenMessages = %+v, %v", at, err)
	}
	a.await(t, socketmode.EventTypeEventsAPI, 1)
	if e := a.inner("app_home_opened"); e["user"] != slack.Tom || e["tab"] != "messages" || e["channel"] != at.Room {
		t.Errorf("event %+v", e)
	}
	if _, err := s.OpenMessages(t.Context(), "U404"); err == nil {
		t.Error("nobody opened it")
	}
	wantClean(t, s)
}
