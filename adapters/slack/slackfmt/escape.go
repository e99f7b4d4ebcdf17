package slackfmt

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/clickai/bridge/internal/markdown"
)

// Escape makes s literal in mrkdwn as far as mentions and links go: & < and > are written as references. Characters of
// styles stay; Slack has no escape for them.
func Escape(s string) string {
	if !strings.ContainsAny(s, "&<>") {
		return s
	}
	return string(appendEscaped(make([]byte, 0, len(s)+16), s))
}

func appendEscaped(b []byte, s string) []byte {
	from := 0
	for i := range len(s) {
		ref := ""
		switch s[i] {
		case '&':
			ref = "&amp;"
		case '<':
			ref = "&lt;"
		case '>':
			ref = "&gt;"
		default:
			continue
		}
		b = append(b, s[from:i]...)
		b = append(b, ref...)
		from = i + 1
	}
	return append(b, s[from:]...)
}

// appendString writes s, which is valid UTF-8, as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	b = appendChars(b, s)
	return append(b, '"')
}

// appendChars writes what stands between the quotes of a JSON string.
func appendChars[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		from = i + 1
	}
	return append(b, s[from:]...)
}

// linkable reports whether Slack links to an address.
func linkable(url string) bool {
	return markdown.WebURL(url) || len(url) > 7 && strings.EqualFold(url[:7], "mailto:")
}

// cut shortens escaped text to at most n bytes, between two characters as people see them and not in a reference.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	end := 0
	for rest, state := s, -1; rest != ""; {
		cluster, tail, _, next := uniseg.FirstGraphemeClusterInString(rest, state)
		if end+len(cluster) > n {
			break
		}
		end += len(cluster)
		rest, state = tail, next
	}
	if i := strings.LastIndexByte(s[:end], '&'); i >= 0 && end-i < 5 && strings.IndexByte(s[i:end], ';') < 0 {
		end = i
	}
	return s[:end]
}

// chars is the length of s in characters.
func chars(s string) int { return utf8.RuneCountInString(s) }
