package markdown

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func corpusSeeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		"**a *b* c**", "| a | b |\n|---|---|\n| 1 | `2` |", "- [ ] x\n- [x] y", "> a\n> > b", "```go\nx\n```", "[a](http://b.c)",
		"<b>x</b> <https://a.b>", "$$\nx\n$$", "[^1]: note", "# h\n\ntext", "a\n===", "1. a\n\n   b\n2. c", "&amp; \\* \\(x\\)",
		"**重要。**请", "https://a.b/c_d*e", "<!-- c -->", "~~x~~ ~y~", "![a](http://b.c/d.png)", "\x00\r\n\xff", "* * *\n- - -",
	} {
		f.Add(s)
	}
}

// FuzzText compares the text of the units with that of goldmark's own tree.
func FuzzText(f *testing.F) {
	corpusSeeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		units := Parse(src, Options{Final: true, Chunk: 200})
		for i := range units {
			for _, s := range units[i].Spans {
				if s.Text == "" || s.URL != "" && SafeURL(s.URL) == "" {
					t.Errorf("Parse(%q): span %+v", src, s)
				}
			}
		}
		// What we read otherwise than goldmark does, on purpose.
		if strings.ContainsAny(src, "<$\\[&~*_`\x00\x7f") || strings.Contains(src, "www.") || strings.Contains(src, "|") {
			return
		}
		want, got := letters(stockText(clean(src, true))), letters(shown(units))
		if want != got {
			t.Errorf("Parse(%q) shows %q, want %q", src, got, want)
		}
	})
}

// FuzzTextMarks does the same with markup, and compares the letters only: whether a mark is one may depend on CJK rules.
func FuzzTextMarks(f *testing.F) {
	corpusSeeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		if strings.ContainsAny(src, "<$\\[]&\x00\x7f") || strings.Contains(src, "www.") || strings.Contains(src, "http") {
			return
		}
		if lateHead(clean(src, true)) {
			return
		}
		want, got := letters(stockText(clean(src, true))), letters(shown(Parse(src, Options{Final: true})))
		if want != got {
			t.Errorf("Parse(%q) shows %q, want %q", src, got, want)
		}
	})
}

// lateHead reports whether a line without a pipe at its start stands over what would make it the head of a table.
func lateHead(src string) bool {
	before := ""
	for line := range strings.Lines(src) {
		rest, _ := afterMarks(line)
		if isDelimiterRow([]byte(rest)) && !strings.HasPrefix(before, "|") {
			return true
		}
		before = rest
	}
	return false
}

// FuzzGrow checks that text which grows never gets less weight to place, which is what keeps sealed messages sealed.
func FuzzGrow(f *testing.F) {
	corpusSeeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 2000 {
			return
		}
		for cut := range len(src) + 1 {
			units := Parse(src[:cut], Options{Chunk: 100})
			open := slices.IndexFunc(units, func(u Unit) bool { return u.Open })
			if open >= 0 && open < len(units)-1 {
				t.Fatalf("Parse(%q): unit %d of %d is open", src[:cut], open, len(units))
			}
		}
	})
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
