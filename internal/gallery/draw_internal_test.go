package gallery

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rivo/uniseg"

	"github.com/clickai/bridge/internal/sim"
)

func TestMarked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spans []sim.Span
		want  string
	}{
		{"plain", []sim.Span{{Text: "a *b*"}}, "a *b*"},
		{"all styles", []sim.Span{
			{Text: "a", Style: sim.Bold},
			{Text: "b", Style: sim.Italic},
			{Text: "c", Style: sim.Strike},
			{Text: "d", Style: sim.Mono},
			{Text: "e", Style: sim.Underline},
			{Text: "f", Style: sim.Spoiler},
			{Text: "@g", Style: sim.Ping},
			{Text: "/h", Style: sim.Active},
		}, "«a»╱b╱╌c╌▕d▏▁e▁▒f▒⚑@g⚑☛/h☚"},
		{"a style within", []sim.Span{{Text: "a ", Style: sim.Bold}, {Text: "b", Style: sim.Bold | sim.Italic}, {Text: " c", Style: sim.Bold}}, "«a ╱b╱ c»"},
		{"styles that cross", []sim.Span{{Text: "a", Style: sim.Bold}, {Text: "b", Style: sim.Bold | sim.Italic}, {Text: "c", Style: sim.Italic}}, "«a╱b╱»╱c╱"},
		{"link", []sim.Span{{Text: "see "}, {Text: "a", URL: "https://b.example"}, {Text: "."}}, "see a ↗ https://b.example."},
		{"link with styles", []sim.Span{{Text: "a ", URL: "https://c.example"}, {Text: "b", Style: sim.Mono, URL: "https://c.example"}}, "a ▕b▏ ↗ https://c.example"},
		{"two links", []sim.Span{{Text: "a", URL: "https://c.example"}, {Text: "b", URL: "https://d.example"}}, "a ↗ https://c.example" + "b ↗ https://d.example"},
		{"address", []sim.Span{{Text: "https://a.example/", URL: "https://a.example"}}, "https://a.example/ ↗"},
		{"address without scheme", []sim.Span{{Text: "a.example", URL: "http://a.example"}}, "a.example ↗"},
		{"mail", []sim.Span{{Text: "a@b.example", URL: "mailto:a@b.example"}}, "a@b.example ↗"},
		{"a label that lies", []sim.Span{{Text: "https://a.example", URL: "https://b.example"}}, "https://a.example ↗ https://b.example"},
		{"nothing to see", []sim.Span{{Text: "@\u200beveryone \u2060x"}}, "@everyone x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := marked(tt.spans); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"empty", "", []string{""}},
		{"short", "a b", []string{"a b"}},
		{"at spaces", "aaaa bbbb cccc", []string{"aaaa bbbb", "cccc"}},
		{"just fits", "aaaa bbbbb ccccc", []string{"aaaa bbbbb", "ccccc"}},
		{"too long", "aaaaaaaaaaaaa b", []string{"aaaaaaaaaa", "aaa b"}},
		{"two columns each", "越南新加坡日本", []string{"越南新加坡", "日本"}},
		{"emoji", "👩🏽‍💻👩🏽‍💻👩🏽‍💻👩🏽‍💻👩🏽‍💻👩🏽‍💻", []string{"👩🏽‍💻👩🏽‍💻👩🏽‍💻👩🏽‍💻👩🏽‍💻", "👩🏽‍💻"}},
		{"combined characters", "e\u0302\u0301e\u0302\u0301e\u0302\u0301 aaaaaaaaaa", []string{"e\u0302\u0301e\u0302\u0301e\u0302\u0301", "aaaaaaaaaa"}},
		{"spaces that stand in front", "  a", []string{"  a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := wrap(tt.in, 10); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	text := func(s string) []sim.Span { return []sim.Span{{Text: s}} }
	for _, tt := range []struct {
		name   string
		blocks []sim.Block
		want   string
	}{
		{"headings", []sim.Block{
			{Kind: sim.HeadingBlock, Level: 1, Spans: text("地区")},
			{Kind: sim.HeadingBlock, Level: 2, Spans: text("b")},
			{Kind: sim.HeadingBlock, Level: 3, Spans: text("cc")},
		}, `
地区
════
b
─
cc
┄┄`},
		{"items", []sim.Block{
			{Kind: sim.LineBlock, Mark: "•", Spans: text("a long item that is wrapped")},
			{Kind: sim.LineBlock, Indent: 1, Mark: "10.", Spans: text("a long item that is wrapped")},
		}, `
• a long item that
  is wrapped
   10. a long item
       that is
       wrapped`},
		{"quotation", []sim.Block{
			{Kind: sim.LineBlock, Quote: 1, Spans: text("words in a quotation")},
			{Kind: sim.LineBlock, Quote: 1},
			{Kind: sim.LineBlock, Quote: 2, Spans: text("b")},
		}, `
▎ words in a
▎ quotation
▎
▎ ▎ b`},
		{"code", []sim.Block{{Kind: sim.CodeBlock, Lang: "go", Spans: text("if a {\n\tb(\"越南越南越南\")\n}")}}, `
┌─ go ──────────────
│ if a {
│     b("越南越南 ↩
│ 越南")
│ }
└───────────────────`},
		{"quiet line and rule", []sim.Block{{Kind: sim.QuietBlock, Spans: text("from a.pdf")}, {Kind: sim.RuleBlock}}, `
▫ from a.pdf
────────────────────`},
		{"table", []sim.Block{{Kind: sim.TableBlock, Rows: [][]sim.Cell{
			{{Align: "left", Spans: text("越南")}, {Align: "right", Spans: text("b")}},
			{{Align: "left", Spans: text("👥")}, {Align: "right", Spans: text("two words")}},
		}}}, `
┌──────┬───────────┐
│ 越南 │         b │
├──────┼───────────┤
│ 👥   │ two words │
└──────┴───────────┘`},
		{"table that is too wide", []sim.Block{{Kind: sim.TableBlock, Rows: [][]sim.Cell{
			{{Align: "left", Spans: text("a")}, {Align: "center", Spans: text("a cell with words")}},
		}}}, `
┌───┬──────────────┐
│ a │ a cell with  │
│   │    words     │
└───┴──────────────┘`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lines := draw(tt.blocks, 20)
			for i, line := range lines {
				if w := uniseg.StringWidth(line); w > 20 {
					t.Errorf("line %d takes %d columns", i+1, w)
				}
				lines[i] = strings.TrimRight(line, " ")
			}
			if got := "\n" + strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("got%s\nwant%s", got, tt.want)
			}
		})
	}
}

func TestFrame(t *testing.T) {
	t.Parallel()
	line := func(s string) sim.Block { return sim.Block{Kind: sim.LineBlock, Spans: []sim.Span{{Text: s}}} }
	rule := strings.Repeat("─", columns)
	one := frame("bot", [][]sim.Block{{line("a"), {Kind: sim.LineBlock}, line("b")}}, false)
	if want := "╭─ bot " + rule[:3*(columns-7)] + "\n│ a\n│\n│ b\n╰" + rule[:3*(columns-1)] + "\n"; one != want {
		t.Errorf("got\n%swant\n%s", one, want)
	}
	if none := frame("bot", nil, false); none != "(nothing yet)\n" {
		t.Errorf("no message is drawn as %q", none)
	}

	var long []sim.Block
	for i := range 100 {
		long = append(long, line(fmt.Sprint(i)))
	}
	two := frame("bot", [][]sim.Block{{line("a")}, long}, true)
	for _, part := range []string{"╭─ bot · message 1 of 2 ─", "╭─ bot · message 2 of 2 ─", "│ 13\n│\n│ ┄┄┄┄┄┄┄┄ 77 lines are left out here ┄┄┄┄┄┄┄┄\n│\n│ 91\n"} {
		if !strings.Contains(two, part) {
			t.Errorf("%q is not in\n%s", part, two)
		}
	}
}

func TestAbridge(t *testing.T) {
	t.Parallel()
	lines := func(n int) []string { return slices.Repeat([]string{"x"}, n) }
	if got := abridge(lines(head + tail + 2)); len(got) != head+tail+2 {
		t.Errorf("a text that is hardly too long has %d lines", len(got))
	}
	long := lines(100)
	long[head-1], long[100-tail] = "", ""
	got := abridge(long)
	if want := fmt.Sprintf("┄┄┄┄┄┄┄┄ %d lines are left out here ┄┄┄┄┄┄┄┄", 100-head-tail+2); !slices.Contains(got, want) || len(got) != head+tail+1 {
		t.Errorf("got %d lines, %q", len(got), got)
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	if len(answers) != 10 {
		t.Errorf("%d answers", len(answers))
	}
	for _, a := range answers {
		states, err := a.states()
		if err != nil {
			t.Fatal(err)
		}
		if a.grows != (len(states) > 1) {
			t.Errorf("%s has %d states", a.file, len(states))
		}
		for i, s := range states {
			if strings.Contains(s, cut) || i > 0 && !strings.HasPrefix(s, states[i-1]) {
				t.Errorf("%s: state %d does not go on from the one before: %q", a.file, i, s)
			}
		}
	}
}
