package markdown_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/clickai/bridge/internal/markdown"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
)

// marked writes units in a form that tests can read: styles as letters around the text, blocks on lines.
func marked(units []markdown.Unit) string {
	var b strings.Builder
	for i := range units {
		u := &units[i]
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.Repeat(">", int(u.Quote)))
		if u.Item.First {
			b.WriteString(strings.Repeat("-", int(u.Item.Depth)))
			switch u.Item.Task {
			case markdown.Done:
				b.WriteString("[x]")
			case markdown.Undone:
				b.WriteString("[ ]")
			case markdown.NoTask:
			}
		}
		switch u.Kind {
		case markdown.Heading:
			b.WriteString(strings.Repeat("#", int(u.Level)))
		case markdown.Code:
			b.WriteString("code:" + u.Lang + ":" + strings.Join(u.Lines, "|"))
		case markdown.Math:
			b.WriteString("math:" + strings.Join(u.Lines, "|"))
		case markdown.Rule:
			b.WriteString("rule")
		case markdown.Table:
			b.WriteString("table:")
			for _, row := range append([][][]markdown.Span{u.Table.Head}, u.Table.Rows...) {
				for _, cell := range row {
					b.WriteString(spans(cell) + "|")
				}
				b.WriteByte('/')
			}
		case markdown.Paragraph:
		}
		b.WriteString(spans(u.Spans))
	}
	return b.String()
}

