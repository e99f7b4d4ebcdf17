package discord_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func TestLook(t *testing.T) {
	t.Parallel()
	names := func(kind, id string) string {
		if id == discord.Minh || id == discord.Support {
			return map[string]string{"user": "@Minh", "channel": "#support"}[kind]
		}
		return ""
	}
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "a", "\"a\"\n"},
		{"lines", "a\n\nb", "\"a\"\n\n\"b\"\n"},
		{"headings", "# A *b*\n## C\n### D\n#### e\n-# f", "heading 1 \"A \" \"b\".italic\nheading 2 \"C\"\nheading 3 \"D\"\n\"#### e\"\nquiet \"f\"\n"},
		{
			"styles", "**b *c*** __d__ ~~e~~ ||f|| `g` _h_",
			`"b ".bold "c".bold.italic " " "d".underline " " "e".strike " " "f".spoiler " " "g".mono " " "h".italic` + "\n",
		},
		{"over lines", "**a\nb** c", "\"a\".bold\n\"b\".bold \" c\"\n"},
		{"escaped", `\*a\* 2 * 3 snake_case_name`, "\"*a* 2 * 3 snake_case_name\"\n"},
		{"not closed", "a **b", "\"a **b\"\n"},
		{"list", "- a\n  - **b**\n3. c\ntext", "• \"a\"\n  ◦ \"b\".bold\n3. \"c\"\n\"text\"\n"},
		{"fence", "a\n\n```go\nx\n\n  **y**\n```\nb", "\"a\"\n\ncode go \"x\\n\\n  **y**\"\n\"b\"\n"},
		{"fence between empty lines", "```\nx\n```\n\nb", "code \"x\"\n\n\"b\"\n"},
		{"quotation", "> a\n> - b\n> ```\n> x\n> ```\n> \n> c\nd", "| \"a\"\n| • \"b\"\n| code \"x\"\n| \n| \"c\"\n\"d\"\n"},
		{"quotation to the end", ">>> a\nb", "| \"a\"\n| \"b\"\n"},
		{
			"links", "[a **b**](<https://a.example/x>) <https://b.example> https://c.example/y_z.",
			`"a "->https://a.example/x "b".bold->https://a.example/x " " "https://b.example"->https://b.example " " ` +
				`"https://c.example/y_z"->https://c.example/y_z "."` + "\n",
		},
		{"no links", "[a](/x) [b](ftp://c.example)", "\"[a](/x) [b](ftp://c.example)\"\n"},
		{"mentions", "<@" + discord.Minh + "> <#" + discord.Support + "> <@&1100000000000000999>", `"@Minh".ping " " "#support".active " " "@unknown-role".ping` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := sketch(discord.Look(tt.text, names)); got != tt.want {
				t.Errorf("%q looks\n%swant\n%s", tt.text, got, tt.want)
			}
		})
	}
}

func TestLookAtMessage(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	m, err := s.Say(t.Context(), sim.Say{Room: discord.General, User: discord.Minh, Text: "**hi** @Anna"})
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := s.Look(m.Ref)
	if got, want := sketch(blocks), "\"hi\".bold \" \" \"@Anna\".ping\n"; err != nil || got != want {
		t.Errorf("looks %s, %v, want %s", got, err, want)
	}
	m.ID = "1100000000000000001"
	if _, err := s.Look(m.Ref); err == nil {
		t.Error("a message that is not there has a look")
	}
}

// FuzzLook holds the two readings of the dialect together: what is drawn says what the plain text says.
func FuzzLook(f *testing.F) {
	for _, s := range []string{
		"# a\n\n- b\n  1. c\n> d\n> ```go\n> e\n> ```\nf", "**a *b* ~~c~~** `d` ||e||", "[a](<https://b.example>) <@1> \\* ``c`d``",
		"a\n```\nb\n```c```d", ">>> a\n# b\n-# c", "*a\n- b*\n```x", "__a__b_ _c_ ***d***",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		var said strings.Builder
		for _, b := range discord.Look(text, nil) {
			said.WriteString(b.Mark + sim.Text(b.Spans))
		}
		// Bullets and white space are drawn, not said.
		bare := func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) || r == '•' || r == '◦' {
					return -1
				}
				return r
			}, s)
		}
		if got, want := bare(said.String()), bare(discord.Plain(text, nil)); got != want {
			t.Errorf("%q is drawn as %q, but says %q", text, got, want)
		}
	})
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
