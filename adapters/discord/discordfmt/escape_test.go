package discordfmt_test

import (
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/discord/discordfmt"
	discordsim "github.com/clickai/bridge/internal/sim/discord"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "Hello, world. 3 - 2 = 1!", "Hello, world. 3 - 2 = 1!"},
		{"styles", "*a* _b_ ~~c~~ ||d||", `\*a\* \_b\_ \~\~c\~\~ \|\|d\|\|`},
		{"code", "`a`", "\\`a\\`"},
		{"backslash", `a\b`, `a\\b`},
		{"link", "[a](http://b.c)", `\[a\](http://b.c)`},
		{"heading", "# a\nb # c", "\\# a\nb # c"},
		{"quote", "> a", `\> a`},
		{"bullets", "- a\n+ b", "\\- a\n\\+ b"},
		{"number", "1. a 2. b", `1\. a 2. b`},
		{"everyone", "@everyone @here @heretic @you", "@\u200beveryone @\u200bhere @\u200bheretic @you"},
		{"mentions", "<@1> <#2> <@&3> </c:4> <5", "\\<\u200b@1> \\<\u200b#2> \\<\u200b@&3> \\<\u200b/c:4> \\<5"},
		{"emoji", ":smile: 10:30", `\:smile: 10:30`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := discordfmt.Escape(tt.in)
			if got != tt.want {
				t.Errorf("Escape(%q) = %q, want %q", tt.in, got, tt.want)
			}
			if seen := strings.ReplaceAll(discordsim.Plain(got, nil), "\u200b", ""); seen != tt.in && tt.name != "emoji" {
				t.Errorf("a reader sees %q, want %q", seen, tt.in)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	if got, want := discordfmt.Plain("*a* @everyone <@1>"), "*a* @\u200beveryone <\u200b@1>"; got != want {
		t.Errorf("Plain() = %q, want %q", got, want)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"adjacent styles", "*a***b**", "*a*\u200b**b**"},
		{"nested styles", "**a *b* c**", "**a *b* c**"},
		{"style inside out", "*a **b***", "*a **b***"},
		{"fence in a fence", "````\n```\n````", "```\n`\u200b`\u200b`\n```"},
		{"odd language", "```a b\nc\n```\n\n```x\"y\nc\n```", "```a\nc\n```\n\n```\nc\n```"},
		{"code with backticks", "``a`b`` `` `c` ``", "``a`b`` `` `c` ``"},
		{"mail link in styles", "**[write `x`](mailto:a@b.c)**", "**write `x` (a@b.c)**"},
		{"link of its address", "[https://a.b](https://a.b) c", "<https://a.b> c"},
		{"link of another address", "[**https://a.b** x](https://c.d)", "**https://a.b** x (<https://c.d>)"},
		{"link over code with brackets", "[`a[0]`](http://b.c)", `[a\[0\]](<http://b.c>)`},
		{"numbered task", "1. [x] a", "1. ☑ a"},
		{
			"tasks in lines", "- [x] a\n  b\n  - [ ] c\n  - d\n- e\n  - [ ] f",
			"☑ a\n\u2002\u2002b\n\u2002\u2002☐ c\n  - d\n- e\n\u2002\u2002☐ f",
		},
		{"tabs in code", "```\n\ta\n```", "```\n\ta\n```"},
		{
			"links in a table", "|[a](http://b.c)|d|\n|-|-|\n|[e](http://f.g) [http://h.i](http://j.k)|https://l.m|",
			"```\na[1]               | d\n-------------------+------------\ne[2] http://h.i[3] | https://l.m\n```\n" +
				"\\[1\\] [a](<http://b.c>)\n\\[2\\] [e](<http://f.g>)\n\\[3\\] http://h.i (<http://j.k>)",
		},
		{"alert", "> [!CAUTION]\n> a\n\nb", "> **🛑 Caution**\n> a\n\nb"},
		{"quote in an item", "1. a\n   > b\n2. c\n\nd", "1. a\n> b\n2. c\n\nd"},
		{"mail link in HTML", "<a href=\"mailto:a@b.c\">write</a>.", "write (a@b.c)."},
		{"link to brackets", "[a](<http://b.c/(d>)", "[a](<http://b.c/%28d>)"},
		{"mail link", "[write](mailto:a@b.c)", "write (a@b.c)"},
		{"deep heading", "#### a **b**", "**a b**"},
		{"heading in a list", "- # a", "- **a**"},
		{"numbers kept", "3. a\n4. b", "3. a\n4. b"},
		{"nested quote", "> a\n> > b", "> a\n> › b"},
		{"number that is text", `1\. a`, `1\. a`},
		{"nothing to show", "<!-- a -->", `\<!-- a -->`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parts := discordfmt.Render(tt.in, true)
			if len(parts) != 1 || parts[0].Text != tt.want {
				t.Errorf("Render(%q) = %q, want %q", tt.in, parts, tt.want)
			}
		})
	}
}

func TestRenderBlank(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", " \n\t\n"} {
		if parts := discordfmt.Render(s, true); parts != nil {
			t.Errorf("Render(%q) = %q, want nothing", s, parts)
		}
	}
	if parts := discordfmt.Render("**", false); len(parts) != 0 {
		t.Errorf("Render of a mark alone = %q, want nothing while more may come", parts)
	}
	if parts := discordfmt.Render("**", true); len(parts) != 1 || parts[0].Plain == "" {
		t.Errorf("Render of a mark alone = %q, want it shown in the end", parts)
	}
}