func spans(list []markdown.Span) string {
	var b strings.Builder
	for _, s := range list {
		names := ""
		for i, name := range []string{"b", "i", "s", "c"} {
			if s.Style&(1<<i) != 0 {
				names += name
			}
		}
		text := s.Text
		if s.Image {
			text = "!" + text
		}
		if s.URL != "" {
			text += "→" + s.URL
		}
		if names != "" || s.URL != "" {
			text = "{" + names + " " + text + "}"
		}
		b.WriteString(text)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, want string }{
		{"styles", "a **b *c*** ~~d~~ `e`", "a {b b }{bi c} {s d} {c e}"},
		{"code keeps its characters", "`a*b_c\\d&amp;`", "{c a*b_c\\d&amp;}"},
		{"escapes", `\*a\* \_b\_ &lt; &#65; &nope;`, "*a* _b_ < A &nope;"},
		{"bold beside Chinese", "**重要。**请 **“引”**后", "{b 重要。}请 {b “引”}后"},
		{"no emphasis inside words", "snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"},
		{"line breaks stay", "a\nb  \nc\\\nd", "a\nb\nc\nd"},
		{"heading levels", "# a\n\n###### b\n\nc\n===", "#a\n######b\n#c"},
		{"list", "- a\n  - b\n- c", "-a\n--b\n-c"},
		{"tasks", "- [ ] a\n- [x] b\n- [y] c", "-[ ]a\n-[x]b\n-[y] c"},
		{"quote", "> a\n> > b", ">a\n>>b"},
		{"fence", "```go x\na\n\nb\n```", "code:go:a||b"},
		{"fence that is not closed", "```\na", "code::a"},
		{"table", "|a|b|\n|-|-|\n|1|`x\\|y`|", "table:a|b|/1|{c x|y}|/"},
		{"link", "[a **b**](http://c.d/e?f=1&amp;g=2)", "{ a →http://c.d/e?f=1&g=2}{b b→http://c.d/e?f=1&g=2}"},
		{"link by reference", "[a][b]\n\n[b]: http://c.d", "{ a→http://c.d}"},
		{"bare links", "see http://a.b/c_d_e. (https://f.g/h_(i)) www.j.k", "see { http://a.b/c_d_e→http://a.b/c_d_e}. " +
			"({ https://f.g/h_(i)→https://f.g/h_(i)}) { www.j.k→https://www.j.k}"},
		{"bare link in Chinese", "见https://a.b/c。好", "见https://a.b/c。好"},
		{
			"bad schemes are text", "[a](javascript:x) [b](data:y) [c](file:///z) [d](tg://user?id=1)",
			"a (javascript:x) b (data:y) c (file:///z) d (tg://user?id=1)",
		},
		{"picture", "![a](http://b.c/d.png) ![](http://e.f/g)", "{ !a→http://b.c/d.png} { !image→http://e.f/g}"},
		{"picture in a link", "[![a](http://b.c)](http://d.e)", "{ !a→http://d.e}"},
		{"HTML", "<b>a</b><br>b <kbd>c</kbd> <span>d</span> <a href='http://e.f'>g</a> <!-- h -->", "{b a}\nb {c c} d { g→http://e.f} "},
		{"not HTML", "Map<String, T> a<b and c>d <your name>", "Map<String, T> a<b and c>d <your name>"},
		{"math", "$a_b$ \\(c\\) $5 or $6 \\[d_1 + e\\]", "{c a_b} {c c} $5 or $6 {c d_1 + e}"},
		{"math block", "$$\na\n$$\n\n\\[ b^2 \\]\n\n\\[\nc\n\\]", "math:a\nmath: b^2 \nmath:c"},
		{"escaped brackets", "\\[1\\] and \\[sic\\], \\[your_name\\]\n\n\\[RFC 9110\\]", "[1] and [sic], [your_name]\n[RFC 9110]"},
		{
			"escaped brackets in a label", "[\\[RFC 9110\\]](http://a.b) [\\[x=1\\]](http://a.b)",
			"{ [RFC 9110]→http://a.b} { [x=1]→http://a.b}",
		},
		{"footnote", "a[^1]\n\n[^1]: note", "a[1]\n[1] note"},
		{
			"footnotes are numbered", "a[^x] b[^Y] c[^x]\n\n|d[^z]|\n|-|\n\n[^y]: two\n[^x]: one\n[^w]:",
			"a[1] b[2] c[1]\ntable:d[3]|/\n[2] two\n[1] one\n[4]",
		},
		{"class of characters", "[^a-z] [^0-9]+ [^\\s] [^,]", "[^a-z] [^0-9]+ [^\\s] [^,]"},
		{"alert", "> [!NOTE]\n> a\n>\n> b\n\n> [!tip] \n> c", ">{b ℹ️ Note}\n>a\n>b\n>{b 💡 Tip}\n>c"},
		{"no alert", "> [!NOTES]\n\n> a\n> [!NOTE]\n\n[!NOTE]\n\n> [!NOTE] b", ">[!NOTES]\n>a\n[!NOTE]\n[!NOTE]\n>[!NOTE] b"},
		{
			"HTML table", "<table><tr><th>a</th><th><b>b</b></th></tr>\n<tr><td>c</td><td>d\ne</td></tr></table>",
			"table:{b a}|{b b}|/c|d e|/",
		},
		{
			"HTML table without a head", "<table><caption>t</caption>\n<tr><td>a<td><a href='http://b.c'>d</a>\n<tr><th>e<td>f<td>g</table> h",
			"t\ntable:/a|{ d→http://b.c}|/{b e}|f · g|/\nh",
		},
		{
			"HTML table in two", "<table>\n<tr><td colspan=2>a</td></tr>\n\n<tr><td>b</td><td>c</td></tr>\n</table>",
			"table:/a||/\ntable:/b|c|/",
		},
		{"table in a table", "<table><tr><td>a<table><tr><td>b</td></tr></table></td></tr></table>", "table:/a|/\ntable:/b|/"},
		{"table in a block", "<div><table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table></div>", "a | b\nc"},
		{
			"lines of HTML", "<details><summary>a</summary>b<ul><li>c</li><li>d</li></ul><p>e</p>\n<h2>f</h2>\ng</details>",
			"{b a}\nb\n• c\n• d\ne\n{b f}\ng",
		},
		{"about and to", "~5 to 20~30, ~old~", "~5 to 20~30, {s old}"},
		{"rule", "a\n\n---\n\nb", "a\nrule\nb"},
		{"control characters", "a\x00b\r\nc\x1bd\xff", "ab\ncd\uFFFD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := marked(markdown.Parse(tt.src, markdown.Options{Final: true}))
			if strings.TrimRight(got, " ") != strings.TrimRight(tt.want, " ") {
				t.Errorf("Parse(%q)\n got %q\nwant %q", tt.src, got, tt.want)
			}
		})
	}
}

