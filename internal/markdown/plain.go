package markdown

import (
	"bytes"
	"strconv"
)

// Literal makes text literal where a platform reads markup or mentions in text without formatting too.
type Literal struct {
	Chars string              // text without any of these ASCII characters is literal as it is
	Write func(string) string // what a text becomes; it looks at nothing beyond a line's end
}

// Plain writes the blocks of a message as text without markup that the platform takes literally. Lists keep their marks,
// tables their columns and links their addresses.
func Plain(units []*Unit, literal Literal) string {
	b := make([]byte, 0, 512)
	for i, u := range units {
		b = appendPlain(b, u, i == 0, literal)
	}
	return string(b)
}

// appendPlain writes one block behind what stands before it.
func appendPlain(b []byte, u *Unit, first bool, literal Literal) []byte {
	switch joined := u.Cont && (u.Kind == Paragraph || u.Kind == Heading); {
	case first:
	case joined && u.Glue == "" && CutsMention(b):
		b = append(b, "\u200b"...)
	case joined:
		b = append(b, u.Glue...)
	default:
		b = append(b, '\n')
		if u.Gap {
			b = append(b, '\n')
		}
	}
	start := len(b)
	b, indent := plainMark(b, u)
	switch u.Kind {
	case Code, Math:
		b = plainLines(b, u.Lines, indent)
	case Table:
		b = plainLines(b, u.Table.Lines(), indent)
	case Rule:
		b = append(b, "──────────"...)
	case Paragraph, Heading:
		for k := range u.Spans {
			s := &u.Spans[k]
			b = append(b, s.Text...)
			if s.URL != "" && !s.Auto && (k+1 == len(u.Spans) || u.Spans[k+1].Link != s.Link) && s.URL != s.Text {
				b = append(b, " ("...)
				b = append(b, s.URL...)
				b = append(b, ')')
			}
		}
	}
	if literal.Chars != "" && bytes.ContainsAny(b[start:], literal.Chars) {
		b = append(b[:start], literal.Write(string(b[start:]))...)
	}
	return b
}

// CutsMention reports whether a mention may have begun at the end of b, so that two pieces of a paragraph must not be
// joined without anything between them.
func CutsMention(b []byte) bool {
	return bytes.ContainsAny(b[max(0, len(b)-len("@everyone")):], "@<")
}

func plainMark(b []byte, u *Unit) ([]byte, int) {
	for range u.Quote {
		b = append(b, "> "...)
	}
	if u.Item.Depth == 0 || u.Cont {
		return b, 0
	}
	if u.QuoteInItem() && !u.Item.First {
		return b, 0
	}
	b = appendSpaces(b, u.Item.Indent)
	if !u.Item.First {
		b = appendSpaces(b, markWidth(u.Item))
		return b, u.Item.Indent + markWidth(u.Item)
	}
	if u.Item.Ordered {
		b = strconv.AppendInt(b, int64(u.Item.Number), 10)
		b = append(b, ". "...)
	} else if u.Item.Task == NoTask {
		b = append(b, "• "...)
	}
	b = append(b, u.Item.Task.Box()...)
	return b, u.Item.Indent + markWidth(u.Item)
}

func plainLines(b []byte, lines []string, indent int) []byte {
	for i, line := range lines {
		if i > 0 {
			b = append(b, '\n')
			b = appendSpaces(b, indent)
		}
		b = append(b, line...)
	}
	return b
}

func appendSpaces(b []byte, n int) []byte {
	for range n {
		b = append(b, ' ')
	}
	return b
}
