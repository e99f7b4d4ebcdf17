package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

const explainConfig = `apps:
  support: {mode: chat, api_key: app-secret-support}
  sales: {mode: chat, api_key: app-secret-sales}
bots:
  - name: acme-slack
    platform: slack
    bot_token: xoxb-1-2-3
    app_token: xapp-1-A-2-3
    app: support
    allow: {rooms: [C1, C2, "#help", T9], users: []}
    deny: {users: ["@bob", U9]}
    routes:
      - {rooms: [C7], app: support}
      - {rooms: [C2], app: sales}
  - name: acme-telegram
    platform: telegram
    token: 7000000001:AAabcdefghijklmnopqrstuvwxyz0123456
    app: support
    respond: thread
    conversation: user
  - name: acme-discord
    platform: discord
    token: MTEwMDAwMDAwMDAwMDAwMDkwMA.Gabcde.abcdefghijklmnopqrstuvwxyz0123456789AB
    app: support
    open_thread: false
    respond: direct
`

func explainFile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(explainConfig+"store: {path: "+filepath.Join(dir, "bridge.db")+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExplain(t *testing.T) {
	path := explainFile(t)
	tests := []struct {
		name string
		args string // blanks part them; _ is a blank
		want explanation
		note string // one that must be there
	}{
		{"a mention", "--bot acme-slack --room C1 --user U1 --text hello_@acme-slack!", explanation{
			Answer: true, Rule: "respond: mention", App: "support", AppRule: "bots[0].app", Where: "in a thread that the question opens (open_thread: true)",
			Place: place{"C1", "MESSAGE"}, Conversation: "acme-slack/support/C1/MESSAGE", Scope: "conversation: thread",
		}, "MESSAGE stands for"},
		{"no mention", "--bot acme-slack --room C1 --user U1 --text hello_@acme-slack-2_and_me@acme-slack", explanation{Rule: "respond: mention"}, ""},
		{"a mention by flag, and a route", "--bot acme-slack --room C2 --user U1 --mention --text hello", explanation{
			Answer: true, Rule: "respond: mention", App: "sales", AppRule: "bots[0].routes[1]", Where: "in a thread that the question opens (open_thread: true)",
			Place: place{"C2", "MESSAGE"}, Conversation: "acme-slack/sales/C2/MESSAGE", Scope: "conversation: thread",
		}, ""},
		{"a reply in a thread", "--bot acme-slack --room C1 --thread 12.5 --user U1 --reply --text hello", explanation{
			Answer: true, Rule: "respond: mention", App: "support", AppRule: "bots[0].app", Where: "in the thread 12.5",
			Place: place{"C1", "12.5"}, Conversation: "acme-slack/support/C1/12.5", Scope: "conversation: thread",
		}, ""},
		{"a room by name", "--bot acme-slack --room #help --user U1 --mention --text hello", explanation{
			Answer: true, Rule: "respond: mention", App: "support", AppRule: "bots[0].app", Where: "in a thread that the question opens (open_thread: true)",
			Place: place{"#help", "MESSAGE"}, Conversation: "acme-slack/support/%23help/MESSAGE", Scope: "conversation: thread",
		}, "Rules that go by ids"},
		{"a room that is not allowed", "--bot acme-slack --room C3 --user U1 --mention --text hello", explanation{Denied: true, Rule: "allow.rooms"}, "--room-name"},
		{"its name is allowed", "--bot acme-slack --room C3 --room-name help --user U1 --text hello", explanation{Rule: "respond: mention"}, ""},
		{"its workspace is allowed", "--bot acme-slack --room C3 --space T9 --user U1 --text hello", explanation{Rule: "respond: mention"}, ""},
		{"a denied user", "--bot acme-slack --room C1 --user U9 --mention --text hello", explanation{Denied: true, Rule: "deny.users[1]"}, ""},
		{"a denied user by name", "--bot acme-slack --room C1 --user U8 --user-name bob --mention --text hello", explanation{Denied: true, Rule: "deny.users[0]"}, ""},
		{"direct", "--bot acme-telegram --room 5 --user 5 --direct --text hello", explanation{
			Answer: true, Rule: "direct chat", App: "support", AppRule: "bots[1].app", Where: "in the direct chat",
			Place: place{Room: "5"}, Conversation: "acme-telegram/support/5/@5", Scope: "conversation: user",
		}, ""},
		{"a platform without threads", "--bot acme-telegram --room -5 --user 5 --mention --text hello", explanation{
			Answer: true, Rule: "respond: thread", App: "support", AppRule: "bots[1].app", Where: "in the room",
			Place: place{Room: "-5"}, Conversation: "acme-telegram/support/-5/@5", Scope: "conversation: user",
		}, ""},
		{"a topic without a store", "--bot acme-telegram --room -5 --thread 7 --user 5 --text hello", explanation{Rule: "respond: thread"}, "could not be read"},
		{"direct chats only", "--bot acme-discord --room 5 --user 5 --mention --text hello", explanation{Rule: "respond: direct"}, ""},
		{"a command", "--bot acme-telegram --room -5 --user 5 --text !new", explanation{Rule: "respond: thread"}, "A command"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"explain", "--config", path, "--json"}, strings.Fields(tt.args)...)
			for i := range args {
				if !strings.Contains(args[i], "/") {
					args[i] = strings.ReplaceAll(args[i], "_", " ")
				}
			}
			code, out, errs := command(t, nil, args...)
			var got explanation
			if err := json.Unmarshal([]byte(out), &got); code != 0 || err != nil {
				t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
			}
			if got.Because == "" || strings.Contains(got.Because, "The rule is") {
				t.Errorf("because %q", got.Because)
			}
			if tt.note != "" && !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, tt.note) }) {
				t.Errorf("notes %q lack %q", got.Notes, tt.note)
			}
			got.Because, got.Notes = "", nil
			if g, w := asJSON(t, got), asJSON(t, tt.want); g != w {
				t.Errorf("got  %s\nwant %s", g, w)
			}
			if strings.Contains(out, "secret") {
				t.Errorf("a secret is shown: %s", out)
			}
		})
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestExplainAsText(t *testing.T) {
	code, out, _ := command(t, nil, "explain", "--config", explainFile(t), "--bot", "acme-slack", "--room", "C2", "--user", "U1", "--text", "hi @Acme-Slack")
	for _, want := range []string{"✓ answered\n", "rule          respond: mention\n", "app           sales (bots[0].routes[1])\n", "conversation  acme-slack/sales/C2/MESSAGE (conversation: thread)\n"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d; %q is not in\n%s", code, want, out)
		}
	}
}

