package slack_test

import (
	"slices"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

func TestShownMrkdwn(t *testing.T) {
	s := start(t, slack.Options{})
	for _, tc := range []struct{ name, text, want string }{
		{"plain", "hello", "hello"},
		{"styles", "*bold* _it_ ~no~ *_both_*", "bold it no both"},
		{"not styles", "2*3*4 snake_case_name a * b * c *open", "2*3*4 snake_case_name a * b * c *open"},
		{"not over lines", "*a\nb*", "*a\nb*"},
		{"next to punctuation", "(*a*), \"_b_\"!", "(a), \"b\"!"},
		{"entities", "a &amp;&lt;b&gt; &amp;lt;", "a &<b> &lt;"},
		{"link", "<https://x.example/a_b_c?q=*1*|see *this*>", "see *this*"},
		{"bare link", "<https://x.example/a_b_c>", "https://x.example/a_b_c"},
		{"mail", "<mailto:a@b.example>", "a@b.example"},
		{"people and rooms", "<@" + slack.Anna + "> in <#" + slack.Sales + "> and <#" + slack.Sales + "|sales>", "@Anna in #sales and #sales"},
		{"broadcast", "<!here> <!subteam^S1|@team> <!date^1^{date}|June>", "@here @team June"},
		{"no sequence", "a <b> c <", "a <b> c <"},
		{"code", "`*a*` and ```\n*x* &lt;y&gt;\n``` end", "*a* and \n*x* <y>\n end"},
		{"fence", "see:\n```\ngo run .\n```\ndone", "see:\ngo run .\ndone"},
		{"open fence", "``` *x*", "``` x"},
		{"emoji", "ok :tada: :nope: `:tada:`", "ok 🎉 :nope: :tada:"},
		{"quote", "&gt; said\nme", "> said\nme"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, ts, err := client(s).PostMessageContext(t.Context(), slack.General, slackgo.MsgOptionText(tc.text, false))
			if err != nil {
				t.Fatal(err)
			}
			if m := find(t, s, slack.General, ts); m.Shown != tc.want || m.Text != tc.text {
				t.Errorf("%q shows %q, want %q", tc.text, m.Shown, tc.want)
			}
		})
	}
}

func TestShownMarkdown(t *testing.T) {
	s := start(t, slack.Options{})
	for _, tc := range []struct{ name, text, want string }{
		{"styles", "**b** *i* ~~s~~ `c*d*`", "b i s c*d*"},
		{"blocks", "# Head\n\npara\nline\n\n---\n\n> q1\n> q2", "Head\n\npara\nline\n\n───\n\n> q1\n> q2"},
		{"lists", "1. one\n2. two\n   - in\n   - in2\n\n- [x] done\n- [ ] open", "1. one\n2. two\n    • in\n    • in2\n\n• ☑ done\n• ☐ open"},
		{"fence", "```go\na := \"**x**\" // <@U1>\n```", "a := \"**x**\" // <@U1>"},
		{"links", "[t](https://x.example) ![alt](https://x.example/i.png) <https://y.example>", "t alt https://y.example"},
		{"table", "| a | b |\n|---|---|\n| 1 | **2** |", "a | b\n1 | 2"},
		{"escapes", `\*no\* &lt;b&gt; &amp; 3 \< 4`, "*no* <b> & 3 < 4"},
		{"html", "a <b>x</b>", "a <b>x</b>"},
		{"mention", "hi <@" + slack.Tom + ">, `<@" + slack.Tom + ">` \\<@" + slack.Tom + "> &lt;@" + slack.Tom + "&gt;", "hi @Tom, <@" + slack.Tom + "> <@" + slack.Tom + "> <@" + slack.Tom + ">"},
		{"emoji", "go :rocket:", "go 🚀"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := call(t, s, "chat.postMessage", "channel", slack.General, "markdown_text", tc.text)
			if r.err() != "" {
				t.Fatal(r.err())
			}
			if m := find(t, s, slack.General, r.str("ts")); m.Shown != tc.want || m.Text != tc.text {
				t.Errorf("%q shows\n%q, want\n%q", tc.text, m.Shown, tc.want)
			}
		})
	}
}