func TestParseRunning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, want string }{
		{"bold opens", "a **", "a"},
		{"bold grows", "a **b", "a {b b}"},
		{"bold half closed", "a **b*", "a {b b}"},
		{"bold with a space at the end", "a **b ", "a {b b}"},
		{"nested", "**a *b", "{b a }{bi b}"},
		{"strike", "~~a", "{s a}"},
		{"code", "`a*b", "{c a*b}"},
		{"code half closed", "``a`", "{c a}"},
		{"link label", "see [the do", "see"},
		{"link label ends", "see [the docs]", "see"},
		{"brackets", "a[0] + b[1", "a[0] + b"},
		{"long brackets", "[" + strings.Repeat("a", 250), "[" + strings.Repeat("a", 250)},
		{"link target", "see [the docs](http://a.b/c", "see the docs"},
		{"link whole", "see [the docs](http://a.b/c)", "see { the docs→http://a.b/c}"},
		{"picture", "a ![b](http://c", "a"},
		{"bold in a label", "[**a", ""},
		{"bold in a link", "[**a** b](http", "{b a} b"},
		{"address with a star", "**see https://a.b/c*d", "{b see }{b https://a.b/c*d→https://a.b/c*d}"},
		{"tag", "a <b", "a"},
		{"mail address", "a <b.c@d", "a"},
		{"picture in a link", "[![a](http://b.c)](http://d", "{ !a→http://b.c}"},
		{"unknown tag", "if a<x then", "if a<x then"},
		{"dollars", "so $x + y", "so"},
		{"price", "costs $5 for each of the months", "costs $5 for each of the months"},
		{"price range", "costs $5-$1", "costs $5-"},
		{"product", "2*3", "2"},
		{"about", "takes ~5 minutes", "takes ~5 minutes"},
		{"less than", "a < b", "a < b"},
		{"entity", "a &am", "a"},
		{"backslash", "a \\", "a"},
		{"heading mark", "a\n\n##", "a"},
		{"heading", "a\n\n## b **c", "a\n##b {b c}"},
		{"list mark", "- a\n-", "-a"},
		{"list mark with space", "- a\n- ", "-a"},
		{"number", "1. a\n2", "-a"},
		{"task", "- [ ] a\n- [x", "-[ ]a"},
		{"fence opens", "a\n\n``", "a"},
		{"fence language", "a\n\n```py", "a"},
		{"fence content", "```py\na", "code:py:a"},
		{"fence half closed", "```py\na\n``", "code:py:a"},
		{"table head", "a\n\n| b | c |\n", "a"},
		{"table delimiter", "a\n\n| b | c |\n|--", "a"},
		{"table", "| b | c |\n|---|---|\n", "table:b|c|/"},
		{"table row", "| b | c |\n|---|---|\n| 1 | 2 |\n| 3", "table:b|c|/1|2|/"},
		{"setext", "a\n--", "a"},
		{"quote mark", "> a\n>", ">a"},
		{"math", "a \\(b", "a {c b}"},
		{"math block", "$$\na", "math:a"},
		{"math block closes", "$$\na $", "math:a "},
		{"math on one line", "$$a$$", ""},
		{"footnote", "a[^1", "a"},
		{"escaped bracket", "a \\[RFC 91", "a"},
		{"escaped bracket closes", "a \\[RFC 9110\\", "a"},
		{"escaped brackets", "a \\[RFC 9110\\]", "a [RFC 9110]"},
		{"long escaped bracket", "a \\[" + strings.Repeat("b", 90), "a [" + strings.Repeat("b", 90)},
		{"TeX in brackets", "a \\[b = c", "a {c b = c}"},
		{"alert mark", "> [!NO", ""},
		{"alert mark ends", "> [!NOTE]", ""},
		{"alert", "> [!NOTE]\n", ">{b ℹ️ Note}"},
		{"HTML row", "<table><tr><td>a</td></tr><tr><td>b</td>", "table:/a|/"},
		{"HTML table begins", "<table><caption>t</caption>\n<tr><td>a", ""},
		{"half a character", "a \xe4\xb8", "a"},
		{"closed paragraph", "a **b\n\n", "a **b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := marked(markdown.Parse(tt.src, markdown.Options{})); got != tt.want {
				t.Errorf("Parse(%q)\n got %q\nwant %q", tt.src, got, tt.want)
			}
		})
	}
}

