package markdown

import (
	"strconv"
	"strings"
)

// Plain writes the blocks of a message as text without markup, and passes the text through literal, which is what the
// platform needs to take text literally. Lists keep their marks, tables their columns and links their addresses.
func Plain(units []*Unit, literal func(string) string) string {
	var b strings.Builder
	n := 64
	for _, u := range units {
		n += u.weight
	}
	b.Grow(n)
	for i, u := range units {
		if i > 0 {
			if u.Cont && (u.Kind == Paragraph || u.Kind == Heading) {
				b.WriteString(u.Glue)
			} else {
				b.WriteByte('\n')
				if u.Gap {
					b.WriteByte('\n')
				}
			}
		}
		indent := plainMark(&b, u)
		switch u.Kind {
		case Code, Math:
			writeLines(&b, u.Lines, indent)
		case Table:
			writeLines(&b, u.Table.Lines(), indent)
		case Rule:
			b.WriteString("──────────")
		case Paragraph, Heading:
			for k := range u.Spans {
				s := &u.Spans[k]
				b.WriteString(s.Text)
				if s.URL != "" && !s.Auto && (k+1 == len(u.Spans) || u.Spans[k+1].Link != s.Link) && s.URL != s.Text {
					b.WriteString(" (" + s.URL + ")")
				}
			}
		}
	}
	return literal(b.String())
}

func plainMark(b *strings.Builder, u *Unit) int {
	for range u.Quote {
		b.WriteString("> ")
	}
	if u.Item.Depth == 0 || u.Cont {
		return 0
	}
	writeSpaces(b, u.Item.Indent)
	if !u.Item.First {
		writeSpaces(b, markWidth(u.Item))
		return u.Item.Indent + markWidth(u.Item)
	}
	if u.Item.Ordered {
		b.WriteString(strconv.Itoa(u.Item.Number))
		b.WriteString(". ")
	} else if u.Item.Task == NoTask {
		b.WriteString("• ")
	}
	switch u.Item.Task {
	case Undone:
		b.WriteString("☐ ")
	case Done:
		b.WriteString("☑ ")
	case NoTask:
	}
	return u.Item.Indent + markWidth(u.Item)
}

func writeLines(b *strings.Builder, lines []string, indent int) {
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
			writeSpaces(b, indent)
		}
		b.WriteString(line)
	}
}

// Placeholder is the text for a whole source that is not blank but shows nothing: the source itself.
func Placeholder(source string) string {
	if s := strings.TrimSpace(clean(source, true)); s != "" {
		return s
	}
	return "…"
}
