package markdown

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// bareLinkParser reads addresses that stand in the text as they are: http://, https:// and www. It follows GFM's extended
// autolinks (https://github.github.com/gfm/#autolinks-extension-). goldmark's own linkify does the same by regular
// expressions at every space, which costs more than all the rest of the parse.
type bareLinkParser struct{}

// bareLinkTriggers are the characters behind which an address may begin, besides the start of a line.
const bareLinkTriggers = " *_~(\"':>"

func (bareLinkParser) Trigger() []byte { return []byte(bareLinkTriggers) }

func (bareLinkParser) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	at := 0
	if c := line[0]; c != 'h' && c != 'H' && c != 'w' && c != 'W' {
		at = 1
	} else if before := block.PrecendingCharacter(); before != '\n' && isWord(before) {
		return nil
	}
	if pc.IsInLinkLabel() || len(line) < at+6 {
		return nil
	}
	n := bareLink(line[at:])
	if n == 0 {
		return nil
	}
	if at > 0 {
		ast.MergeOrAppendTextSegment(parent, segment.WithStop(segment.Start+at))
	}
	start := segment.Start + at
	block.Advance(at + n)
	link := ast.NewAutoLink(ast.AutoLinkURL, ast.NewTextSegment(text.NewSegment(start, start+n)))
	return link
}

func isWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
}

// bareLink returns the length of the address at the start of line; 0 if there is none.
func bareLink[T string | []byte](line T) int {
	host := 0
	switch line[0] | 0x20 {
	case 'h':
		switch {
		case hasFold(line, "https://"):
			host = 8
		case hasFold(line, "http://"):
			host = 7
		default:
			return 0
		}
	case 'w':
		if !hasFold(line, "www.") {
			return 0
		}
	default:
		return 0
	}
	end := host
	for end < len(line) {
		c := line[end]
		if c <= ' ' || c == '<' || c == 0x7f || c == '`' || c == '"' {
			break
		}
		// Full-width punctuation ends an address: it is what follows one in Chinese and Japanese text.
		if c == 0xe3 && end+1 < len(line) && line[end+1] == 0x80 || c == 0xef && end+1 < len(line) && line[end+1] == 0xbc {
			break
		}
		end++
	}
	end = trimBareLink(line[:end])
	if end <= host || !validHost(line[host:end]) {
		return 0
	}
	return end
}

func hasFold[T string | []byte](line T, prefix string) bool {
	return len(line) >= len(prefix) && strings.EqualFold(string(line[:len(prefix)]), prefix)
}

// trimBareLink drops what at the end belongs to the sentence and not to the address.
func trimBareLink[T string | []byte](s T) int {
	for len(s) > 0 {
		switch c := s[len(s)-1]; c {
		case '?', '!', '.', ',', ':', '*', '_', '~', '\'', ';', '|', '\\', '$':
			s = s[:len(s)-1]
		case ')', ']', '}':
			open := byte('(')
			if c != ')' {
				open = c - 2
			}
			if count(s, c) <= count(s, open) {
				return len(s)
			}
			s = s[:len(s)-1]
		default:
			// Emphasis that closes inside: "**https://a.b**。"
			if i := doubleStar(s); i > 0 {
				s = s[:i]
				continue
			}
			return len(s)
		}
	}
	return 0
}

func count[T string | []byte](s T, c byte) int {
	n := 0
	for i := range len(s) {
		if s[i] == c {
			n++
		}
	}
	return n
}

func doubleStar[T string | []byte](s T) int {
	for i := 1; i < len(s); i++ {
		if s[i] == '*' && s[i-1] == '*' {
			return i - 1
		}
	}
	return -1
}

// validHost reports whether s begins with a host that a bare link may have: a name with a dot, or localhost with a port.
func validHost[T string | []byte](s T) bool {
	end := 0
	for end < len(s) && s[end] != '/' && s[end] != '?' && s[end] != '#' {
		end++
	}
	host := s[:end]
	for i := len(host) - 1; i >= 0; i-- {
		if host[i] == ':' {
			host = host[:i]
			break
		}
	}
	if len(host) == 0 || host[0] == '.' || host[0] == '-' {
		return false
	}
	dots := 0
	for i := range len(host) {
		switch c := host[i]; {
		case c == '.':
			dots++
		case c >= 0x80, c == '-', c == '_', isDigit(c), c|0x20 >= 'a' && c|0x20 <= 'z':
		default:
			return false
		}
	}
	return dots > 0 || string(host) == "localhost"
}
