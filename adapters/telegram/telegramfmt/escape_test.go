package telegramfmt_test

import (
	"testing"

	"github.com/clickai/bridge/adapters/telegram/telegramfmt"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, html, plain string }{
		{"plain", "a *b* _c_ [d](e)", "a *b* _c_ [d](e)", "a *b* _c_ [d](e)"},
		{"markup", `<b>a</b> & "c"`, `&lt;b&gt;a&lt;/b&gt; &amp; "c"`, `<b>a</b> & "c"`},
		{"mention", "@durov, (@durov)", "@\u2060durov, (@\u2060durov)", "@\u2060durov, (@\u2060durov)"},
		{"mail", "a@b.c", "a@b.c", "a@b.c"},
		{"at alone", "a @ b @", "a @ b @", "a @ b @"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := telegramfmt.Escape(tt.in); got != tt.html {
				t.Errorf("Escape(%q) = %q, want %q", tt.in, got, tt.html)
			}
			if got := telegramfmt.Plain(tt.in); got != tt.plain {
				t.Errorf("Plain(%q) = %q, want %q", tt.in, got, tt.plain)
			}
		})
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"nested styles", "**a *b* c**", "<b>a <i>b</i> c</b>"},
		{"style inside out", "*a **b***", "<i>a <b>b</b></i>"},
		{"overlap by HTML", "<b>a <i>b</b> c</i>", "<b>a <i>b</i></b><i> c</i>"},
		{"code stands alone", "**a `b` c** [`d`](http://e.f)", `<b>a </b><code>b</code><b> c</b> <a href="http://e.f">d</a>`},
		{"code in a link", "[a **b** `@c`](http://d.e)", "<a href=\"http://d.e\">a <b>b</b> @\u2060c</a>"},
		{"heading of code in a link", "# [`a`](http://b.c) `d`", `<b><a href="http://b.c">a</a> </b><code>d</code>`},
		{"tabs in code", "```\n\ta\tb\n    \tc\n```", "<pre>    a   b\n        c</pre>"},
		{
			"links in a table", "|a|b|\n|-|-|\n|[c](http://d.e)|[**f** `g`](http://h.i), j|\n|http://k.l|m|",
			"<pre>a          | b\n-----------+----------\nc[1]       | f g[2], j\nhttp://k.l | m</pre>\n" +
				"[1] <a href=\"http://d.e\">c</a>\n[2] <a href=\"http://h.i\">f g</a>",
		},
		{"alert", "> [!WARNING]\n> a", "<blockquote><b>⚠️ Warning</b>\na</blockquote>"},
		{"quote in an item", "1. a\n   > b\n   > c\n2. d", "1. a\n<blockquote>b\nc</blockquote>\n2. d"},
		{"list in a quote in an item", "- a\n  > - b\n  >   c\n- d", "• a\n<blockquote>◦ b\n\u2002\u2002c</blockquote>\n• d"},
		{"heading with code", "# a `b`", "<b>a </b><code>b</code>"},
		{"language", "```c++ x\na<b\n```", `<pre><code class="language-c++">a&lt;b</code></pre>`},
		{"link", `[a](http://b.c/?d="&e)`, `<a href="http://b.c/?d=&quot;&amp;e">a</a>`},
		{"mail link", "[write](mailto:a@b.c)", "write (a@b.c)"},
		{"mail link over code", "[write `x`](mailto:a@b.c)", "write <code>x</code> (a@b.c)"},
		{"numbered task", "1. [x] a\n2. [ ] b", "1. ☑ a\n2. ☐ b"},
		{"bare link", "http://a.b/@c", "http://a.b/@c"},
		{"quotes", "> a\n>\n> b\n\nc", "<blockquote>a\n\nb</blockquote>\n\nc"},
		{"list", "1. a\n   - b\n2. c", "1. a\n\u2002\u2002\u2002◦ b\n2. c"},
		{"mention over a style", "@*durov*", "@\u2060<i>durov</i>"},
		{"mention", "@durov `@durov`", "@\u2060durov <code>@durov</code>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parts := telegramfmt.Render(tt.in, true)
			if len(parts) != 1 || parts[0].Text != tt.want {
				t.Errorf("Render(%q) = %q, want %q", tt.in, parts, tt.want)
			}
		})
	}
}
