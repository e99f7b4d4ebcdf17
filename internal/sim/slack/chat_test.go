package slack_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

func TestPostUpdateDelete(t *testing.T) {
	s := start(t, slack.Options{})
	api, ctx := client(s), t.Context()
	q := say(t, s, sim.Say{Text: "hello"})
	_, ts, err := api.PostMessageContext(ctx, slack.General, slackgo.MsgOptionText("*one*", false), slackgo.MsgOptionTS(q.ID),
		slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: "turn", EventPayload: map[string]any{"id": "t1"}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err = api.UpdateMessageContext(ctx, slack.General, ts, slackgo.MsgOptionText("one _two_", false)); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err = api.UpdateMessageContext(ctx, slack.General, ts, slackgo.MsgOptionText("fallback", false),
		slackgo.MsgOptionBlocks(slackgo.NewMarkdownBlock("", "one **two** three"))); err != nil {
		t.Fatal(err)
	}
	m := find(t, s, slack.General, ts)
	var shown []string
	for _, v := range m.Versions {
		shown = append(shown, v.Shown)
	}
	if want := []string{"one", "one two", "one two three"}; !slices.Equal(shown, want) {
		t.Errorf("versions %q, want %q", shown, want)
	}
	if m.Text != "one **two** three" || m.Thread != q.ID || !m.Bot || m.Author != s.BotUserID() {
		t.Errorf("message %+v", m)
	}

	replies, _, _, err := api.GetConversationRepliesContext(ctx, &slackgo.GetConversationRepliesParameters{
		ChannelID: slack.General, Timestamp: q.ID, IncludeAllMetadata: true,
	})
	if err != nil || len(replies) != 2 {
		t.Fatalf("replies: %d, %v", len(replies), err)
	}
	if p := replies[0]; p.ReplyCount != 1 || p.LatestReply != ts || p.ThreadTimestamp != q.ID || p.User != slack.Minh {
		t.Errorf("parent %+v", p)
	}
	if r := replies[1]; r.Metadata.EventPayload["id"] != "t1" || r.BotID != slack.DefaultBotID || r.ParentUserId != slack.Minh ||
		r.Text != "fallback" || len(r.Blocks.BlockSet) != 1 {
		t.Errorf("reply %+v", r)
	}
	history, err := api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{ChannelID: slack.General})
	if err != nil || len(history.Messages) != 1 || history.Messages[0].Timestamp != q.ID {
		t.Errorf("history: %+v, %v", history, err)
	}
	if _, _, err = api.DeleteMessageContext(ctx, slack.General, ts); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Find(m.Ref); ok {
		t.Error("deleted, and still there")
	}
	if got := s.Messages(slack.General, q.ID); len(got) != 1 {
		t.Errorf("thread has %d messages after the delete, want its parent", len(got))
	}
	link, err := api.GetPermalinkContext(ctx, &slackgo.PermalinkParameters{Channel: slack.General, Ts: q.ID})
	if err != nil || !strings.Contains(link, "/archives/"+slack.General+"/p"+strings.Replace(q.ID, ".", "", 1)) {
		t.Errorf("permalink %q, %v", link, err)
	}
	wantClean(t, s)
}

func TestUpdateWithoutBlocksRemovesThem(t *testing.T) {
	s := start(t, slack.Options{})
	api, ctx := client(s), t.Context()
	_, ts, err := api.PostMessageContext(ctx, slack.General, slackgo.MsgOptionText("f", false), slackgo.MsgOptionBlocks(slackgo.NewMarkdownBlock("", "block")))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err = api.UpdateMessageContext(ctx, slack.General, ts, slackgo.MsgOptionText("text", false)); err != nil {
		t.Fatal(err)
	}
	if m := find(t, s, slack.General, ts); m.Shown != "text" || strings.Contains(string(m.Raw), `"blocks"`) || !strings.Contains(string(m.Raw), `"edited"`) {
		t.Errorf("shown %q raw %s", m.Shown, m.Raw)
	}
}

