package markup_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// stored parses and normalizes, as a send method does, and shows the result as HTML.
func stored(mode, s string) (string, error) {
	t, err := markup.Parse(mode, s)
	if err != nil {
		return "", err
	}
	t, err = markup.Normalize(t, markup.Options{Detect: true})
	if err != nil {
		return "", err
	}
	return markup.HTML(t), nil
}

type parseCase struct{ name, in, want, err string }

func runParse(t *testing.T, mode string, cases []parseCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			got, err := stored(mode, tt.in)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Fatalf("error = %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("unexpected error: %v", err)
			}
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	runParse(t, "HTML", []parseCase{
		{"plain", "hello", "hello", ""},
		{"synonyms", "<strong>a</strong> <em>b</em> <ins>c</ins> <del>d</del> <strike>e</strike>", "<b>a</b> <i>b</i> <u>c</u> <s>d</s> <s>e</s>", ""},
		{"upper case tag", "<B>a</b>", "<b>a</b>", ""},
		{"nested", "<b>a <i>b</i></b>", "<b>a <i>b</i></b>", ""},
		{"spoilers", `<tg-spoiler>a</tg-spoiler> <span class="tg-spoiler">b</span>`, "<tg-spoiler>a</tg-spoiler> <tg-spoiler>b</tg-spoiler>", ""},
		{"span without class", `<span>b</span>`, "", `Tag "span" must have class "tg-spoiler" at byte offset 0`},
		{"references", "a &lt;b&gt; &amp; &quot;c&quot; &#33;&#x41;", "a &lt;b&gt; &amp; &#34;c&#34; !A", ""},
		{"unknown reference stays", "&copy; &nbsp;x", "&amp;copy; &amp;nbsp;x", ""},
		{"link", `<a href="https://Example.com">x</a>`, `<a href="https://example.com/">x</a>`, ""},
		{"link of its text", `<a>example.com</a>`, `<a href="http://example.com/">example.com</a>`, ""},
		{"link of a bad scheme is text", `<a href="javascript:alert(1)">x</a>`, `x`, ""},
		{"mention", `<a href="tg://user?id=42">Minh</a>`, `<a href="tg://user?id=42">Minh</a>`, ""},
		{"pre with language", `<pre><code class="language-go">x := 1</code></pre>`, `<pre><code class="language-go">x := 1</code></pre>`, ""},
		{"language needs pre", `<code class="language-go">x</code>`, `<code>x</code>`, ""},
		{"bold around code is cut out", `<b>a<code>b</code>c</b>`, `<b>a</b><code>b</code><b>c</b>`, ""},
		{"quotes", `<blockquote>a</blockquote><blockquote expandable>b</blockquote>`, "<blockquote>a</blockquote><blockquote expandable>b</blockquote>", ""},
		{"quote in quote is dropped", `<blockquote>a<blockquote>b</blockquote></blockquote>`, "<blockquote>ab</blockquote>", ""},
		{"empty tag is dropped", `a<b></b>b`, "ab", ""},
		{"trimmed", " \n <b> a </b> \n", "<b>a</b>", ""},
		{"short end tag", `<b>a</>`, "<b>a</b>", ""},
		{"unknown tag", "ab<font>x</font>", "", `Unsupported start tag "font" at byte offset 2`},
		{"less than", "1 < 2", "", `Unsupported start tag "" at byte offset 2`},
		{"less than at the end", "1 <", "", "Unclosed start tag at byte offset 2"},
		{"unclosed start", "é<b", "", "Unclosed start tag at byte offset 2"},
		{"no end", "<i><b>a</b>", "", `Can't find end tag corresponding to start tag "i"`},
		{"wrong end", "<b>a</i>", "", `Unmatched end tag at byte offset 4, expected "</b>", found "</i>"`},
		{"end alone", "a</b>", "", "Unexpected end tag at byte offset 1"},
		{"unclosed end", "<b>a</b", "", "Unclosed end tag at byte offset 4"},
		{"unquoted URL", "<a href=https://example.com>x</a>", "", "Unexpected end of name token at byte offset 8"},
		{"line break tag", "a<br/>b", "", `Unsupported start tag "br/" at byte offset 1`},
		{"surrogate", "&#xd800;", "", "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units"},
		{"nothing left", "<b> </b>", "", "text must be non-empty"},
	})
}

