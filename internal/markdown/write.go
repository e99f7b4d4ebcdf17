package markdown

// SpanWriter writes spans in one platform's markup.
type SpanWriter interface {
	// Open begins a style, or, with st 0, the link of s.
	Open(st Style, s *Span)
	// Close ends what Open began; s is the span that Open got.
	Close(st Style, s *Span)
	// Text writes the text of s, and the marks of [Mono] if it is code. Pictures are texts with a link of their own,
	// which Open is not called for.
	Text(s *Span)
}

// openMark is a style or a link that is open.
type openMark struct {
	st   Style // 0: a link
	span *Span
}

// Write writes spans to w, with styles that nest. What lasts longest is opened first, and a style that goes on stays
// open. Where monoAlone is true, code and inline math stand outside all styles, and in a link they are text like the rest
// of its words, since the address is worth more than the font.
func Write(w SpanWriter, spans []Span, monoAlone bool) {
	var stack [5]openMark
	depth := 0
	for i := range spans {
		s := &spans[i]
		styles, link := wanted(s, monoAlone)
		keep := 0
		for keep < depth && holds(&stack[keep], styles, link) {
			keep++
		}
		for depth > keep {
			depth--
			w.Close(stack[depth].st, stack[depth].span)
		}
		for {
			next, ok := longest(spans[i:], stack[:depth], styles, link, monoAlone)
			if !ok {
				break
			}
			stack[depth] = openMark{st: next, span: s}
			depth++
			w.Open(next, s)
		}
		w.Text(s)
	}
	for depth > 0 {
		depth--
		w.Close(stack[depth].st, stack[depth].span)
	}
}

func wanted(s *Span, monoAlone bool) (Style, int) {
	if monoAlone && s.Mono() {
		return 0, 0
	}
	if s.Image {
		return s.Style &^ Mono, 0
	}
	return s.Style &^ Mono, s.Link
}

func holds(m *openMark, styles Style, link int) bool {
	if m.st == 0 {
		return link == m.span.Link
	}
	return styles&m.st != 0
}

// longest returns which of the wanted styles that are not open yet goes on longest.
func longest(spans []Span, open []openMark, styles Style, link int, monoAlone bool) (Style, bool) {
	for i := range open {
		if open[i].st == 0 {
			link = 0
		} else {
			styles &^= open[i].st
		}
	}
	if styles == 0 {
		return 0, link != 0
	}
	best, most, found := Style(0), 0, false
	if link != 0 {
		best, most, found = 0, runLength(spans, 0, link, monoAlone), true
	}
	for _, st := range [...]Style{Bold, Italic, Strike} {
		if styles&st == 0 {
			continue
		}
		if n := runLength(spans, st, 0, monoAlone); n > most || n == most && best == 0 {
			best, most, found = st, n, true
		}
	}
	return best, found
}

func runLength(spans []Span, st Style, link int, monoAlone bool) int {
	for i := range spans {
		styles, l := wanted(&spans[i], monoAlone)
		if st != 0 && styles&st == 0 || st == 0 && l != link {
			return i
		}
	}
	return len(spans)
}