func TestJSONBody(t *testing.T) {
	s := start(t, slack.Options{})
	r := send(t, s, "chat.postMessage", "application/json", s.BotToken(),
		`{"channel":"`+slack.General+`","text":"f","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"*hi*"}}]}`)
	if r.err() != "" {
		t.Fatal(r.err())
	}
	if m := find(t, s, slack.General, r.str("ts")); m.Shown != "hi" {
		t.Errorf("shown %q", m.Shown)
	}
}

func TestThreads(t *testing.T) {
	s := start(t, slack.Options{})
	api, ctx := client(s), t.Context()
	post := func(thread string) (string, error) {
		_, ts, err := api.PostMessageContext(ctx, slack.General, slackgo.MsgOptionText("x", false), slackgo.MsgOptionTS(thread))
		return ts, err
	}
	_, err := post("1712345678.000100")
	wantErr(t, err, "thread_not_found")
	_, err = post("yesterday")
	wantErr(t, err, "invalid_thread_ts")
	parent := say(t, s, sim.Say{Text: "a question about things"})
	reply, err := post(parent.ID)
	if err != nil {
		t.Fatal(err)
	}
	nested, err := post(reply)
	if err != nil || find(t, s, slack.General, nested).Thread != parent.ID {
		t.Errorf("a reply's ts: %v, thread %q", err, find(t, s, slack.General, nested).Thread)
	}
	wantViolation(t, s, "is a reply's")
	places := s.Places()
	if last := places[len(places)-1]; last.Kind != "thread" || last.Thread != parent.ID || last.Name != "a question about things" {
		t.Errorf("last place %+v", last)
	}
	broadcast := call(t, s, "chat.postMessage", "channel", slack.General, "text", "for all", "thread_ts", parent.ID, "reply_broadcast", "true").str("ts")
	if top := s.Messages(slack.General, ""); len(top) != 2 || top[1].ID != broadcast {
		t.Errorf("top level %+v", top)
	}
	// A parent with replies leaves a tombstone; one without is gone, and what hangs under it goes to the room.
	if err := s.Delete(ctx, parent.Ref, slack.Minh); err != nil {
		t.Fatal(err)
	}
	if m := find(t, s, slack.General, parent.ID); !strings.Contains(string(m.Raw), `"tombstone"`) || strings.Contains(m.Shown, "question") {
		t.Errorf("after delete: %s", m.Raw)
	}
	lone := say(t, s, sim.Say{Text: "oops"})
	if err := s.Delete(ctx, lone.Ref, slack.Minh); err != nil {
		t.Fatal(err)
	}
	ts, err := post(lone.ID)
	if err != nil || find(t, s, slack.General, ts).Thread != "" {
		t.Errorf("under a deleted message: %v", err)
	}
}

func TestForeignMessages(t *testing.T) {
	s := start(t, slack.Options{})
	m := say(t, s, sim.Say{Text: "mine"})
	for _, tc := range []struct{ method, ts, want string }{
		{"chat.update", m.ID, "cant_update_message"},
		{"chat.delete", m.ID, "cant_delete_message"},
		{"chat.update", "1712345678.000100", "message_not_found"},
		{"chat.delete", "1712345678.000100", "message_not_found"},
		{"chat.appendStream", m.ID, "message_not_owned_by_app"},
	} {
		if r := call(t, s, tc.method, "channel", slack.General, "ts", tc.ts, "text", "x", "markdown_text", ""); r.err() != tc.want {
			t.Errorf("%s: %q, want %q", tc.method, r.err(), tc.want)
		}
	}
}

