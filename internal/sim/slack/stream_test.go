package slack_test

import (
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

// stream starts one under a question in #general.
func stream(t *testing.T, s *slack.Server, opts ...slackgo.MsgOption) (sim.Message, string) {
	t.Helper()
	q := say(t, s, sim.Say{Text: "tell me", Mention: true})
	opts = append([]slackgo.MsgOption{
		slackgo.MsgOptionTS(q.ID), slackgo.MsgOptionRecipientUserID(slack.Minh), slackgo.MsgOptionRecipientTeamID(slack.DefaultTeamID),
	}, opts...)
	_, ts, err := client(s).StartStreamContext(t.Context(), slack.General, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return q, ts
}

func TestStream(t *testing.T) {
	s := start(t, slack.Options{})
	api, ctx := client(s), t.Context()
	q, ts := stream(t, s, slackgo.MsgOptionMarkdownText("**one"))
	if !s.Streaming(sim.Ref{Room: slack.General, ID: ts}) {
		t.Error("does not stream")
	}
	if _, _, err := api.AppendStreamContext(ctx, slack.General, ts, slackgo.MsgOptionMarkdownText("** two")); err != nil {
		t.Fatal(err)
	}
	_, _, _, err := api.UpdateMessageContext(ctx, slack.General, ts, slackgo.MsgOptionText("x", false))
	wantErr(t, err, "streaming_state_conflict")
	feedback := slackgo.NewContextActionsBlock("fb", slackgo.NewFeedbackButtonsBlockElement("rate",
		slackgo.NewFeedbackButton(slackgo.NewTextBlockObject("plain_text", "Good", false, false), "like"),
		slackgo.NewFeedbackButton(slackgo.NewTextBlockObject("plain_text", "Bad", false, false), "dislike")))
	if _, _, err := api.StopStreamContext(ctx, slack.General, ts, slackgo.MsgOptionMarkdownText(" three"), slackgo.MsgOptionBlocks(feedback)); err != nil {
		t.Fatal(err)
	}
	m := find(t, s, slack.General, ts)
	if b := s.Buttons(m.Ref); len(b) != 2 || b[0] != (slack.Button{ID: "like", Label: "Good", Action: "rate"}) || b[1].ID != "dislike" {
		t.Errorf("buttons %+v", b)
	}
	if m.Shown != "one two three" || m.Thread != q.ID {
		t.Errorf("shows %q in thread %q", m.Shown, m.Thread)
	}
	if len(m.Versions) != 3 || m.Versions[0].Shown != "**one" || m.Versions[1].Shown != "one two" {
		t.Errorf("versions %+v", m.Versions)
	}
	for _, again := range []func() error{
		func() error {
			_, _, err := api.AppendStreamContext(ctx, slack.General, ts, slackgo.MsgOptionMarkdownText("x"))
			return err
		},
		func() error { _, _, err := api.StopStreamContext(ctx, slack.General, ts); return err },
	} {
		wantErr(t, again(), "message_not_in_streaming_state")
	}
	if _, _, _, err = api.UpdateMessageContext(ctx, slack.General, ts, slackgo.MsgOptionText("rewritten", false)); err != nil {
		t.Errorf("an ended stream takes no edit: %v", err)
	}
	wantClean(t, s)
}

func TestStreamChunks(t *testing.T) {
	s := start(t, slack.Options{})
	api, ctx := client(s), t.Context()
	_, ts := stream(t, s)
	task := slackgo.NewTaskUpdateChunk("t1", "Search")
	task.Status = slackgo.TaskCardStatusInProgress
	if _, _, err := api.AppendStreamContext(ctx, slack.General, ts, slackgo.MsgOptionChunks(task, slackgo.NewMarkdownTextChunk("found *it*"))); err != nil {
		t.Fatal(err)
	}
	if m := find(t, s, slack.General, ts); m.Shown != "◔ Search\nfound it" {
		t.Errorf("shows %q", m.Shown)
	}
	task.Status, task.Output = slackgo.TaskCardStatusComplete, "3 hits"
	if _, _, err := api.AppendStreamContext(ctx, slack.General, ts, slackgo.MsgOptionChunks(task, slackgo.NewMarkdownTextChunk(" at last"))); err != nil {
		t.Fatal(err)
	}
	if m := find(t, s, slack.General, ts); m.Shown != "● Search\n3 hits\nfound it at last" {
		t.Errorf("shows %q", m.Shown)
	}
	_, _, err := api.AppendStreamContext(ctx, slack.General, ts, slackgo.MsgOptionMarkdownText("x"))
	wantErr(t, err, "streaming_mode_mismatch")
	wantViolation(t, s, "streaming_mode_mismatch")
}

func TestStreamRefusals(t *testing.T) {
	s := start(t, slack.Options{})
	q := say(t, s, sim.Say{Room: slack.DM(slack.Minh), Text: "hi"})
	_, open := stream(t, s)
	posted := call(t, s, "chat.postMessage", "channel", slack.General, "text", "x").str("ts")
	for _, tc := range []struct {
		name, method string
		args         []string
		want         string
	}{
		{"no reader", "chat.startStream", []string{"channel", slack.General}, "missing_recipient_user_id"},
		{"no team", "chat.startStream", []string{"channel", slack.General, "recipient_user_id", slack.Minh}, "missing_recipient_team_id"},
		{"top level in a channel", "chat.startStream", []string{"channel", slack.General, "recipient_user_id", slack.Minh, "recipient_team_id", "T"}, ""},
		{"no thread in a direct chat", "chat.startStream", []string{"channel", slack.DM(slack.Minh)}, "invalid_thread_ts"},
		{"direct chat", "chat.startStream", []string{"channel", slack.DM(slack.Minh), "thread_ts", q.ID}, ""},
		{"display mode", "chat.startStream", []string{"channel", slack.DM(slack.Minh), "thread_ts", q.ID, "task_display_mode", "x"}, "invalid_arguments"},
		{"nothing to append", "chat.appendStream", []string{"channel", slack.General, "ts", open}, "no_text"},
		{"too long", "chat.appendStream", []string{"channel", slack.General, "ts", open, "markdown_text", strings.Repeat("x", 12001)}, "msg_too_long"},
		{"both", "chat.appendStream", []string{"channel", slack.General, "ts", open, "markdown_text", "x", "chunks", "[]"}, "invalid_arguments"},
		{"odd chunk", "chat.appendStream", []string{"channel", slack.General, "ts", open, "chunks", `[{"type":"x"}]`}, "invalid_chunks"},
		{"no stream", "chat.appendStream", []string{"channel", slack.General, "ts", posted, "markdown_text", "x"}, "message_not_in_streaming_state"},
		{"no message", "chat.stopStream", []string{"channel", slack.General, "ts", "1.000001"}, "message_not_found"},
	} {
		if r := call(t, s, tc.method, tc.args...); r.err() != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, r.err(), tc.want)
		}
	}
}

