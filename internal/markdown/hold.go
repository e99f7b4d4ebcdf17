package markdown

import "strings"

// holdBack cuts from running text the part of the last line whose kind of block the next characters decide, marks of quotes
// and items that have no text yet among them. What it cuts
// was never shown: each rule looks at how the line begins and holds from its first character on.
func holdBack(src string) string {
	at := strings.LastIndexByte(src, '\n') + 1
	line := src[at:]
	if undecidedRow(src, at) {
		return src[:strings.LastIndexByte(src[:at-1], '\n')+1]
	}
	rest, item := afterMarks(line)
	if rest == "" && strings.TrimLeft(line, " \t") != "" || undecided(rest, item) {
		return src[:at]
	}
	return src
}

// undecidedRow reports whether the line before the last could become the head of a table by what follows.
func undecidedRow(src string, at int) bool {
	if at == 0 || strings.Trim(src[at:], " \t>|:-") != "" {
		return false
	}
	before := src[strings.LastIndexByte(src[:at-1], '\n')+1 : at-1]
	rest, _ := afterMarks(before)
	return strings.HasPrefix(rest, "|") && strings.Trim(rest, " \t|:-") != ""
}

// afterMarks returns what follows the marks of quotes and list items at the start of a line, and whether the last of them
// was an item's.
func afterMarks(line string) (rest string, item bool) {
	for {
		line = strings.TrimLeft(line, " \t")
		n := 0
		switch {
		case line == "":
			return line, item
		case line[0] == '>':
			line, item = line[1:], false
			continue
		case line[0] == '-' || line[0] == '*' || line[0] == '+':
			n = 1
		default:
			for n < len(line) && n < 10 && isDigit(line[n]) {
				n++
			}
			if n == 0 || n == len(line) || line[n] != '.' && line[n] != ')' {
				return line, item
			}
			n++
		}
		if n < len(line) && line[n] != ' ' && line[n] != '\t' {
			return line, item
		}
		line, item = line[n:], true
	}
}

// undecided reports whether the rest of a line, which has no end yet, may still become something else than it looks.
func undecided(s string, item bool) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '-', '*', '+', '_', '=', '~', '#', '|', ':', '`', '$', '\\':
		if strings.Trim(s, "-*+_=~#|:`$\\ \t") == "" {
			return true
		}
		switch {
		case s[0] == '|':
			return true // a row of a table, or what may become one
		case strings.HasPrefix(s, "$$"), strings.HasPrefix(s, `\[`):
			return true // a block of TeX, unless text follows on the line
		case strings.HasPrefix(s, "```"):
			return strings.IndexByte(strings.TrimLeft(s, "`"), '`') < 0
		case strings.HasPrefix(s, "~~~"):
			return true
		}
	case '<':
		return undecidedTag(s)
	case '[':
		return undecidedBracket(s, item)
	default:
		if isDigit(s[0]) {
			rest := strings.TrimLeft(s, "0123456789")
			return len(s)-len(rest) < 10 && (rest == "" || rest == "." || rest == ")")
		}
	}
	return false
}

// undecidedTag reports whether a line that begins with '<' may still be a tag alone on its line.
func undecidedTag(s string) bool {
	if len(s) > maxTag {
		return false
	}
	if len(s) > 1 && s[1] != '/' && s[1] != '!' && s[1] != '?' && (s[1]|0x20 < 'a' || s[1]|0x20 > 'z') {
		return false
	}
	end := strings.IndexByte(s, '>')
	return end < 0 || strings.TrimSpace(s[end+1:]) == ""
}

// undecidedBracket reports whether a line that begins with '[' may still be a task's box, a footnote's text, the mark of an
// alert or the definition of a link.
func undecidedBracket(s string, item bool) bool {
	if s == "[" {
		return true
	}
	if item && len(s) <= 3 && strings.HasPrefix("[ ] ", s) || item && strings.HasPrefix("[x] ", strings.ToLower(s)) {
		return true
	}
	if item && boxAt(s) != NoTask && strings.TrimSpace(s[4:]) == "" || item && s == "[ ]" {
		return true
	}
	if n := footnoteLabel([]byte(s)); n > 0 {
		return n == len(s) || s[n] == ':' && strings.TrimSpace(s[n+1:]) == ""
	} else if strings.HasPrefix(s, "[^") && len(s) < maxFootnote && !strings.ContainsAny(s, " ]") {
		return true
	}
	i := strings.IndexByte(s, ']')
	return i > 0 && i+1 < len(s) && s[i+1] == ':' || mayBeAlert(s)
}