func TestMessageLimits(t *testing.T) {
	s := start(t, slack.Options{})
	blocks := func(list ...map[string]any) string {
		raw, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	section := func(n int) map[string]any {
		return map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": strings.Repeat("ế", n)}}
	}
	md := func(n int) map[string]any {
		return map[string]any{"type": "markdown", "text": strings.Repeat("x", n)}
	}
	table := func(rows, cells int) map[string]any {
		cell := map[string]any{"type": "raw_text", "text": "c"}
		row := slices.Repeat([]any{cell}, cells)
		return map[string]any{"type": "table", "rows": slices.Repeat([]any{row}, rows)}
	}
	button := func(n int) map[string]any {
		return map[string]any{"type": "actions", "elements": []any{map[string]any{
			"type": "button", "action_id": "a", "text": map[string]any{"type": "plain_text", "text": strings.Repeat("b", n)},
		}}}
	}
	header := func(n int) map[string]any {
		return map[string]any{"type": "header", "text": map[string]any{"type": "plain_text", "text": strings.Repeat("h", n)}}
	}
	for _, tc := range []struct{ name, arg, value, want string }{
		{"text at the limit", "text", strings.Repeat("ế", 4000), ""},
		{"text over it", "text", strings.Repeat("ế", 4001), "msg_too_long"},
		{"no text", "text", " \n", "no_text"},
		{"no blocks", "blocks", "[]", "no_text"},
		{"50 blocks", "blocks", blocks(slices.Repeat([]map[string]any{{"type": "divider"}}, 50)...), ""},
		{"51 blocks", "blocks", blocks(slices.Repeat([]map[string]any{{"type": "divider"}}, 51)...), "invalid_blocks"},
		{"section at the limit", "blocks", blocks(section(3000)), ""},
		{"section over it", "blocks", blocks(section(3001)), "invalid_blocks"},
		{"empty section", "blocks", blocks(section(0)), "invalid_blocks"},
		{"header over", "blocks", blocks(header(151)), "invalid_blocks"},
		{"button at the limit", "blocks", blocks(button(75)), ""},
		{"button over it", "blocks", blocks(button(76)), "invalid_blocks"},
		{"markdown at the limit", "blocks", blocks(md(6000), md(6000)), ""},
		{"markdown over it in sum", "blocks", blocks(md(6000), md(6001)), "msg_blocks_too_long"},
		{"everything over the sum", "blocks", blocks(section(2900), section(2900), section(2900), section(2900), section(2000)), "msg_blocks_too_long"},
		{"table", "blocks", blocks(table(100, 3)), ""},
		{"table too long", "blocks", blocks(table(101, 1)), "invalid_blocks"},
		{"table too wide", "blocks", blocks(table(1, 21)), "invalid_blocks"},
		{"two tables", "blocks", blocks(table(1, 1), table(1, 1)), "invalid_attachments"},
		{"unknown block", "blocks", `[{"type":"carousel"}]`, "invalid_blocks"},
		{"block ids twice", "blocks", `[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]`, "invalid_blocks"},
		{"no list", "blocks", `{"type":"divider"}`, "invalid_blocks_format"},
		{"no json", "blocks", `hello`, "invalid_blocks_format"},
		{"markdown_text at the limit", "markdown_text", strings.Repeat("x", 12000), ""},
		{"markdown_text over it", "markdown_text", strings.Repeat("x", 12001), "msg_too_long"},
		{"broken rich text", "blocks", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":""}]}]}]`, "invalid_blocks"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(s.Violations())
			r := call(t, s, "chat.postMessage", "channel", slack.Support, tc.arg, tc.value)
			if r.err() != tc.want {
				t.Errorf("error %q, want %q: %v", r.err(), tc.want, r.body)
			}
			if noted := len(s.Violations()) > before; noted != (tc.want != "") {
				t.Errorf("noted: %v", noted)
			}
			if strings.HasPrefix(tc.want, "invalid_blocks") && tc.want != "invalid_blocks_format" {
				if meta := fmt.Sprint(r.body["response_metadata"]); !strings.Contains(meta, "json-pointer:/blocks") {
					t.Errorf("messages %s", meta)
				}
			}
		})
	}
	if r := call(t, s, "chat.postMessage", "channel", slack.General, "text", "a", "markdown_text", "b"); r.err() != "markdown_text_conflict" {
		t.Errorf("text and markdown_text: %q", r.err())
	}
	if r := call(t, s, "chat.postMessage", "channel", slack.General, "text", "a", "metadata", `{"event_type":""}`); r.err() != "invalid_metadata_schema" {
		t.Errorf("metadata: %q", r.err())
	}
}

