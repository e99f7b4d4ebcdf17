package discord

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim"
)

var (
	deepHeading = sim.Regexp(`(?m)^#{4,6}[ \t]+\S`)
	tableRule   = sim.Regexp(`(?m)^ {0,3}\|?[ \t]*:?-{2,}:?[ \t]*(\|[ \t]*:?-{2,}:?[ \t]*)+\|?[ \t]*$`)
	rule        = sim.Regexp(`(?m)^ {0,3}(-{3,}|={3,}|\*{3,}|_{3,})[ \t]*$`)
	htmlTag     = sim.Regexp(`(?i)(^|[^\\])</?(a|b|i|u|s|p|br|hr|em|strong|code|pre|sub|sup|div|span|img|ul|ol|li|h[1-6]|table|thead|tbody|tr|t[dh]|details|summary|blockquote|think)(\s[^<>]*)?/?>`)
)

// Problems tells what a reader of the text would find broken: marks that were meant to format and show as source, such
// as a fence that is not closed, links, images, tables, rules, deep headings and HTML that Discord does not render, and
// invalid UTF-8. A text without them gives nil. Marks that are escaped or stand in code are no problem.
func Problems(text string) []string {
	r := &reader{}
	r.blocks(text, false)
	if !utf8.ValidString(text) {
		r.problem("text is not valid UTF-8")
	}
	bare := withoutCode(text)
	for _, check := range []struct {
		re   *regexp.Regexp
		what string
	}{
		{deepHeading(), "heading deeper than ### shows as source"},
		{tableRule(), "table shows as source"},
		{rule(), "rule shows as source"},
		{htmlTag(), "HTML shows as source"},
	} {
		if check.re.MatchString(bare) {
			r.problem(check.what)
		}
	}
	return r.problems
}

// withoutCode is the source of a text without its fences and inline code.
func withoutCode(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			b.WriteString(text[i : i+2])
			i += 2
		case text[i] == '`':
			if m := findFence(text[i:]); m != nil {
				i += m[1]
				continue
			}
			n := codeSpan(text[i:])
			if n == 0 {
				n = run(text[i:], '`')
				b.WriteString(text[i : i+n])
			}
			i += n
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	return b.String()
}
