package telegramfmt

import (
	"strings"

	"github.com/rivo/uniseg"
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