func TestShownBlocks(t *testing.T) {
	s := start(t, slack.Options{})
	plain := func(text string) *slackgo.TextBlockObject {
		return slackgo.NewTextBlockObject("plain_text", text, false, false)
	}
	mrkdwn := func(text string) *slackgo.TextBlockObject {
		return slackgo.NewTextBlockObject("mrkdwn", text, false, false)
	}
	rich := slackgo.NewRichTextBlock("r",
		slackgo.NewRichTextSection(slackgo.NewRichTextSectionTextElement("hi ", nil), slackgo.NewRichTextSectionUserElement(slack.Anna, nil),
			slackgo.NewRichTextSectionLinkElement("https://x.example", "x", nil), slackgo.NewRichTextSectionEmojiElement("tada", 0, nil)),
		slackgo.NewRichTextList(slackgo.RTEListOrdered, 0, slackgo.NewRichTextSection(slackgo.NewRichTextSectionTextElement("a<b", nil))))
	_, ts, err := client(s).PostMessageContext(t.Context(), slack.General, slackgo.MsgOptionText("fallback", false), slackgo.MsgOptionBlocks(
		slackgo.NewHeaderBlock(plain("Head *x*")),
		slackgo.NewSectionBlock(mrkdwn("*body*"), []*slackgo.TextBlockObject{mrkdwn("_f1_"), plain("f2")}, nil),
		slackgo.NewDividerBlock(),
		slackgo.NewContextBlock("c", mrkdwn("~quiet~"), slackgo.NewImageBlockElement("https://x.example/i.png", "pic")),
		slackgo.NewMarkdownBlock("", "**md**"),
		rich,
		slackgo.NewActionBlock("act", slackgo.NewButtonBlockElement("go", "v", plain("Go")), slackgo.NewButtonBlockElement("stop", "v", plain("Stop"))),
	))
	if err != nil {
		t.Fatal(err)
	}
	want := "Head *x*\nbody\nf1\nf2\n───\nquiet pic\nmd\nhi @Annax🎉\n1. a<b"
	m := find(t, s, slack.General, ts)
	if m.Shown != want {
		t.Errorf("shows\n%s\nwant\n%s", m.Shown, want)
	}
	if b := s.Buttons(m.Ref); len(b) != 2 || b[0] != (slack.Button{ID: "v", Label: "Go", Action: "go"}) || b[1].Label != "Stop" {
		t.Errorf("buttons %+v", b)
	}
	if !strings.Contains(m.Text, "*body*\n_f1_") || !strings.Contains(m.Text, "<@"+slack.Anna+"><https://x.example|x>:tada:\n1. a&lt;b") || strings.Contains(m.Text, "fallback") {
		t.Errorf("markup %q", m.Text)
	}
	wantClean(t, s)
}

