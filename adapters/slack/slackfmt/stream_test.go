package slackfmt_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
)

func TestStreamText(t *testing.T) {
	t.Parallel()
	const wj = "\u2060"
	tests := []struct {
		name         string
		source       string
		running, all string // with final false and true
	}{
		{name: "words", source: "Hello **there**.", running: "Hello **there**.", all: "Hello **there**."},
		{name: "blank", source: " \n\t", running: "", all: ""},
		{name: "blanks at the end", source: "a\n\n", running: "a", all: "a"},
		{name: "markers at the end", source: "a\n\n- **", running: "a\n\n-", all: "a\n\n- **"},
		{name: "fence that begins", source: "a\n\n``", running: "a", all: "a\n\n``"},
		{name: "everyone", source: "<!channel> x", running: "<" + wj + "!channel> x", all: "<" + wj + "!channel> x"},
		{name: "person and room", source: "<@U1><#C1>.", running: "<" + wj + "@U1><" + wj + "#C1>.", all: "<" + wj + "@U1><" + wj + "#C1>."},
		{name: "in code", source: "`<!here>`.", running: "`<" + wj + "!here>`.", all: "`<" + wj + "!here>`."},
		{name: "escaped", source: `\<!here>.`, running: `\<` + wj + "!here>.", all: `\<` + wj + "!here>."},
		{name: "with markers between", source: "<**!here**>.", running: "<" + wj + "**!here**>.", all: "<" + wj + "**!here**>."},
		{name: "with a tag between", source: "<<b>!here>.", running: "<" + wj + "<b>!here>.", all: "<" + wj + "<b>!here>."},
		{name: "as a reference", source: "&lt;!here&gt; &#60;@U1> &#x3C;!x>.", running: "&lt;" + wj + "!here&gt; &#60;" + wj + "@U1> &#x3C;" + wj + "!x>.", all: "&lt;" + wj + "!here&gt; &#60;" + wj + "@U1> &#x3C;" + wj + "!x>."},
		{name: "angle at the end", source: "a <", running: "a", all: "a <"},
		{name: "half a reference", source: "a &am", running: "a", all: "a &am"},
		{name: "ampersand", source: "R&D is", running: "R&D is", all: "R&D is"},
		{name: "comparison", source: "a < b <= c", running: "a < b <= c", all: "a < b <= c"},
		{name: "half a link", source: "see [the manual](https://exa", running: "see", all: "see [the manual](https://exa"},
		{name: "half a label", source: "see [the man", running: "see", all: "see [the man"},
		{name: "link", source: "see [it](https://example.com).", running: "see [it](https://example.com).", all: "see [it](https://example.com)."},
		{name: "brackets", source: "a [1] b", running: "a [1] b", all: "a [1] b"},
		{name: "bracket in a line that ended", source: "a [b\nc", running: "a [b\nc", all: "a [b\nc"},
		{name: "half a character", source: "ch\xe1\xba", running: "ch", all: "ch\ufffd\ufffd"},
		{name: "not UTF-8", source: "a\xffb", running: "a\ufffdb", all: "a\ufffdb"},
		{name: "control characters", source: "a\x00\x1b\r\nb", running: "a\nb", all: "a\nb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := slackfmt.StreamText(tt.source, false); got != tt.running {
				t.Errorf("running: %q, want %q", got, tt.running)
			}
			if got := slackfmt.StreamText(tt.source, true); strings.TrimRight(got, "\n\t ") != got || got != strings.TrimRight(tt.all, " \n\t") {
				t.Errorf("final: %q, want %q", got, tt.all)
			}
		})
	}
}

// sequence is all that Slack reads as a mention, a room or a command.
var sequence = regexp.MustCompile(`<[!@#]`)

