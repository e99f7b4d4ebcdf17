package markup_test

import (
	"testing"
	"unicode/utf16"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// checkStored fails when a text is not in stored form.
func checkStored(t *testing.T, got markup.Text) {
	t.Helper()
	units := utf16.Encode([]rune(got.Text))
	low := func(i int) bool { return i < len(units) && 0xdc00 <= units[i] && units[i] <= 0xdfff }
	for i, e := range got.Entities {
		end := e.Offset + e.Length
		if e.Offset < 0 || e.Length <= 0 || end > len(units) || low(e.Offset) || low(end) {
			t.Fatalf("entity %+v does not fit %q", e, got.Text)
		}
		for _, o := range got.Entities[:i] {
			oEnd := o.Offset + o.Length
			overlap := o.Offset < end && e.Offset < oEnd
			inside := o.Offset <= e.Offset && end <= oEnd
			if overlap && !inside {
				t.Fatalf("entities %+v and %+v cross in %q", o, e, got.Text)
			}
			if overlap && (o.Type == markup.Code || o.Type == markup.Pre) {
				t.Fatalf("entity %+v inside of %+v", e, o)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "*", "a *b _c* d_", "<b>a<i>b</b></i>", "<a href='x", "&#xd800; &lt", ">q\n**>r||", "```go\nx```", "![👍](tg://emoji?id=1)",
		"[a](http://b.c", "@minh_tran /new #tag $USD a@b.co http://x.y/z", "\\", "__a___", "<pre><code class=\"language-go\">x</code></pre>",
		"👍<b>👍</b>\r\n\t", "<blockquote>a<code>b</blockquote>c</code>", "||a||b||", "<b \x00", "a\u202eb",
	} {
		for mode := range 4 {
			f.Add(mode, s)
		}
	}
	modes := []string{"", "HTML", "MarkdownV2", "Markdown"}
	f.Fuzz(func(t *testing.T, mode int, s string) {
		parsed, err := markup.Parse(modes[uint(mode)%4], s)
		if err != nil {
			return
		}
		got, err := markup.Normalize(parsed, markup.Options{Detect: true})
		if err != nil {
			return
		}
		checkStored(t, got)
		if again, err := markup.Parse("HTML", markup.HTML(got)); err != nil {
			t.Fatalf("HTML %q of %q is refused: %v", markup.HTML(got), s, err)
		} else if again.Text != got.Text {
			t.Fatalf("HTML %q reads %q, want %q", markup.HTML(got), again.Text, got.Text)
		}
	})
}

func FuzzNormalize(f *testing.F) {
	f.Add("ab👍cd ef", uint16(0x1234), uint16(0x0921), uint16(0x4321))
	f.Add("  a\r\nb  ", uint16(0x0005), uint16(0x1109), uint16(0xffff))
	kinds := []string{
		markup.Bold, markup.Italic, markup.Underline, markup.Spoiler, markup.Code, markup.Pre, markup.TextLink,
		markup.Blockquote, markup.ExpandableQuote, markup.Strikethrough,
	}
	f.Fuzz(func(t *testing.T, s string, a, b, c uint16) {
		var es []markup.Entity
		for _, v := range []uint16{a, b, c, a ^ b, b ^ c} {
			es = append(es, markup.Entity{
				Type: kinds[int(v>>12)%len(kinds)], Offset: int(v & 31), Length: int(v >> 5 & 31), URL: "http://a.b/",
			})
		}
		got, err := markup.Normalize(markup.Text{Text: s, Entities: es}, markup.Options{Detect: true})
		if err == nil {
			checkStored(t, got)
		}
	})
}