func TestStreamEndsByItself(t *testing.T) {
	s := start(t, slack.Options{StreamLife: 50 * time.Millisecond})
	_, ts := stream(t, s, slackgo.MsgOptionMarkdownText("begun"))
	at := sim.Ref{Room: slack.General, ID: ts}
	await(t, s, "the end of the stream", func() bool { return !s.Streaming(at) })
	_, _, err := client(s).AppendStreamContext(t.Context(), slack.General, ts, slackgo.MsgOptionMarkdownText("x"))
	wantErr(t, err, "message_not_in_streaming_state")
	if m := find(t, s, slack.General, ts); m.Shown != "begun" {
		t.Errorf("shows %q", m.Shown)
	}
	wantClean(t, s)
}

func TestStreamHalted(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	_, ts := stream(t, s, slackgo.MsgOptionMarkdownText("begun"))
	if err := s.Halt(t.Context(), sim.Ref{Room: slack.General, ID: ts}, slack.Minh); err != nil {
		t.Fatal(err)
	}
	_, _, err := client(s).AppendStreamContext(t.Context(), slack.General, ts, slackgo.MsgOptionMarkdownText("x"))
	wantErr(t, err, "stopped_by_user")
	await(t, s, "all acknowledged", func() bool { return s.Unacked() == 0 && a.inner("agent_session_stopped") != nil })
	if err := s.Halt(t.Context(), sim.Ref{Room: slack.General, ID: ts}, slack.Minh); err == nil {
		t.Error("halted twice")
	}
}
