package agent

import (
	"strings"
	"unicode/utf8"
)

// codeScanner tells which places of a growing Markdown text are code, where tags and links are only text. Places are asked
// for in order; each line is read once. The zero value is ready.
type codeScanner struct {
	line  int    // where the line that is not read yet begins
	fence string // what opened the fence around it; "" if there is none
}

// inside tells whether text[at] stands in a fenced block or a code span. What follows at is not looked at: a span that is
// open counts as one.
func (c *codeScanner) inside(text string, at int) bool {
	for at > c.line {
		n := strings.IndexByte(text[c.line:at], '\n')
		if n < 0 {
			break
		}
		c.endLine(text[c.line : c.line+n])
		c.line += n + 1
	}
	if c.fence != "" || at <= c.line {
		return c.fence != ""
	}
	open := 0 // length of the run of backticks that opened a span
	for line := text[c.line:at]; ; {
		i := strings.IndexByte(line, '`')
		if i < 0 {
			return open > 0
		}
		line = line[i:]
		n := len(line) - len(strings.TrimLeft(line, "`"))
		switch open {
		case 0:
			open = n
		case n:
			open = 0
		}
		line = line[n:]
	}
}

// endLine takes a whole line. Fences may stand in quotes and list items.
func (c *codeScanner) endLine(line string) {
	line = strings.TrimSpace(strings.TrimLeft(line, " \t>"))
	if c.fence != "" {
		if strings.HasPrefix(line, c.fence) && strings.Trim(line, c.fence[:1]) == "" {
			c.fence = ""
		}
		return
	}
	line = strings.TrimLeft(line, "-*+0123456789.) \t")
	for _, mark := range []string{"`", "~"} {
		n := len(line) - len(strings.TrimLeft(line, mark))
		if n >= 3 && (mark == "~" || !strings.Contains(line[n:], mark)) {
			c.fence = line[:n]
		}
	}
}

// clip cuts s to at most n bytes at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
