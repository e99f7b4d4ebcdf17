package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

// lookAt posts and looks.
func lookAt(t *testing.T, s *slack.Server, what ...slackgo.MsgOption) (string, error) {
	t.Helper()
	_, ts, err := client(s).PostMessageContext(t.Context(), slack.General, what...)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := s.Look(sim.Ref{Room: slack.General, ID: ts})
	return sketch(blocks), err
}

func TestLookAtMrkdwn(t *testing.T) {
	t.Parallel()
	s := start(t, slack.Options{})
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "a &lt; b", "\"a < b\"\n"},
		{"styles", "*b _c_* ~d~ `e*f*` 2*3*4", `"b ".bold "c".bold.italic " " "d".strike " " "e*f*".mono " 2*3*4"` + "\n"},
		{"not over lines", "*a\nb*", "\"*a\"\n\"b*\"\n"},
		{
			"sequences", "*<https://a.example/_x_|b *c*>* <https://d.example> <@" + slack.Anna + "> <#" + slack.Sales + "> <!here> <x>",
			`"b *c*".bold->https://a.example/_x_ " " "https://d.example"->https://d.example " " "@Anna".ping " " "#sales".active " " "@here".ping " <x>"` + "\n",
		},
		{"fence", "a\n```\n*x* &lt;y&gt;\n```\nb", "\"a\"\ncode \"*x* <y>\"\n\"b\"\n"},
		{"quotation", "> a\n&gt; *b*\nc", "| \"a\"\n| \"b\".bold\n\"c\"\n"},
		{"emoji", ":tada: `:tada:`", `"🎉 " ":tada:".mono` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, err := lookAt(t, s, slackgo.MsgOptionText(tt.text, false)); err != nil || got != tt.want {
				t.Errorf("%q looks\n%s%v\nwant\n%s", tt.text, got, err, tt.want)
			}
		})
	}
}

// raw is a block as JSON.
type raw struct{ json.RawMessage }

func (raw) BlockType() slackgo.MessageBlockType { return "" }
func (raw) ID() string                          { return "" }

func TestLookAtBlocks(t *testing.T) {
	t.Parallel()
	s := start(t, slack.Options{})
	rich := func(elements string) string { return `{"type":"rich_text","elements":[` + elements + `]}` }
	for _, tt := range []struct {
		name, want string
		blocks     []string
	}{
		{
			"header, rule, quiet line", "heading 1 \"A & b\"\n\nrule \n\nquiet \"c\".bold\n",
			[]string{
				`{"type":"header","text":{"type":"plain_text","text":"A &amp; b"}}`, `{"type":"divider"}`,
				`{"type":"context","elements":[{"type":"mrkdwn","text":"*c*"}]}`,
			},
		},
		{
			"section", "\"a \" \"b\".italic\n\"c\"\n",
			[]string{`{"type":"section","text":{"type":"mrkdwn","text":"a _b_"},"fields":[{"type":"plain_text","text":"c"}]}`},
		},
		{
			"text", `"a " "*b*".bold.strike " " "c".mono` + "\n\n\"d\"->https://e.example \"@Anna\".ping\n",
			[]string{rich(`{"type":"rich_text_section","elements":[{"type":"text","text":"a "},{"type":"text","text":"*b*","style":{"bold":true,"strike":true}},` +
				`{"type":"text","text":" "},{"type":"text","text":"c","style":{"code":true}},{"type":"text","text":"\n\n"},` +
				`{"type":"link","url":"https://e.example","text":"d"},{"type":"user","user_id":"` + slack.Anna + `"},{"type":"text","text":"\n"}]}`)},
		},
		{
			"lists", "• \"a\"\n  \"b\"\n  ◦ \"c\"\n3. \"d\"\n| 1. \"e\"\n",
			[]string{rich(`{"type":"rich_text_list","style":"bullet","indent":0,"elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a\nb"}]}]},` +
				`{"type":"rich_text_list","style":"bullet","indent":1,"elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"c"}]}]},` +
				`{"type":"rich_text_list","style":"ordered","indent":0,"offset":2,"elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"d"}]}]},` +
				`{"type":"rich_text_list","style":"ordered","border":1,"elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"e"}]}]}`)},
		},
		{
			"quotation and code", "| \"a\"\n| \"b\"\ncode go \"x\\ny\"\n| code \"z\"\n",
			[]string{rich(`{"type":"rich_text_quote","elements":[{"type":"text","text":"a\nb"}]},` +
				`{"type":"rich_text_preformatted","language":"go","elements":[{"type":"text","text":"x\ny"}]},` +
				`{"type":"rich_text_preformatted","border":1,"elements":[{"type":"text","text":"z"}]}`)},
		},
		{
			"table", "table \n  left \"a\" right \"b\".bold\n  left \"c\" right \"d\"\n",
			[]string{`{"type":"table","column_settings":[{"align":"left"},{"align":"right"}],"rows":[` +
				`[{"type":"raw_text","text":"a"},` + rich(`{"type":"rich_text_section","elements":[{"type":"text","text":"b","style":{"bold":true}}]}`) + `],` +
				`[{"type":"raw_text","text":"c"},{"type":"raw_text","text":"d"}]]}`},
		},
		{"picture", "\"🖼 a\"->https://b.example/c.png\n", []string{`{"type":"image","image_url":"https://b.example/c.png","alt_text":"a"}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			blocks := make([]slackgo.Block, 0, len(tt.blocks))
			for _, b := range tt.blocks {
				blocks = append(blocks, raw{json.RawMessage(b)})
			}
			if got, err := lookAt(t, s, slackgo.MsgOptionBlocks(blocks...)); err != nil || got != tt.want {
				t.Errorf("looks\n%s%v\nwant\n%s", got, err, tt.want)
			}
		})
	}
}

func TestLookRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, slack.Options{})
	if got, err := lookAt(t, s, slackgo.MsgOptionBlocks(raw{json.RawMessage(`{"type":"markdown","text":"a"}`)})); err == nil {
		t.Errorf("a markdown block looks %s", got)
	}
	if _, err := s.Look(sim.Ref{Room: slack.General, ID: "1.000001"}); err == nil {
		t.Error("a message that is not there has a look")
	}
}

// sketch writes blocks as lines: what stands before a text, then its spans, each with its styles and address.
func sketch(blocks []sim.Block) string {
	var b strings.Builder
	spans := func(all []sim.Span) {
		for i, s := range all {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%q", s.Text)
			for i, name := range []string{"bold", "italic", "underline", "strike", "mono", "spoiler", "active", "ping"} {
				if s.Style&(1<<i) != 0 {
					b.WriteString("." + name)
				}
			}
			if s.URL != "" {
				b.WriteString("->" + s.URL)
			}
		}
	}
	for _, x := range blocks {
		b.WriteString(strings.Repeat("| ", x.Quote) + strings.Repeat("  ", x.Indent))
		if x.Kind != sim.LineBlock {
			b.WriteString(string(x.Kind) + " ")
		}
		if x.Level > 0 {
			fmt.Fprintf(&b, "%d ", x.Level)
		}
		if s := x.Mark + x.Lang; s != "" {
			b.WriteString(s + " ")
		}
		spans(x.Spans)
		for _, row := range x.Rows {
			b.WriteString("\n ")
			for _, c := range row {
				b.WriteString(" " + c.Align + " ")
				spans(c.Spans)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
