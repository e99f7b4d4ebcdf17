package slackfmt_test

import (
	"testing"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                  "plain",
		"<!channel> <@U1> & 1>0": "&lt;!channel&gt; &lt;@U1&gt; &amp; 1&gt;0",
	} {
		if got := slackfmt.Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	const rich = `[{"type":"rich_text","elements":[`
	for _, tt := range []struct{ name, in, text, blocks string }{
		{
			"styles", "a **b *c*** `d`", "a *b _c_* `d`",
			rich + `{"type":"rich_text_section","elements":[{"type":"text","text":"a "},` +
				`{"type":"text","text":"b ","style":{"bold":true}},{"type":"text","text":"c","style":{"bold":true,"italic":true}},` +
				`{"type":"text","text":" "},{"type":"text","text":"d","style":{"code":true}}]}]}]`,
		},
		{
			"mention", "<!channel> & @here", "&lt;!channel&gt; &amp; @here",
			rich + `{"type":"rich_text_section","elements":[{"type":"text","text":"<!channel> & @here"}]}]}]`,
		},
		{
			"heading", "# a **b**\n\n### c", "*a b*\n\n*c*",
			`[{"type":"header","text":{"type":"plain_text","emoji":false,"text":"a b"}},` + rich[1:] +
				`{"type":"rich_text_section","elements":[{"type":"text","text":"c","style":{"bold":true}}]}]}]`,
		},
		{
			"list from a number", "3. a\n4. b\n   - c", "3. a\n4. b\n   • c",
			rich + `{"type":"rich_text_list","style":"ordered","indent":0,"offset":2,"elements":[` +
				`{"type":"rich_text_section","elements":[{"type":"text","text":"a"}]},` +
				`{"type":"rich_text_section","elements":[{"type":"text","text":"b"}]}]},` +
				`{"type":"rich_text_list","style":"bullet","indent":1,"elements":[` +
				`{"type":"rich_text_section","elements":[{"type":"text","text":"c"}]}]}]}]`,
		},
		{
			"code", "```Go\na < \"b\"\n```", "```\na &lt; \"b\"\n```",
			rich + `{"type":"rich_text_preformatted","language":"go","elements":[{"type":"text","text":"a < \"b\""}]}]}]`,
		},
		{
			"link", "[a|b](http://c.d/?e=1&f=2)", "<http://c.d/?e=1&amp;f=2|a|b>",
			rich + `{"type":"rich_text_section","elements":[{"type":"link","url":"http://c.d/?e=1&f=2","text":"a|b"}]}]}]`,
		},
		{
			"quote", "> a\n> b", "> a\n> b",
			rich + `{"type":"rich_text_quote","elements":[{"type":"text","text":"a\nb"}]}]}]`,
		},
		{
			"HTML table without a head", "<table><tr><td>a</td><td>b</td></tr></table>", "```\na | b\n```",
			`[{"type":"table","column_settings":[{"align":"left","is_wrapped":true},{"align":"left","is_wrapped":true}],"rows":[` +
				`[{"type":"raw_text","text":"a"},{"type":"raw_text","text":"b"}]]}]`,
		},
		{
			"table with a link", "|a|\n|-|\n|[b](http://c.d)|", "```\na\n-\nb\n```",
			`[{"type":"table","column_settings":[{"align":"left","is_wrapped":true}],"rows":[` +
				`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a","style":{"bold":true}}]}]}],` +
				`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"link","url":"http://c.d","text":"b"}]}]}]]}]`,
		},
		{
			"table with a link in a quote", "> |a|\n> |-|\n> |[b](http://c.d)|", "> ```\n> a\n> ----\n> b[1]\n> ```\n> [1] <http://c.d|b>",
			rich + `{"type":"rich_text_preformatted","border":1,"elements":[{"type":"text","text":"a\n----\nb[1]"}]},` +
				`{"type":"rich_text_quote","elements":[{"type":"text","text":"[1] "},{"type":"link","url":"http://c.d","text":"b"}]}]}]`,
		},
		{
			"alert", "> [!TIP]\n> a", "> *💡 Tip*\n> a",
			rich + `{"type":"rich_text_quote","elements":[{"type":"text","text":"💡 Tip","style":{"bold":true}},` +
				`{"type":"text","text":"\n"},{"type":"text","text":"a"}]}]}]`,
		},
		{
			"table", "|a|b|\n|-|-:|\n|1|**2**|", "```\na | b\n--+--\n1 | 2\n```",
			`[{"type":"table","column_settings":[{"align":"left","is_wrapped":true},{"align":"right","is_wrapped":true}],"rows":[` +
				`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a","style":{"bold":true}}]}]},` +
				`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"b","style":{"bold":true}}]}]}],` +
				`[{"type":"raw_text","text":"1"},` +
				`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"2","style":{"bold":true}}]}]}]]}]`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parts := slackfmt.Render(tt.in, true)
			if len(parts) != 1 {
				t.Fatalf("Render(%q): %d parts", tt.in, len(parts))
			}
			m, err := slackfmt.Decode(parts[0].Text)
			if err != nil {
				t.Fatal(err)
			}
			if m.Text != tt.text {
				t.Errorf("text %q, want %q", m.Text, tt.text)
			}
			if string(m.Blocks) != tt.blocks {
				t.Errorf("blocks\n got %s\nwant %s", m.Blocks, tt.blocks)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a line", `{"text":`, `{"a":1}`} {
		m, err := slackfmt.Decode(text)
		if err != nil || m.Text != text || m.Blocks != nil {
			t.Errorf("Decode(%q) = %+v, %v; want it as text", text, m, err)
		}
	}
	if _, err := slackfmt.Decode(`{"text":"a","blocks":[}]}`); err == nil {
		t.Error("a broken message was decoded")
	}
	m, err := slackfmt.Decode(`{"text":"a","blocks":[]}`)
	if err != nil || m.Text != "a" || m.Blocks != nil {
		t.Errorf("Decode of no blocks = %+v, %v", m, err)
	}
}