// textMoves are documents in which text that was shown comes to stand elsewhere, and why.
var textMoves = map[string]string{
	"links-reference":     "the link's definition comes last",
	"table-no-pipes":      "the head looks like a paragraph",
	"table-wide":          "cells are wrapped anew",
	"unclosed-everything": "what never closes is text in the end",
	"stray-marks":         "what never closes is text in the end",
	"special-characters":  "what never closes is text in the end",
}

// TestTextStays checks that text once shown stays: what is shown of a longer source begins with what was shown before.
func TestTextStays(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		if textMoves[c.Name] != "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			before := ""
			for _, cut := range append(markdowntest.Cuts(len(c.Source), 250), len(c.Source)) {
				now := markdowntest.Letters(text(markdown.Parse(c.Source[:cut], markdown.Options{Chunk: 1000})))
				if !strings.HasPrefix(now, before) {
					t.Fatalf("after %q:\n was %q\n now %q", tail(c.Source[:cut]), tail(before), tail(now))
				}
				before = now
			}
		})
	}
}

func tail(s string) string { return s[max(0, len(s)-80):] }

// text is the text of units, cell by cell.
func text(units []markdown.Unit) string {
	var b strings.Builder
	for i := range units {
		u := &units[i]
		b.WriteString(markdown.PlainSpans(u.Spans) + strings.Join(u.Lines, "\n"))
		if u.Table != nil {
			for _, row := range append([][][]markdown.Span{u.Table.Head}, u.Table.Rows...) {
				for _, cell := range row {
					b.WriteString(markdown.PlainSpans(cell))
				}
			}
		}
	}
	return b.String()
}

func TestParseIsConcurrent(t *testing.T) {
	t.Parallel()
	src := markdowntest.Answer4KB()
	want := marked(markdown.Parse(src, markdown.Options{Final: true}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got := marked(markdown.Parse(src, markdown.Options{Final: true})); got != want {
					t.Error("another result")
				}
			}
		})
	}
	wg.Wait()
}

func TestDeepNestingIsBounded(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"quotes":   strings.Repeat("> ", 5000) + "a",
		"lists":    strings.Repeat("- ", 5000) + "a",
		"emphasis": strings.Repeat("*a ", 5000) + strings.Repeat("*", 5000),
		"brackets": strings.Repeat("[", 5000) + "a" + strings.Repeat("](http://b.c)", 5000),
		"tags":     strings.Repeat("<b>", 5000) + "a",
	} {
		for _, u := range markdown.Parse(src, markdown.Options{Final: true, Chunk: 1000}) {
			if u.Quote > markdown.MaxDepth || u.Item.Depth > markdown.MaxDepth || u.Item.Indent > 100 {
				t.Errorf("%s: a unit at quote %d, item %+v", name, u.Quote, u.Item)
			}
		}
	}
}

func TestSafeURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"https", "https://a.b/c", "https://a.b/c"},
		{"upper case", "HTTP://a.b", "HTTP://a.b"},
		{"port", "http://localhost:8080/x", "http://localhost:8080/x"},
		{"mail", "mailto:a@b.c", "mailto:a@b.c"},
		{"phone", "tel:+123", "tel:+123"},
		{"www", "www.a.b", "https://www.a.b"},
		{"space", "https://a.b/c d", "https://a.b/c%20d"},
		{"script", "javascript:alert(1)", ""},
		{"script in capitals", " JaVaScRiPt:alert(1)", ""},
		{"script with a tab", "java\tscript:alert(1)", ""},
		{"data", "data:text/html,x", ""},
		{"file", "file:///etc/passwd", ""},
		{"telegram", "tg://user?id=1", ""},
		{"relative", "/a/b", ""},
		{"anchor", "#a", ""},
		{"no host", "https:///a", ""},
		{"host of odd characters", "https://a<b/", ""},
		{"user", "https://u:p@a.b/", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := markdown.SafeURL(tt.in); got != tt.want {
				t.Errorf("SafeURL(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestWidth(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{"abc": 3, "中文": 4, "한글": 4, "é": 1, "👨‍👩‍👧‍👦": 2, "👍🏽": 2, "ｱ": 1, "": 0, "ไทย": 3, "Việt": 4} {
		if got := markdown.Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
}
