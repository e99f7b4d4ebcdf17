package telegramfmt

import (
	"strings"

	"github.com/rivo/uniseg"

	"github.com/clickai/bridge/internal/markdown"
)

// joiner is a word joiner (U+2060). It shows nothing, takes no room, allows no line break, and Telegram keeps it.
const joiner = "\u2060"

// Escape makes s literal in HTML: nothing in it is markup or a mention.
func Escape(s string) string {
	return string(appendEscaped(make([]byte, 0, len(s)+16), Plain(s), false))
}

// Plain is s with mentions taken apart, for text that is sent without a parse mode.
func Plain(s string) string {
	at := strings.IndexByte(s, '@')
	if at < 0 {
		return s
	}
	var b strings.Builder
	from := 0
	for i := at; i < len(s); i++ {
		if s[i] == '@' && i+1 < len(s) && isWord(s[i+1]) && (i == 0 || !isWord(s[i-1])) {
			b.WriteString(s[from : i+1])
			b.WriteString(joiner)
			from = i + 1
		}
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// plain is what a text without markup becomes.
func plain(s string) string { return Plain(spread(s)) }

// tabWidth is how many blanks stand for a tab at most: the columns from one tab stop to the next.
const tabWidth = 4

// spread puts blanks in the place of tabs, up to the next tab stop. Telegram makes one blank of a tab, and so code would
// lose its indentation
// (https://github.com/tdlib/td/blob/master/td/telegram/misc.cpp, clean_input_string).
func spread(s string) string {
	if strings.IndexByte(s, '\t') < 0 {
		return s
	}
	var b strings.Builder
	column := 0
	for len(s) > 0 {
		i := strings.IndexAny(s, "\t\n")
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		column += markdown.Width(s[:i])
		if s[i] == '\n' {
			b.WriteByte('\n')
			column = 0
		} else {
			n := tabWidth - column%tabWidth
			b.WriteString("    "[:n])
			column += n
		}
		s = s[i+1:]
	}
	b.WriteString(s)
	return b.String()
}

// isWord reports the characters of which user names are made. A mention does not begin behind one: name@host is an
// address of mail.
func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func appendEscaped(b []byte, s string, attr bool) []byte {
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
		case '"':
			if !attr {
				continue
			}
			ref = "&quot;"
		default:
			continue
		}
		b = append(b, s[from:i]...)
		b = append(b, ref...)
		from = i + 1
	}
	return append(b, s[from:]...)
}

// utf16Len is the length of s in UTF-16 units.
func utf16Len(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 0xf0:
			n += 2
		case c < 0x80 || c >= 0xc0:
			n++
		}
	}
	return n
}

// cut shortens s to at most n UTF-16 units, between two characters as people see them.
func cut(s string, n int) string {
	if utf16Len(s) <= n {
		return s
	}
	units, end := 0, 0
	for rest, state := s, -1; rest != ""; {
		cluster, tail, _, next := uniseg.FirstGraphemeClusterInString(rest, state)
		if units += utf16Len(cluster); units > n {
			break
		}
		end += len(cluster)
		rest, state = tail, next
	}
	return s[:end]
}
