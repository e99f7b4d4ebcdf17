package slack_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clickai/bridge/adapters/slack"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain", "hello there", "hello there"},
		{"entities", "1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"},
		{"entity written out", "&amp;lt;", "&lt;"},
		{"other entities stay", "&nbsp; &quot;", "&nbsp; &quot;"},
		{"mention", "ask <@U0MINH> please", "ask @Minh please"},
		{"mention with label", "ask <@U0XYZ|tom>", "ask @tom"},
		{"mention unknown", "ask <@U0XYZ>", "ask @U0XYZ"},
		{"own mention first", "<@U0BOT> what is up?", "what is up?"},
		{"own mention with label", "<@U0BOT|bridge>: what?", "what?"},
		{"own mention with comma", "<@U0BOT>, what?", "what?"},
		{"own mention in the middle", "hey <@U0BOT> what?", "hey what?"},
		{"own mention last", "what, <@U0BOT>?", "what,?"},
		{"own mention alone", "<@U0BOT>", ""},
		{"channel", "see <#C0ROOM>", "see #support"},
		{"channel with label", "see <#C0XYZ|sales>", "see #sales"},
		{"channel with empty label", "see <#C0ROOM|>", "see #support"},
		{"here", "<!here> hi <!channel> <!everyone>", "@here hi @channel @everyone"},
		{"here with label", "<!here|here>", "@here"},
		{"group", "<!subteam^S123|@devs> <!subteam^S124>", "@devs @S124"},
		{"date with text", "<!date^1392734382^Posted {date_num}|Posted 2014-02-18>", "Posted 2014-02-18"},
		{"date", "<!date^1392734382^{date}>", "2014-02-18 14:39 UTC"},
		{"unknown command", "<!foo|bar> <!foo>", "bar @foo"},
		{"link", "<https://a.example/x?a=1&amp;b=2>", "https://a.example/x?a=1&b=2"},
		{"link with label", "<https://a.example|the docs>", "the docs (https://a.example)"},
		{"link that was typed", "<http://a.example|a.example>", "http://a.example"},
		{"mail", "<mailto:a@b.example|a@b.example> <tel:+4912|call>", "a@b.example call (tel:+4912)"},
		{"label with pipe", "<https://a.example|a|b>", "a|b (https://a.example)"},
		{"emoji", ":tada: well :+1::skin-tone-3: done :acme:", "🎉 well 👍 done :acme:"},
		{"no emoji", "at 10:100:20 and `:tada:`", "at 10:100:20 and `:tada:`"},
		{"no command", "a < b > c <>", "a < b > c <>"},
		{"vietnamese", "<@U0BOT> chào bạn 👋", "chào bạn 👋"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := slack.Plain(tt.in); got != tt.want {
				t.Errorf("plain(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestEmoji(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "heart": "❤", "tada": "🎉", "100": "💯", "confused": "😕",
		"+1::skin-tone-2": "👍", "thumbsup::skin-tone-6": "👍", "slightly_smiling_face": "🙂", "white_check_mark": "✅",
		"flag-vn": "🇻🇳", "acme": ":acme:", "flag-zzz": ":flag-zzz:", "pencil": "📝", "rolling_on_the_floor_laughing": "🤣",
	} {
		if got := slack.EmojiOf(name); got != want {
			t.Errorf("emojiOf(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestBlockText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{
			"rich text", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"user","user_id":"U0BOT"},` +
				`{"type":"text","text":" a < b "},{"type":"link","url":"https://a.example","text":"x"},{"type":"emoji","name":"tada"}]}]}]`,
			"<@U0BOT> a &lt; b <https://a.example|x>:tada:",
		},
		{"list", `[{"type":"rich_text","elements":[{"type":"rich_text_list","elements":[` +
			`{"type":"rich_text_section","elements":[{"type":"text","text":"one"}]},` +
			`{"type":"rich_text_section","elements":[{"type":"text","text":"two"}]}]}]}]`, "one\ntwo"},
		{"section", `[{"type":"section","text":{"type":"mrkdwn","text":"*b* <!here>"}},{"type":"divider"}]`, "*b* <!here>"},
		{"unknown", `[{"type":"hologram","text":{"type":"plain_text","text":"a&b"},"elements":[{"type":"laser"}]}]`, "a&amp;b"},
		{"markdown", `[{"type":"markdown","text":"**b**"}]`, "**b**"},
		{"odd", `[1,{"type":2},null]`, ""},
		{"no list", `{"a":1}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := slack.BlockText(tt.in); got != tt.want {
				t.Errorf("blockText(%s) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// FuzzPlain holds that any text is decoded, and that literal text survives its escaping.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{
		"", "<@U0BOT> hi", "&lt;@U0BOT&gt;", "<https://a.example|b>", "<!date^1^x|y>", ":tada:", "<<@U0BOT>>", "<@", "&amp;amp;", "a\x00b\xff",
		"<!subteam^|>", "<|>", "<mailto:>", "`:+1:`:+1:",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := slack.Plain(s)
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("plain(%q) = %q, which is not valid UTF-8", s, got)
		}
		if strings.Contains(got, "<@U0BOT>") && !strings.Contains(s, "&") && !strings.Contains(s, "<<") && strings.Count(s, "<@U0BOT>") == 1 {
			t.Errorf("plain(%q) = %q, which still names the bot", s, got)
		}
		if strings.Contains(s, ":") {
			return // emoji names are no literal text
		}
		if back, want := slack.Plain(slack.Escape(s)), strings.TrimSpace(s); back != want {
			t.Errorf("plain(escape(%q)) = %q, want %q", s, back, want)
		}
	})
}

// FuzzBlockText holds that any blocks are read.
func FuzzBlockText(f *testing.F) {
	f.Add(`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a"}]}]}]`)
	f.Add(`[{"type":"section","fields":[{"type":"mrkdwn","text":"a"}],"rows":[[{"type":"raw_text","text":"x"}]]}]`)
	f.Add(`[[[[[[`)
	f.Fuzz(func(_ *testing.T, s string) { slack.BlockText(s) })
}
