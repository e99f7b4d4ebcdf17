package discordfmt

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/clickai/bridge/internal/markdown"
)

// zeroWidth is a zero-width space (U+200B): it takes no room and Discord does not take it out.
const zeroWidth = "\u200b"

// special are the characters that may begin markup anywhere; bit c is set.
var special = func() (set [128]bool) {
	for _, c := range "\\*_~`|<>[]:@" {
		set[c] = true
	}
	return set
}()

// Escape makes s literal: nothing in it is markup or a mention.
func Escape(s string) string {
	w := writer{buf: make([]byte, 0, len(s)+16), start: true}
	w.escapedLines(s)
	return string(w.buf)
}

// Plain is s with mentions taken apart, for text that is sent as it is.
func Plain(s string) string { return defuse(s) }

// escaped writes literal text of the current block.
func (w *writer) escaped(s string) {
	for {
		line, rest, found := strings.Cut(s, "\n")
		w.escapedLine(line)
		if !found {
			return
		}
		if w.unit.Kind == markdown.Heading {
			w.buf = append(w.buf, ' ')
		} else {
			w.newline()
		}
		s = rest
	}
}

func (w *writer) escapedLines(s string) {
	for {
		line, rest, found := strings.Cut(s, "\n")
		w.start = true
		w.escapedLine(line)
		if !found {
			return
		}
		w.buf = append(w.buf, '\n')
		s = rest
	}
}

func (w *writer) escapedLine(s string) {
	if w.start && s != "" {
		w.start = false
		n := lineMark(s)
		if n > 0 {
			w.buf = append(w.buf, s[:n-1]...)
			w.buf = append(w.buf, '\\', s[n-1])
			s = s[n:]
		}
	}
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x80 || !special[c] {
			continue
		}
		escape, split := true, false
		switch c {
		case '@':
			escape, split = false, mentions(s[i:])
		case '<':
			split = reference(s[i+1:])
		case ':':
			escape = emojiName(s[i+1:])
		case '>':
			escape = false
		}
		if !escape && !split {
			continue
		}
		w.buf = append(w.buf, s[from:i]...)
		if escape {
			w.buf = append(w.buf, '\\')
		}
		w.buf = append(w.buf, c)
		if split {
			w.buf = append(w.buf, zeroWidth...)
		}
		from = i + 1
	}
	w.buf = append(w.buf, s[from:]...)
}

// lineMark returns the length of what at the start of a line would make it a heading, a quote or a list; 0 if nothing.
// Its last character is the one to escape.
func lineMark(s string) int {
	switch s[0] {
	case '#', '-', '+', '>':
		return 1
	}
	n := 0
	for n < len(s) && n < 10 && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n > 0 && n < len(s) && (s[n] == '.' || s[n] == ')') {
		return n + 1
	}
	return 0
}

// mentions reports whether s begins with what pings everybody.
func mentions(s string) bool {
	return strings.HasPrefix(s, "@everyone") || strings.HasPrefix(s, "@here")
}

// reference reports whether s, behind a <, begins as Discord's references to people, places, commands, emoji and times do
// (https://discord.com/developers/docs/reference#message-formatting). A backslash does not keep all of them from being
// resolved.
func reference(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '@', '#', ':', '/', '&':
		return true
	}
	return strings.HasPrefix(s, "a:") || strings.HasPrefix(s, "t:") || strings.HasPrefix(s, "id:")
}

// emojiName reports whether s begins with the rest of an emoji's name such as ":smile:".
func emojiName(s string) bool {
	for i := 0; i < len(s) && i < 64; i++ {
		switch c := s[i]; {
		case c == ':':
			return i > 0
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '+', c == '-', c == '~':
		default:
			return false
		}
	}
	return false
}

// defuse takes mentions apart.
func defuse(s string) string {
	if strings.IndexByte(s, '@') < 0 && strings.IndexByte(s, '<') < 0 {
		return s
	}
	var b strings.Builder
	from := 0
	for i := range len(s) {
		if s[i] == '@' && mentions(s[i:]) || s[i] == '<' && reference(s[i+1:]) {
			b.WriteString(s[from : i+1])
			b.WriteString(zeroWidth)
			from = i + 1
		}
	}
	b.WriteString(s[from:])
	return b.String()
}

// utf16Len is the length of s in UTF-16 units.
func utf16Len[T string | []byte](s T) int {
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
	for end > 0 && !utf8.RuneStart(s[min(end, len(s)-1)]) {
		end--
	}
	return s[:end]
}