func TestMarkdownV2(t *testing.T) {
	t.Parallel()
	runParse(t, "MarkdownV2", []parseCase{
		{"marks", "*b* _i_ __u__ ~s~ ||p|| `c`", "<b>b</b> <i>i</i> <u>u</u> <s>s</s> <tg-spoiler>p</tg-spoiler> <code>c</code>", ""},
		{
			"documented nesting", "*bold _italic bold ~italic bold strikethrough ||italic bold strikethrough spoiler||~ __underline italic bold___ bold*",
			"<b>bold <i>italic bold <s>italic bold strikethrough <tg-spoiler>italic bold strikethrough spoiler</tg-spoiler></s> <u>underline italic bold</u></i> bold</b>", "",
		},
		{"escapes", `1\. a\_b \*c\* \\ \!`, `1. a_b *c* \ !`, ""},
		{"link", `[a b](https://example.com/x\)y)`, `<a href="https://example.com/x)y">a b</a>`, ""},
		{"mention", `[Minh](tg://user?id=42)`, `<a href="tg://user?id=42">Minh</a>`, ""},
		{"fence", "```go\nx\n```\ny", "<pre><code class=\"language-go\">x\n</code></pre>\ny", ""},
		{"fence without language", "```\na*b\n```", "<pre>a*b</pre>", ""},
		{"code keeps marks", "`a*b_c.`", "<code>a*b_c.</code>", ""},
		{"quote", ">a\n>b\nc", "<blockquote>a\nb\n</blockquote>c", ""},
		{"expandable quote", "**>a\n>b||\nc", "<blockquote expandable>a\nb\n</blockquote>c", ""},
		{"two quotes", ">a\n**>b||", "<blockquote>a\n</blockquote><blockquote expandable>b</blockquote>", ""},
		{"emoji", "![👍](tg://emoji?id=5368324170671202286)", `<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>`, ""},
		{"dot", "a.", "", `Character '.' is reserved and must be escaped with the preceding '\'`},
		{"dash", "- item", "", `Character '-' is reserved and must be escaped with the preceding '\'`},
		{"hash", "# head", "", `Character '#' is reserved and must be escaped with the preceding '\'`},
		{"bang", "hi!", "", `Character '!' is reserved and must be escaped with the preceding '\'`},
		{"pipe", "a|b", "", `Character '|' is reserved and must be escaped with the preceding '\'`},
		{"greater inside a line", "a > b", "", `Character '>' is reserved and must be escaped with the preceding '\'`},
		{"open bold", "é *a", "", "Can't find end of Bold entity at byte offset 3"},
		{"open fence", "a\n```go\nx", "", "Can't find end of PreCode entity at byte offset 2"},
		{"open link", "[a](http://x", "", "Can't find end of a URL at byte offset 4"},
		{"crossed", "*a _b* c_", "", "Can't find end of Italic entity at byte offset 8"},
		{"bold over the end of a quote", ">*a\nb*", "", "Can't find end of Bold entity at byte offset 1"},
		{"picture without URL", "![a]", "", "Custom emoji entity must contain a tg://emoji URL"},
	})
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	runParse(t, "Markdown", []parseCase{
		{"marks", "*b* _i_ `c` [x](https://example.com)", `<b>b</b> <i>i</i> <code>c</code> <a href="https://example.com/">x</a>`, ""},
		{"no nesting", "*a _b*", "<b>a _b</b>", ""},
		{"escape", `a\_b \* .`, "a_b * .", ""},
		{"other characters are free", "a-b. c! #d", "a-b. c! #d", ""},
		{"fence", "```py\nx\n```", "<pre><code class=\"language-py\">x</code></pre>", ""},
		{"open", "ab _c", "", "Can't find end of the entity starting at byte offset 3"},
		{"snake case", "snake_case", "", "Can't find end of the entity starting at byte offset 5"},
	})
}

func TestParseModes(t *testing.T) {
	t.Parallel()
	if _, err := markup.Parse("BBCode", "x"); !errors.Is(err, markup.ErrMode) {
		t.Errorf("unknown mode: %v", err)
	}
	if got, err := markup.Parse("", "*x* <b>"); err != nil || got.Text != "*x* <b>" || len(got.Entities) != 0 {
		t.Errorf("no mode: %+v, %v", got, err)
	}
	if _, err := markup.Parse("html", "\xff"); err == nil {
		t.Error("bytes that are no UTF-8 are taken")
	}
}

