package slack_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

func TestCommand(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	if err := s.Command(t.Context(), slack.Minh, slack.DM(slack.Minh), "/clickai", "status"); err != nil {
		t.Fatal(err)
	}
	cmd, ok := a.await(t, socketmode.EventTypeSlashCommand, 1)[0].Data.(slackgo.SlashCommand)
	if !ok || cmd.Command != "/clickai" || cmd.Text != "status" || cmd.UserID != slack.Minh || cmd.ChannelID != slack.DM(slack.Minh) || cmd.TeamID != slack.DefaultTeamID {
		t.Errorf("command %+v", cmd)
	}
	api := client(s)
	say := func(kind, text string) error {
		_, _, err := api.PostMessageContext(t.Context(), "", slackgo.MsgOptionText(text, false), slackgo.MsgOptionResponseURL(cmd.ResponseURL, kind))
		return err
	}
	if err := errors.Join(say(slackgo.ResponseTypeEphemeral, "for you"), say(slackgo.ResponseTypeInChannel, "for all")); err != nil {
		t.Fatal(err)
	}
	if e := s.Ephemerals(slack.DM(slack.Minh), slack.Minh); len(e) != 1 || e[0].Shown != "for you" {
		t.Errorf("ephemeral %+v", e)
	}
	if m := s.Messages(slack.DM(slack.Minh), ""); len(m) != 1 || m[0].Shown != "for all" || !m[0].Bot {
		t.Errorf("messages %+v", m)
	}
	for range 3 {
		if err := say(slackgo.ResponseTypeEphemeral, "more"); err != nil {
			t.Fatal(err)
		}
	}
	if err := say(slackgo.ResponseTypeEphemeral, "one too many"); err == nil {
		t.Error("a response_url works more than five times")
	}
	modal := slackgo.ModalViewRequest{
		Type: slackgo.VTModal, Title: slackgo.NewTextBlockObject("plain_text", "Pick", false, false), CallbackID: "pick",
		Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{slackgo.NewDividerBlock()}},
	}
	v, err := api.OpenViewContext(t.Context(), cmd.TriggerID, modal)
	if err != nil || v.ID == "" || len(s.Views()) != 1 || s.Views()[0].User != slack.Minh || s.Views()[0].CallbackID != "pick" {
		t.Errorf("views.open: %+v %+v, %v", v, s.Views(), err)
	}
	_, err = api.OpenViewContext(t.Context(), cmd.TriggerID, modal)
	wantErr(t, err, "invalid_trigger_id")
}

