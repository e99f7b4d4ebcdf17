package slackfmt

import (
	"strings"

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

func layout(size int) markdown.Limits {
	return markdown.Limits{
		Size: size - 20, Weights: codeWeights, Fence: 10, TableWidth: tableWidth,
		Cost: jsonCost, Budget: fullJSON, Most: maxJSON,
		Solo:  nativeTable,
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

// Render writes the source as messages: in the end at least one if it is not blank. It is pure and safe for concurrent
// use. With final false the source may stop anywhere; all parts but the last then stay as they are when it grows, and there
// is none while nothing can be shown yet.
func Render(source string, final bool) []core.Part {
	return render(source, final, MaxText)
}

func render(source string, final bool, size int) []core.Part {
	if markdown.Blank(source) {
		return nil
	}
	units := markdown.Parse(source, markdown.Options{Final: final, Chunk: size * 11 / 20, Weights: weights})
	messages := markdown.Layout(units, layout(size))
	parts := make([]core.Part, 0, len(messages)+1)
	var w mrkdwn
	var b blocks
	for _, m := range messages {
		text := w.message(m)
		if len(text) > size {
			w.noLinks = true
			text = w.message(m)
			w.noLinks = false
		}
		plain := cut(markdown.Plain(m, Escape), size)
		if len(text) > size {
			text = plain
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		list := b.message(m)
		if len(list) > maxJSON || b.count > maxBlocks {
			list = nil // too much for blocks: mrkdwn alone shows it well enough
		}
		parts = append(parts, core.Part{Text: encode(text, list), Plain: plain})
	}
	if len(parts) == 0 && final {
		text := cut(Escape(markdown.Placeholder(source)), size)
		parts = append(parts, core.Part{Text: encode(text, nil), Plain: text})
	}
	return parts
}

// encode writes a [Message].
func encode(text string, blocks []byte) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/16 + len(blocks) + 64)
	b.WriteString(`{"text":`)
	var chars [512]byte
	b.WriteByte('"')
	for text != "" {
		n := min(len(text), 80)
		b.Write(appendChars(chars[:0], text[:n]))
		text = text[n:]
	}
	b.WriteString(`","blocks":[`)
	b.Write(blocks)
	b.WriteString("]}")
	return b.String()
}