func TestNormalizeEntities(t *testing.T) {
	t.Parallel()
	e := func(kind string, offset, length int) markup.Entity {
		return markup.Entity{Type: kind, Offset: offset, Length: length}
	}
	for _, tt := range []struct {
		name, text string
		in         []markup.Entity
		want       []markup.Entity
		wantText   string
		err        string
	}{
		{name: "surrogate pairs count two", text: "👍 ok", in: []markup.Entity{e("bold", 3, 2)}, want: []markup.Entity{e("bold", 3, 2)}},
		{
			name: "styles that cross are split", text: "abcdefgh",
			in:   []markup.Entity{e("bold", 0, 5), e("italic", 3, 5)},
			want: []markup.Entity{e("bold", 0, 3), e("italic", 3, 5), e("bold", 3, 2)},
		},
		{
			name: "a link crossed by bold", text: "abcdefgh",
			in:   []markup.Entity{{Type: "text_link", Offset: 2, Length: 4, URL: "http://a.b/"}, e("bold", 4, 4)},
			want: []markup.Entity{{Type: "text_link", Offset: 2, Length: 4, URL: "http://a.b/"}, e("bold", 4, 2), e("bold", 6, 2)},
		},
		{
			name: "a second fixed entity is dropped", text: "abcdefgh",
			in:   []markup.Entity{e("code", 0, 4), {Type: "text_link", Offset: 2, Length: 4, URL: "http://a.b/"}},
			want: []markup.Entity{e("code", 0, 4)},
		},
		{name: "touching styles join", text: "abcd", in: []markup.Entity{e("bold", 0, 2), e("bold", 2, 2)}, want: []markup.Entity{e("bold", 0, 4)}},
		{name: "code across a quote is dropped", text: "abcdefgh", in: []markup.Entity{e("blockquote", 0, 4), e("code", 2, 4)}, want: []markup.Entity{e("blockquote", 0, 4)}},
		{name: "code in a quote stays", text: "abcdefgh", in: []markup.Entity{e("blockquote", 0, 4), e("code", 2, 2)}, want: []markup.Entity{e("blockquote", 0, 4), e("code", 2, 2)}},
		{name: "white space is trimmed with its entities", text: "  a b  ", in: []markup.Entity{e("bold", 1, 5)}, want: []markup.Entity{e("bold", 0, 3)}, wantText: "a b"},
		{name: "carriage returns go", text: "a\r\nb", in: []markup.Entity{e("bold", 3, 1)}, want: []markup.Entity{e("bold", 2, 1)}, wantText: "a\nb"},
		{name: "tabs become spaces", text: "a\tb", wantText: "a b"},
		{name: "empty entity", text: "abc", in: []markup.Entity{e("bold", 1, 0)}},
		{name: "past the end", text: "abc", in: []markup.Entity{e("bold", 1, 3)}, err: "entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 4"},
		{name: "begins past the end", text: "abc", in: []markup.Entity{e("bold", 5, 3)}, err: "entity begins after the end of the text at UTF-16 offset 5"},
		{name: "inside a pair", text: "👍👍", in: []markup.Entity{e("bold", 1, 2)}, err: "entity begins in a middle of a UTF-16 symbol at byte offset 3"},
		{name: "negative", text: "abc", in: []markup.Entity{e("bold", -1, 2)}, err: "receive an entity with incorrect offset -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := markup.Normalize(markup.Text{Text: tt.text, Entities: tt.in}, markup.Options{})
			if tt.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSuffix(tt.err, "3")) {
					t.Fatalf("error = %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := tt.wantText; want != "" && got.Text != want {
				t.Errorf("text = %q, want %q", got.Text, want)
			}
			if diff := cmp.Diff(append([]markup.Entity{}, tt.want...), append([]markup.Entity{}, got.Entities...)); diff != "" {
				t.Errorf("entities (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEntityCap(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("a b ", 150)
	var es []markup.Entity
	for i := range 150 {
		es = append(es, markup.Entity{Type: "bold", Offset: 4 * i, Length: 1})
	}
	got, err := markup.Normalize(markup.Text{Text: text, Entities: es}, markup.Options{})
	if err != nil || len(got.Entities) != markup.MaxEntities {
		t.Errorf("%d entities kept, %v", len(got.Entities), err)
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"mention", "hi @minh_tran!", "mention:@minh_tran"},
		{"mention after an emoji", "👍 @minh_tran", "mention:@minh_tran"},
		{"two mentions", "@anna_berg @tom_reed", "mention:@anna_berg mention:@tom_reed"},
		{"short name is none", "a @all b", ""},
		{"mail address", "write to a.b@example.com.", "email:a.b@example.com"},
		{"command", "/new", "bot_command:/new"},
		{"command to a bot", "please /new@acme_support_bot now", "bot_command:/new@acme_support_bot"},
		{"path is no command", "see a/b and /usr/bin", ""},
		{"link", "see https://example.com/a_(b), ok", "url:https://example.com/a_(b)"},
		{"bare domain", "on example.com/x today", "url:example.com/x"},
		{"file name is no domain", "open main.go now", ""},
		{"hashtag", "#release2 and #123", "hashtag:#release2"},
		{"mention inside code", "`@minh_tran`", "code:@minh_tran"},
		{"localhost is no link", "http://localhost:8080/x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parsed, err := markup.Parse("Markdown", strings.NewReplacer("_", `\_`).Replace(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(tt.in, "`") {
				parsed = markup.Text{Text: "@minh_tran", Entities: []markup.Entity{{Type: markup.Code, Length: 10}}}
			}
			got, err := markup.Normalize(parsed, markup.Options{Detect: true})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range got.Entities {
				names = append(names, e.Type+":"+markup.Slice(got.Text, e))
			}
			if s := strings.Join(names, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}