func TestPings(t *testing.T) {
	s := start(t, slack.Options{})
	for _, tc := range []struct {
		name, arg, value string
		want             []string
	}{
		{"escaped", "text", "&lt;!channel&gt; @here a <b>", nil},
		{"text", "text", "<!channel> and <@" + slack.Tom + "|tom>", []string{"<!channel>", "<@" + slack.Tom + "|tom>"}},
		{"date is none", "text", "<!date^1^{date}|June> <https://x.example|<!here> is no link>", []string{"<!here>"}},
		{"section", "blocks", `[{"type":"section","text":{"type":"mrkdwn","text":"<!subteam^S1>"}}]`, []string{"<!subteam^S1>"}},
		{"plain text is literal", "blocks", `[{"type":"header","text":{"type":"plain_text","text":"<!here>"}}]`, nil},
		{"rich text", "blocks", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"broadcast","range":"here"}]}]}]`, []string{"<!here>"}},
		{"markdown", "markdown_text", "hi <!everyone>\n\n<!here>\n\n- <@U1>", []string{"<!everyone>", "<!here>", "<@U1>"}},
		{"markdown literal", "markdown_text", "`<!here>` \\<!here> &lt;!here&gt;\n\n```\n<@U1>\n```\n", nil},
		{"link names", "link_names", "1", []string{"@everyone"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := []string{"channel", slack.General, tc.arg, tc.value}
			if tc.arg == "link_names" {
				args = append(args, "text", "hey @everyone")
			}
			before := len(s.Pings())
			r := call(t, s, "chat.postMessage", args...)
			if r.err() != "" {
				t.Fatal(r.err())
			}
			var got []string
			for _, p := range s.Pings()[before:] {
				got = append(got, strings.TrimPrefix(p, slack.General+" "+r.str("ts")+" "))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("pings %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTyped(t *testing.T) {
	s := start(t, slack.Options{})
	for _, tc := range []struct{ name, text, want, shown string }{
		{"escapes", "a < b && c > d", "a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"},
		{"person", "ask @Anna, or @tom.baker", "ask <@" + slack.Anna + ">, or <@" + slack.Tom + ">", "ask @Anna, or @Tom"},
		{"no person", "me@Anna.example @Annabel @nobody", "me@Anna.example @Annabel @nobody", "me@Anna.example @Annabel @nobody"},
		{"room", "see #support or #nowhere", "see <#" + slack.Support + "|support> or #nowhere", "see #support or #nowhere"},
		{"all", "@here look", "<!here> look", "@here look"},
		{"link", "go to https://x.example/a?b=1&c=2.", "go to <https://x.example/a?b=1&amp;c=2>.", "go to https://x.example/a?b=1&c=2."},
		{"emoji", "nice 👍🏽 ❤️ 🇻🇳", "nice :+1::skin-tone-4: :heart: :flag-vn:", "nice 👍🏽 ❤ 🇻🇳"},
		{"code stays", "`@Anna <x>` and ```#support 🎉```", "`@Anna &lt;x&gt;` and ```#support 🎉```", "@Anna <x> and \n#support 🎉"},
		{"vietnamese", "chào bạn ✨", "chào bạn :sparkles:", "chào bạn ✨"},
		{"the bot by hand", "@bridge help", "<@" + s.BotUserID() + "> help", "@bridge help"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := say(t, s, sim.Say{Text: tc.text})
			if m.Text != tc.want || m.Shown != tc.shown {
				t.Errorf("%q is stored as\n%q, want\n%q; shows\n%q, want\n%q", tc.text, m.Text, tc.want, m.Shown, tc.shown)
			}
		})
	}
	if m := say(t, s, sim.Say{Text: "hi", Mention: true}); m.Text != "<@"+s.BotUserID()+"> hi" {
		t.Errorf("mention %q", m.Text)
	}
}

func TestSayRefuses(t *testing.T) {
	s := start(t, slack.Options{})
	for name, what := range map[string]sim.Say{
		"nothing":   {Room: slack.General, User: slack.Minh},
		"nobody":    {Room: slack.General, User: "U404", Text: "x"},
		"nowhere":   {Room: "C404", User: slack.Minh, Text: "x"},
		"not in it": {Room: slack.DM(slack.Anna), User: slack.Minh, Text: "x"},
		"no thread": {Room: slack.General, User: slack.Minh, Text: "x", Thread: "1.000001"},
		"reply":     {Room: slack.General, User: slack.Minh, Text: "x", ReplyTo: "1.000001"},
	} {
		if _, err := s.Say(t.Context(), what); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	m := say(t, s, sim.Say{Text: "x"})
	if err := s.Edit(t.Context(), m.Ref, slack.Anna, "y"); err == nil {
		t.Error("edited another's message")
	}
	if err := s.Delete(t.Context(), m.Ref, slack.Anna); err == nil {
		t.Error("deleted another's message")
	}
}