func TestHistoryPages(t *testing.T) {
	s := start(t, slack.Options{MaxMessages: 25})
	api, ctx := client(s), t.Context()
	var all []string
	for i := range 30 {
		all = append(all, say(t, s, sim.Say{Text: fmt.Sprint("message ", i)}).ID)
	}
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != 30 {
		t.Errorf("timestamps are not unique and growing: %q", all)
	}
	var got []string
	params := &slackgo.GetConversationHistoryParameters{ChannelID: slack.General, Limit: 10}
	for {
		page, err := api.GetConversationHistoryContext(ctx, params)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			got = append(got, m.Timestamp)
		}
		if !page.HasMore {
			break
		}
		params.Cursor = page.ResponseMetaData.NextCursor
	}
	slices.Reverse(got)
	if want := all[5:]; !slices.Equal(got, want) {
		t.Errorf("history has %d messages, want the newest 25 (the bound)", len(got))
	}
	after, err := api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{ChannelID: slack.General, Oldest: all[27]})
	if err != nil || len(after.Messages) != 2 {
		t.Errorf("after a cursor: %+v, %v", after, err)
	}
	incl, err := api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{
		ChannelID: slack.General, Oldest: all[26], Latest: all[28], Inclusive: true,
	})
	if err != nil || len(incl.Messages) != 3 {
		t.Errorf("inclusive: %+v, %v", incl, err)
	}
	_, _, _, err = api.GetConversationRepliesContext(ctx, &slackgo.GetConversationRepliesParameters{ChannelID: slack.General, Timestamp: all[0]})
	wantErr(t, err, "thread_not_found")
	wantClean(t, s)
}

func TestEphemeral(t *testing.T) {
	s := start(t, slack.Options{})
	if _, err := client(s).PostEphemeralContext(t.Context(), slack.General, slack.Anna, slackgo.MsgOptionText("*psst*", false)); err != nil {
		t.Fatal(err)
	}
	if got := s.Ephemerals(slack.General, slack.Anna); len(got) != 1 || got[0].Shown != "psst" {
		t.Errorf("Anna sees %+v", got)
	}
	if got := s.Ephemerals(slack.General, slack.Tom); len(got) != 0 {
		t.Errorf("Tom sees %+v", got)
	}
	_, err := client(s).PostEphemeralContext(t.Context(), slack.General, "U404", slackgo.MsgOptionText("x", false))
	wantErr(t, err, "user_not_in_channel")
}

func TestHistoryIsBounded(t *testing.T) {
	s := start(t, slack.Options{MaxVersions: 5, MaxVersionBytes: 2500, MaxDeliveries: 4, MaxDeliveryBytes: 1 << 20})
	ts := call(t, s, "chat.postMessage", "channel", slack.General, "text", "0").str("ts")
	for i := range 8 {
		if r := call(t, s, "chat.update", "channel", slack.General, "ts", ts, "text", fmt.Sprint(i+1)); r.err() != "" {
			t.Fatal(r.err())
		}
	}
	var got []string
	for _, v := range find(t, s, slack.General, ts).Versions {
		got = append(got, v.Text)
	}
	if want := []string{"0", "5", "6", "7", "8"}; !slices.Equal(got, want) {
		t.Errorf("versions %q, want %q", got, want)
	}
	if n := len(s.Deliveries()); n != 4 {
		t.Errorf("%d deliveries, want 4", n)
	}
	for range 3 {
		call(t, s, "chat.update", "channel", slack.General, "ts", ts, "text", strings.Repeat("x", 1000))
	}
	if n := len(find(t, s, slack.General, ts).Versions); n != 3 {
		t.Errorf("%d versions of 1,000 bytes, want the first and two", n)
	}
}