func TestExplainUsage(t *testing.T) {
	path := explainFile(t)
	for _, tt := range []struct{ args, want string }{
		{"--room C1 --user U1 --text x", "--bot"},
		{"--bot acme-slack --user U1 --text x", "--room"},
		{"--bot acme-slack --room C1 --text x", "--user"},
		{"--bot acme-slack --room C1 --user U1", "--text"},
		{"--bot acme --room C1 --user U1 --text x", "acme-telegram"},
	} {
		code, _, errs := command(t, nil, append([]string{"explain", "--config", path}, strings.Fields(tt.args)...)...)
		if code != 2 || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit %d, %s", tt.args, code, errs)
		}
	}
}

// TestExplainThread asks a running bridge, explains while it holds the store, and again when it has ended.
func TestExplainThread(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	path := writeConfig(t, s, clickai.ModeChat, "")
	p := runBridge(t, path)
	connected(t, s)
	st := s.Stages()[0]
	ask(t, s, st, "who opens this thread?")
	var thread string
	for _, m := range st.Platform.Messages(st.Room.Room, "") {
		if strings.Contains(m.Text, "who opens this thread?") {
			thread = m.ID
		}
	}
	explained := func(thread string) (e explanation) {
		code, out, errs := command(t, nil, "explain", "--config", path, "--bot", "demo-slack", "--room", st.Room.Room, "--thread", thread, "--user", st.Person, "--text", "and then?", "--json")
		if err := json.Unmarshal([]byte(out), &e); code != 0 || err != nil {
			t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
		}
		return e
	}
	if e := explained(thread); e.Answer || !strings.Contains(strings.Join(e.Notes, ""), "in use") {
		t.Errorf("while it runs: %+v", e)
	}
	p.stop()
	if e := explained(thread); !e.Answer || e.Because != "It stands in a thread that a question to the bot opened." || e.Conversation != string(core.NewConvKey("demo-slack", "demo", core.Place{Room: st.Room.Room, Thread: thread}, "")) {
		t.Errorf("in the thread: %+v", e)
	}
	if e := explained("1.2"); e.Answer {
		t.Errorf("in another thread: %+v", e)
	}
	// It has told the truth.
	p = runBridge(t, path)
	connected(t, s)
	if _, err := st.Platform.Say(t.Context(), sim.Say{Room: st.Room.Room, Thread: thread, User: st.Person, Text: "and then, really?"}); err != nil {
		t.Fatal(err)
	}
	until(t, "the follow-up is asked", func() bool { return requested(s, "and then, really?") }, s.ClickAI.Changed)
	p.stop()
}