// grows streams a source as it comes in, and fails where a stream would have to take something back.
func grows(t *testing.T, source string, cuts []int) {
	t.Helper()
	before := ""
	for _, cut := range cuts {
		text := slackfmt.StreamText(source[:cut], false)
		if !strings.HasPrefix(text, before) {
			t.Fatalf("cut at %d, %q does not grow from %q", cut, text, before)
		}
		if fresh := text[len(before):]; fresh != "" && strings.TrimSpace(fresh) == "" {
			t.Fatalf("cut at %d, nothing but blanks is new: %q", cut, fresh)
		}
		before = text
	}
	whole := slackfmt.StreamText(source, true)
	if !strings.HasPrefix(whole, before) {
		t.Fatalf("the whole %q does not grow from %q", whole, before)
	}
	if sequence.MatchString(whole) || !utf8.ValidString(whole) {
		t.Fatalf("a sequence of Slack's, or no UTF-8, in %q", whole)
	}
	clean := func(s string) string { return markdowntest.Letters(strings.ToValidUTF8(s, "")) }
	if got, want := clean(whole), clean(source); got != want {
		t.Fatalf("letters %q, want %q", got, want)
	}
}

func TestStreamTextGrows(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			grows(t, c.Source, markdowntest.Cuts(len(c.Source), 500))
		})
	}
}

func FuzzStreamText(f *testing.F) {
	for _, c := range markdowntest.Corpus(f) {
		if len(c.Source) < 1500 {
			f.Add(c.Source)
		}
	}
	f.Add("<!channel> &lt;@U1> [a](b <\xe1\xba\xbf &#x3c;!x> <<b>!here>")
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 1000 {
			source = source[:1000]
		}
		grows(t, source, markdowntest.Cuts(len(source), 300))
	})
}

func TestStreamShows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, source string
		want         bool
	}{
		{"paragraphs", "One.\n\nTwo is *longer* and **bold** and ~~gone~~, `code`\nand a line.", true},
		{"Vietnamese", "Xin chào, đây là **câu trả lời** của tôi: *ngắn gọn*.", true},
		{"headings", "# One\n\ntext\n\n## Two\n\nmore", true},
		{"list", "- one\n- two\n  - three\n- four", true},
		{"numbers", "1. one\n2. two", true},
		{"code", "Run:\n\n```go\nx := a < b && c[0] != '&'\n```\n\nDone.", true},
		{"quote", "> It is said.", true},
		{"link", "See [the manual](https://example.com/a?b=c) or https://example.com.", true},
		{"prices", "It costs $5, or $10 for two.", true},
		{"escapes", `\*not bold\* and 3 \* 4`, true},
		{"time", "At 10:30:45 it ended.", true},
		{"table", "|a|b|\n|-|-|\n|1|2|", false},
		{"picture", "![a cat](https://example.com/cat.png)", false},
		{"task", "- [ ] one\n- [x] two", false},
		{"rule", "a\n\n---\n\nb", false},
		{"footnote", "It is so[^1].\n\n[^1]: They say.", false},
		{"math", "So $x^2$ is it.", false},
		{"math block", "$$\nx^2\n$$", false},
		{"math in brackets", `So \(x\) is it.`, false},
		{"tag", "a <b>bold</b> word", false},
		{"block of HTML", "<div>\nx\n</div>", false},
		{"comment in code", "```html\n<!-- x -->\n```", false},
		{"mention", "Ask <@U1>.", false},
		{"reference", "Caf&eacute; it is", false},
		{"emoji", "Well done :tada: all", false},
		{"later numbers", "3. three\n4. four", false},
		{"code in a list", "- one\n\n  ```\n  x\n  ```", false},
		{"list in a quote", "> - one", false},
		{"Chinese emphasis", "这是**重要**的。", false},
		{"Chinese emphasis before a stop", "**重要。**请注意", false},
		{"Chinese", "这是重要的。\n\n- 一\n- 二", true},
		{"definition", "See [it][1].\n\n[1]: https://example.com", false},
		{"other scheme", "[x](tg://resolve?domain=x)", false},
		{"one tilde", "~gone~ x", false},
		{"two messages", strings.Repeat("A paragraph of some words.\n\n", 200), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sent := slackfmt.StreamText(tt.source, true)
			parts := slackfmt.Render(tt.source, true)
			if got := slackfmt.StreamShows(sent, parts[0]); got != tt.want {
				t.Errorf("StreamShows(%q) = %t, want %t", sent, got, tt.want)
			}
			if slackfmt.StreamShows(sent, core.Part{Text: parts[0].Text, Plain: parts[0].Plain + "and more"}) {
				t.Error("a stream shows what it does not hold")
			}
		})
	}
}
