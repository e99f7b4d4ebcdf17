package discord_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim/discord"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	names := func(kind, id string) string {
		if id == discord.Minh || id == discord.Support {
			return map[string]string{"user": "@Minh", "channel": "#support"}[kind]
		}
		return ""
	}
	tests := []struct{ name, text, want string }{
		{"plain", "hello", "hello"},
		{"bold", "a **b** c", "a b c"},
		{"italic", "*a* _b_", "a b"},
		{"bold italic", "***a***", "a"},
		{"underline", "__a__ __*b*__", "a b"},
		{"strike", "~~a~~", "a"},
		{"spoiler", "||a b||", "a b"},
		{"nested", "**a _b_ ~~c~~**", "a b c"},
		{"across lines", "**a\nb**", "a\nb"},
		{"snake case stays", "a_b_c and snake_case_name", "a_b_c and snake_case_name"},
		{"lonely star stays", "2 * 3 * 4", "2 * 3 * 4"},
		{"inline code", "`a **b** c`", "a **b** c"},
		{"code with a backtick", "`` a`b ``", " a`b "},
		{"code that begins with one", "`` `a ``", "`a "},
		{"fence", "x\n```go\nfunc **f**\n```\ny", "x\nfunc **f**\ny"},
		{"fence in a line", "a ```b``` c", "a \nb\n c"},
		{"fence without language", "```\na\n\nb\n```", "a\n\nb"},
		{"headings", "# A\n## B\n### **C**\ntext", "A\nB\nC\ntext"},
		{"subtext", "-# small", "small"},
		{"hash without space", "#tag", "#tag"},
		{"quote", "> a\n> **b**\nc", "a\nb\nc"},
		{"quote to the end", ">>> a\n\nb", "a\n\nb"},
		{"quoted code", "> ```\n> x\n> ```\ny", "x\ny"},
		{"list", "- a\n- **b**\n  - c\n1. d\n2. e", "• a\n• b\n  • c\n1. d\n2. e"},
		{"star list", "* a", "• a"},
		{"masked link", "see [the **docs**](https://example.org/a_(b)) now", "see the docs now"},
		{"masked link without preview", "[x](<https://example.org>)", "x"},
		{"masked link with a title", `[x](https://example.org "t")`, "x"},
		{"other schemes stay", "[x](ftp://example.org)", "[x](ftp://example.org)"},
		{"no preview", "<https://example.org/x_y_z>", "https://example.org/x_y_z"},
		{"bare link keeps marks", "https://example.org/a_b_c*d*", "https://example.org/a_b_c*d*"},
		{"escapes", `\*a\* \_b\_ \# \> \[x\](y) \\ \~`, `*a* _b_ # > [x](y) \ ~`},
		{"escaped backtick", "\\`a\\`", "`a`"},
		{"backslash before a letter stays", `C:\dir`, `C:\dir`},
		{"shrug", `¯\_(ツ)_/¯`, `¯\_(ツ)_/¯`},
		{"mentions", "<@" + discord.Minh + "> <@!" + discord.Minh + "> <#" + discord.Support + ">", "@Minh @Minh #support"},
		{"unknown mention", "<@1100000000000000999>", "@unknown-user"},
		{"emoji", "<:wave:1100000000000000999>", ":wave:"},
		{"time", "<t:0:R>", "1970-01-01 00:00"},
		{"unclosed stays", "**a", "**a"},
		{"Vietnamese", "**Xin chào** _thế giới_", "Xin chào thế giới"},
		{"blank lines", "a\n\nb", "a\n\nb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := discord.Plain(tt.text, names); got != tt.want {
				t.Errorf("Plain(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"none", "# A\n**b** _c_ `d` [e](https://x.org)\n```go\nf\n```\n- g\n> h", nil},
		{"escaped", "\\*\\* \\`\\`\\` \\_\\_ \\|\\|", nil},
		{"in code", "`**` and ```\n| a | b |\n|---|---|\n<br>\n```", nil},
		{"operators between spaces", "a ** b || c", nil},
		{"open fence", "a\n```go\nfunc", []string{"code fence is not closed"}},
		{"open code", "a `b", []string{"code is not closed"}},
		{"open bold", "**a", []string{"bold is not closed"}},
		{"open underline", "__a", []string{"underline is not closed"}},
		{"open strike", "~~a", []string{"strikethrough is not closed"}},
		{"open spoiler", "||a", []string{"spoiler is not closed"}},
		{"broken link", "[a](b)", []string{"link shows as source"}},
		{"image", "![a](https://x.org/y.png)", []string{"image shows as source"}},
		{"deep heading", "#### a", []string{"heading deeper than ### shows as source"}},
		{"table", "| a | b |\n|---|---|\n| 1 | 2 |", []string{"table shows as source"}},
		{"rule", "a\n\n---\n\nb", []string{"rule shows as source"}},
		{"HTML", "a<br>b", []string{"HTML shows as source"}},
		{"invalid UTF-8", "a\xff", []string{"text is not valid UTF-8"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := discord.Problems(tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("Problems(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{
		"", "**a", "```", "```go\nx```y`", "> ```\n> x", ">>> a\n- b", "[a](https://b", "<@1>", "\\", "\\\n# x", "||__~~**", "¯", "- \\\n- b",
		"*a **b* c**", "_a __b_ c__", "[[a](https://b)](https://c)", strings.Repeat("*", 200), strings.Repeat("[", 200), "1. a\n   - b\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 {
			text = text[:4000]
		}
		shown := discord.Plain(text, nil)
		discord.Problems(text)
		if utf8.ValidString(text) && !utf8.ValidString(shown) {
			t.Errorf("Plain(%q) = %q is not valid UTF-8", text, shown)
		}
		if plain := strings.Map(letters, text); plain == text && strings.TrimRight(shown, "\n") != strings.TrimRight(text, "\n") {
			t.Errorf("text without markup %q became %q", text, shown)
		}
	})
}

// letters drops all that could be markup; a lower-case "h" may begin a link.
func letters(r rune) rune {
	if r == ' ' || r == '\n' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' && r != 'h' || r > 0xBF {
		return r
	}
	return -1
}