func TestCommandThatNobodyTakes(t *testing.T) {
	s := start(t, slack.Options{AckDeadline: 10 * time.Millisecond})
	if err := s.Command(t.Context(), slack.Minh, slack.General, "/clickai", ""); err != nil {
		t.Fatal(err)
	}
	await(t, s, "the failure", func() bool { return len(s.Ephemerals(slack.General, slack.Minh)) == 1 })
	if d := s.Deliveries()[0]; d.Attempts != 1 || !d.Lost {
		t.Errorf("delivery %+v: commands are not repeated", d)
	}
	for name, err := range map[string]error{
		"no slash":  s.Command(t.Context(), slack.Minh, slack.General, "clickai", ""),
		"no room":   s.Command(t.Context(), slack.Minh, "C404", "/clickai", ""),
		"no person": s.Command(t.Context(), "U404", slack.General, "/clickai", ""),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPress(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	api, ctx := client(s), t.Context()
	plain := func(text string) *slackgo.TextBlockObject {
		return slackgo.NewTextBlockObject("plain_text", text, false, false)
	}
	q := say(t, s, sim.Say{Text: "q"})
	_, ts, err := api.PostMessageContext(ctx, slack.General, slackgo.MsgOptionTS(q.ID), slackgo.MsgOptionText("a", false), slackgo.MsgOptionBlocks(
		slackgo.NewActionBlock("acts", slackgo.NewButtonBlockElement("retry", "turn1", plain("Retry"))),
		slackgo.NewContextActionsBlock("fb", slackgo.NewFeedbackButtonsBlockElement("rate", slackgo.NewFeedbackButton(plain("+"), "like"), slackgo.NewFeedbackButton(plain("-"), "dislike"))),
	))
	if err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: slack.General, ID: ts}
	for i, tc := range []struct{ press, kind, id, block, value string }{
		{"retry", "button", "retry", "acts", "turn1"},
		{"rate/dislike", "feedback_buttons", "rate", "fb", "dislike"},
	} {
		if err := s.Press(ctx, at, slack.Anna, tc.press); err != nil {
			t.Fatal(err)
		}
		in, ok := a.await(t, socketmode.EventTypeInteractive, i+1)[i].Data.(slackgo.InteractionCallback)
		if !ok || in.Type != slackgo.InteractionTypeBlockActions || len(in.ActionCallback.BlockActions) != 1 {
			t.Fatalf("interaction %+v", in)
		}
		got := in.ActionCallback.BlockActions[0]
		if string(got.Type) != tc.kind || got.ActionID != tc.id || got.BlockID != tc.block || got.Value != tc.value {
			t.Errorf("action %+v, want %+v", got, tc)
		}
		if in.User.ID != slack.Anna || in.Container.MessageTs != ts || in.Container.ChannelID != slack.General || in.Container.ThreadTs != q.ID || in.Channel.ID != slack.General {
			t.Errorf("interaction %+v", in.Container)
		}
	}
	in, _ := a.events(socketmode.EventTypeInteractive)[0].Data.(slackgo.InteractionCallback)
	if _, _, err := api.PostMessageContext(ctx, "", slackgo.MsgOptionText("again", false), slackgo.MsgOptionReplaceOriginal(in.ResponseURL)); err != nil {
		t.Fatal(err)
	}
	if m := find(t, s, slack.General, ts); m.Shown != "again" {
		t.Errorf("replaced by %q", m.Shown)
	}
	if err := s.Press(ctx, at, slack.Anna, "retry"); err == nil {
		t.Error("pressed a button that is gone")
	}
	if _, _, err := api.PostMessageContext(ctx, "", slackgo.MsgOptionDeleteOriginal(in.ResponseURL)); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Find(at); ok {
		t.Error("delete_original left the message")
	}
	wantClean(t, s)
}

func TestAssistantThread(t *testing.T) {
	s := start(t, slack.Options{StatusLife: time.Minute})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	api, ctx := client(s), t.Context()
	place, err := s.OpenAssistant(ctx, slack.Minh)
	if err != nil || place.Room != slack.DM(slack.Minh) || place.Thread == "" || !slices.Contains(s.Places(), place) {
		t.Fatalf("place %+v, %v", place, err)
	}
	a.await(t, socketmode.EventTypeEventsAPI, 1)
	started := a.inner("assistant_thread_started")
	if th, _ := started["assistant_thread"].(map[string]any); th["thread_ts"] != place.Thread || th["user_id"] != slack.Minh {
		t.Errorf("started %v", started)
	}
	say(t, s, sim.Say{Room: place.Room, Thread: place.Thread, Text: "hi"})
	a.await(t, socketmode.EventTypeEventsAPI, 2)
	if e := a.inner("message"); e["thread_ts"] != place.Thread || e["channel_type"] != "im" || e["text"] != "hi" {
		t.Errorf("message %v", e)
	}
	status := func(text string) error {
		return api.SetAssistantThreadsStatusContext(ctx, slackgo.AssistantThreadsSetStatusParameters{ChannelID: place.Room, ThreadTS: place.Thread, Status: text})
	}
	if err := status("is thinking…"); err != nil {
		t.Fatal(err)
	}
	if got, on := s.Typing(place.Room, place.Thread); !on || got != "is thinking…" {
		t.Errorf("typing %q %v", got, on)
	}
	if err := status(""); err != nil {
		t.Fatal(err)
	}
	if _, on := s.Typing(place.Room, place.Thread); on {
		t.Error("an empty status is still shown")
	}
	if err := status("writes"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := api.PostMessageContext(ctx, place.Room, slackgo.MsgOptionText("x", false), slackgo.MsgOptionTS(place.Thread)); err != nil {
		t.Fatal(err)
	}
	if _, on := s.Typing(place.Room, place.Thread); on {
		t.Error("the status outlived the bot's message")
	}
	if err := api.SetAssistantThreadsTitleContext(ctx, slackgo.AssistantThreadsSetTitleParameters{ChannelID: place.Room, ThreadTS: place.Thread, Title: "Greeting"}); err != nil {
		t.Fatal(err)
	}
	prompts := slackgo.AssistantThreadsSetSuggestedPromptsParameters{ChannelID: place.Room, ThreadTS: place.Thread}
	prompts.AddPrompt("Help", "help me")
	if err := api.SetAssistantThreadsSuggestedPromptsContext(ctx, prompts); err != nil {
		t.Fatal(err)
	}
	if s.Title(place.Room, place.Thread) != "Greeting" || !slices.Equal(s.Prompts(place.Room, place.Thread), []string{"Help"}) {
		t.Errorf("title %q prompts %q", s.Title(place.Room, place.Thread), s.Prompts(place.Room, place.Thread))
	}
	wantClean(t, s)
	r := call(t, s, "assistant.threads.setStatus", "channel_id", place.Room, "thread_ts", "1.000001", "status", "x")
	if r.err() != "invalid_thread_ts" {
		t.Errorf("unknown thread: %q", r.err())
	}
	if r = call(t, s, "assistant.threads.setStatus", "channel_id", place.Room, "thread_ts", place.Thread); r.err() != "invalid_arguments" {
		t.Errorf("no status: %q", r.err())
	}
}

func TestStatusExpires(t *testing.T) {
	s := start(t, slack.Options{StatusLife: 20 * time.Millisecond})
	m := say(t, s, sim.Say{Text: "x"})
	if r := call(t, s, "assistant.threads.setStatus", "channel_id", slack.General, "thread_ts", m.ID, "status", "thinks"); r.err() != "" {
		t.Fatal(r.err())
	}
	await(t, s, "the end of the status", func() bool { _, on := s.Typing(slack.General, m.ID); return !on })
}
