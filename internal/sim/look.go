package sim

// Looker is a stand-in that tells how a message looks, and not only what it says.
type Looker interface {
	Platform
	// Look is a message as the platform's client draws it, from top to bottom. It is read from what the platform was
	// sent, by the stand-in's own parser. The error says what there is no drawing for.
	Look(at Ref) ([]Block, error)
}

// BlockKind is how a block is drawn.
type BlockKind string

// The kinds of blocks.
const (
	LineBlock    BlockKind = "line"    // one line of text, wrapped where it is too long; an empty line has no spans
	HeadingBlock BlockKind = "heading" // in a large font
	QuietBlock   BlockKind = "quiet"   // in a small or grey font
	CodeBlock    BlockKind = "code"    // in a box, in a font of fixed width
	TableBlock   BlockKind = "table"   // with lines between its cells
	RuleBlock    BlockKind = "rule"    // a line across
)

// Block is a piece of a message that takes a line or more of its own.
type Block struct {
	Kind   BlockKind
	Level  int    // of a heading, from 1, the largest
	Quote  int    // how many bars of quotations stand before it
	Indent int    // of a list item, from 0: how many lists it stands in, less one
	Mark   string // of a list item that the client draws itself: "•", "1."; "" for none
	Lang   string // of code, "" for none
	Spans  []Span // of text; of code: one span with all lines
	Rows   [][]Cell
}

// Cell is a cell of a table.
type Cell struct {
	Align string // "left", "center" or "right"
	Spans []Span
}

// Style is a set of ways in which text stands out.
type Style uint8

// The styles.
const (
	Bold Style = 1 << iota
	Italic
	Underline
	Strike
	Mono
	Spoiler
	// Active text does something when it is touched, without being a link to a page: a command, a hashtag.
	Active
	// Ping is a mention that reaches somebody.
	Ping
)

// Span is text in one style.
type Span struct {
	Text  string
	Style Style
	URL   string // where it leads; "" for no link
}

// Text is what the spans say.
func Text(spans []Span) string {
	n := 0
	for _, s := range spans {
		n += len(s.Text)
	}
	b := make([]byte, 0, n)
	for _, s := range spans {
		b = append(b, s.Text...)
	}
	return string(b)
}

// AppendSpan adds a span, joined to the one before it where both look the same. One without text is left out.
func AppendSpan(spans []Span, s Span) []Span {
	if s.Text == "" {
		return spans
	}
	if n := len(spans); n > 0 && spans[n-1].Style == s.Style && spans[n-1].URL == s.URL {
		spans[n-1].Text += s.Text
		return spans
	}
	return append(spans, s)
}
