package markdown

// Kind is the kind of a block.
type Kind uint8

// The kinds of blocks. The comment names the fields of [Unit] that hold the content.
const (
	Paragraph Kind = iota // Spans
	Heading               // Spans, Level
	Code                  // Lines, Lang
	Math                  // Lines: TeX without its delimiters
	Table                 // Table
	Rule                  // nothing
)

// Unit is a block, or what [Layout] put of one into a message. Units and what they hold are read only: they share memory
// with the source and with each other.
type Unit struct {
	Kind  Kind
	Level int8 // of a heading, 1 to 6
	Quote int8 // how many quotes it stands in; at most [MaxDepth]

	// Gap reports a blank line between this block and the one before.
	Gap bool
	// Open reports that running text may still change this block.
	Open bool
	// Cont reports that this is not the first piece of its block: a paragraph's next piece, or lines that go on in
	// another message.
	Cont bool
	// Glue joins a paragraph's next piece to the piece before it, if they stand in one message: "", " " or a line break.
	Glue string

	Item Item

	Spans []Span
	Lines []string // without line ends
	Lang  string   // of Code: the first word of the fence's info string; "" if none
	Table *TableData

	weight int  // of Spans, with all that stands around them; see Options.Weights
	prefix int  // columns before each line
	intro  bool // a paragraph that says that something follows
}

// QuoteInItem reports whether the block stands in a quote that stands in the list item, and not the other way round.
func (u *Unit) QuoteInItem() bool { return u.Item.Depth > 0 && u.Quote > u.Item.Quote }

// Item is the list item that a block stands in.
type Item struct {
	Depth   int8 // how many lists the block stands in; 0: none; at most [MaxDepth]
	First   bool // the block is the item's first, which carries its mark
	Ordered bool
	Task    Task
	Number  int  // of an ordered item
	Indent  int  // columns before the mark, as the marks of the outer items need them
	Quote   int8 // how many quotes the list stands in; at most [MaxDepth]
	List    int  // identity of the innermost list
}

// Task is the state of a task list's item.
type Task uint8

// The states of an item's box.
const (
	NoTask Task = iota
	Undone
	Done
)

// Box is the task's box as text, with a space behind it; "" if there is none.
func (t Task) Box() string {
	switch t {
	case Undone:
		return "☐ "
	case Done:
		return "☑ "
	case NoTask:
	}
	return ""
}

// Style is a set of text styles.
type Style uint8

// The styles of a run of text.
const (
	Bold Style = 1 << iota
	Italic
	Strike
	Mono // inline code and inline math; its text is literal
)

// Span is a run of text of one style. A line break is a '\n' in Text.
type Span struct {
	Text  string
	Style Style
	Image bool   // Text is the description of the picture at URL
	Auto  bool   // Text is the address itself, as written in the source
	URL   string // where the text links to; [SafeURL] and Options.Linkable allow it; "" if it links nowhere
	Link  int    // identity of the link, so that two neighbours to one address stay two; 0: none
}

// Mono reports whether the span is code or inline math that stands in no link.
func (s *Span) Mono() bool { return s.Style&Mono != 0 && s.URL == "" }

// TableData is a table. Every row has as many cells as Align.
type TableData struct {
	Align []Align
	Head  [][]Span // nil if the table has none
	Rows  [][][]Span

	refs  [][]ref // what is listed under the table, by row, the head first; nil: nothing
	grid  *Grid   // of the whole table
	first int     // the row of grid that is Rows[0]
	lines []string
}

// Lines is the table as lines of text in aligned columns. [Layout] must have placed it.
func (t *TableData) Lines() []string {
	if t.lines == nil {
		t.lines = t.grid.Lines(t.first, t.first+len(t.Rows))
	}
	return t.lines
}

// Align is how a column is aligned.
type Align uint8

// The alignments of a column.
const (
	AlignNone Align = iota
	AlignLeft
	AlignCenter
	AlignRight
)

// MaxDepth bounds how deep quotes and lists are shown; what is deeper shows at this depth.
const MaxDepth = 8

// Options say how the source is to be read.
type Options struct {
	// Final says that the source is whole.
	Final bool
	// Chunk is the weight at which a paragraph begins to be read in pieces; a piece weighs at most 1.5 times as much.
	// 0 means never.
	Chunk int
	// Weights bound what the source takes in a message.
	Weights *Weights
	// Linkable, if not nil, reports whether the platform links to an address that [SafeURL] allows. The address of a
	// link that it does not link stands behind the link's words.
	Linkable func(url string) bool
}

// Weights are an upper bound of what a byte of the source takes in a rendered message, in the platform's unit of length,
// by the byte's value. The first byte of a character counts for the whole character, the others are 0.
type Weights [256]uint8

// NewWeights returns weights for characters of one, two, three and four bytes, and extra for some of ASCII.
func NewWeights(one, two, three, four uint8, extra map[byte]uint8) *Weights {
	var w Weights
	for i := range w {
		switch {
		case i < 0x80:
			w[i] = one
		case i < 0xc0:
		case i < 0xe0:
			w[i] = two
		case i < 0xf0:
			w[i] = three
		default:
			w[i] = four
		}
	}
	for c, n := range extra {
		w[c] = n
	}
	return &w
}

// Of returns the weight of s.
func (w *Weights) Of(s string) int {
	n := 0
	for i := range len(s) {
		n += int(w[s[i]])
	}
	return n
}
