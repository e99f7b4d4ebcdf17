package slackfmt

import (
	"bytes"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
)

// MaxText is the longest text of a message, in bytes of mrkdwn as sent. Slack refuses more than about 4,000 characters.
const MaxText = 3900

// The limits of blocks. See the package comment for where they come from.
const (
	maxBlocks  = 50
	maxHeader  = 150    // characters
	maxColumns = 20     // of a table block
	maxRows    = 100    // of a table block, with its head
	maxJSON    = 12_800 // bytes of blocks
	fullJSON   = 10_500 // bytes of blocks at which a message is full
)

// weights bound what each character of the source becomes in mrkdwn, in bytes.
var weights = markdown.NewWeights(1, 2, 3, 4, map[byte]uint8{
	'&': 5, '<': 4, '>': 4, '*': 4, '_': 4, '~': 4, '`': 4,
})

// codeWeights are those of code. They bound what it takes in JSON, too.
var codeWeights = markdown.NewWeights(1, 2, 3, 4, map[byte]uint8{
	'&': 5, '<': 4, '>': 4, '`': 4, '"': 2, '\\': 2, '\t': 2,
})

// tableWidth is for tables in preformatted text and in mrkdwn.
const tableWidth = 72

func options(size int) markdown.Options {
	return markdown.Options{Chunk: size * 11 / 20, Weights: weights, Linkable: linkable}
}

func layout(size int) markdown.Limits {
	return markdown.Limits{
		Size: size - 20, Weights: codeWeights, Fence: 10, TableWidth: tableWidth,
		Cost: jsonCost, Budget: fullJSON, Most: maxJSON,
		Solo: nativeTable, Drawn: nativeTable,
		Lines: true, Row: rowCost, MaxRows: maxRows - 1,
	}
}

// jsonCost bounds the JSON that a block takes; every block costs enough that there are never more than maxBlocks.
func jsonCost(u *markdown.Unit) int {
	n := fullJSON / (maxBlocks - 2)
	if u.Kind == markdown.Table {
		return n + 140*len(u.Table.Align) // column settings and the bold head; rows count by themselves
	}
	if u.Kind == markdown.Paragraph {
		n = 140 // joins a rich_text block that is there already
	}
	return n + spansCost(u.Spans)
}

func spansCost(spans []markdown.Span) int {
	n := 0
	for i := range spans {
		s := &spans[i]
		n += jsonLen(s.Text) + 32
		if s.URL != "" {
			n += jsonLen(s.URL) + 20
		}
		if s.Style != 0 {
			n += 60
		}
	}
	return n
}

func rowCost(row [][]markdown.Span) int {
	n := 3
	for _, spans := range row {
		n += 34
		if len(spans) > 1 || len(spans) == 1 && (spans[0].Style != 0 || spans[0].URL != "") {
			n += 70
		}
		n += spansCost(spans)
	}
	return n
}

// jsonLen is the length of s in a JSON string.
func jsonLen(s string) int {
	n := len(s)
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' || c < ' ' {
			n++
		}
	}
	return n
}

// format is how answers are written into messages of at most size bytes of text.
func format(size int) *markdown.Format[core.Part] {
	return &markdown.Format[core.Part]{
		Options: options(size), Limits: layout(size), Literal: markdown.Literal{Chars: "&<>", Write: Escape},
		NewWriter: func() markdown.Writer[core.Part] { return &writer{size: size} },
		Source: func(source string) core.Part {
			text := cut(Escape(source), size)
			return core.Part{Text: encode([]byte(text), nil), Plain: text}
		},
	}
}

var whole = format(MaxText)

// Render writes the source as messages: in the end at least one if it is not blank. It is pure and safe for concurrent
// use. With final false the source may stop anywhere; all parts but the last then stay as they are when it grows, and there
// is none while nothing can be shown yet.
func Render(source string, final bool) []core.Part { return whole.Render(source, final) }

// NewRenderer returns a renderer of one answer. Its results are those of [Render]; that the answer grows makes it fast.
func NewRenderer() *markdown.Renderer[core.Part] { return whole.NewRenderer() }

// writer writes one message: its text and its blocks.
type writer struct {
	size   int
	text   mrkdwn
	blocks blocks

	saved struct {
		text, json int // lengths
		blocks     blocks
	}
}

// Begin implements [markdown.Writer].
func (w *writer) Begin() {
	w.text.buf = w.text.buf[:0]
	w.blocks = blocks{buf: w.blocks.buf[:0]}
}

// Save implements [markdown.Writer].
func (w *writer) Save() {
	w.saved.text, w.saved.json, w.saved.blocks = len(w.text.buf), len(w.blocks.buf), w.blocks
	w.saved.blocks.buf = nil
}

// Restore implements [markdown.Writer].
func (w *writer) Restore() {
	w.text.buf = w.text.buf[:w.saved.text]
	w.back(w.saved.blocks, w.saved.json)
}

// back returns to a state of the blocks in which they had n bytes.
func (w *writer) back(b blocks, n int) {
	b.buf = w.blocks.buf[:n]
	w.blocks = b
}

// Block implements [markdown.Writer].
func (w *writer) Block(u, before *markdown.Unit) {
	w.text.unitText(u, before)
	w.blocks.unit(u, before)
}

// End implements [markdown.Writer].
func (w *writer) End(units []*markdown.Unit, plain []byte) (core.Part, bool) {
	p := core.Part{Plain: cut(string(plain), w.size)}
	text := w.text.buf
	if len(text) > w.size {
		short := mrkdwn{noLinks: true}
		var before *markdown.Unit
		for _, u := range units {
			short.unitText(u, before)
			before = u
		}
		text = short.buf
	}
	if len(text) > w.size {
		text = []byte(p.Plain)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return p, false
	}
	open, n := w.blocks, len(w.blocks.buf)
	w.blocks.closeRich()
	list := w.blocks.buf
	if len(list) > maxJSON || w.blocks.count > maxBlocks {
		list = nil // too much for blocks: mrkdwn alone shows it well enough
	}
	p.Text = encode(text, list)
	w.back(open, n)
	return p, true
}

// encode writes a [Message].
func encode(text, blocks []byte) string {
	b := make([]byte, 0, len(text)+len(text)/16+len(blocks)+64)
	b = append(b, `{"text":"`...)
	b = appendChars(b, text)
	b = append(b, `","blocks":[`...)
	b = append(b, blocks...)
	b = append(b, "]}"...)
	return string(b)
}
