package slackfmt

import "github.com/clickai/bridge/internal/markdown"

// table writes a table block (https://docs.slack.dev/reference/block-kit/blocks/table-block).
func (b *blocks) table(t *markdown.TableData) {
	b.block(`{"type":"table","column_settings":[`)
	for _, a := range t.Align {
		b.comma()
		b.raw(`{"align":"` + align(a) + `","is_wrapped":true}`)
	}
	b.raw(`],"rows":[`)
	if t.Head != nil {
		b.row(t.Head, markdown.Bold)
	}
	for _, row := range t.Rows {
		b.row(row, 0)
	}
	b.raw("]}")
}

func align(a markdown.Align) string {
	switch a {
	case markdown.AlignCenter:
		return "center"
	case markdown.AlignRight:
		return "right"
	case markdown.AlignNone, markdown.AlignLeft:
	}
	return "left"
}

func (b *blocks) row(cells [][]markdown.Span, st markdown.Style) {
	b.comma()
	b.raw("[")
	for _, spans := range cells {
		b.comma()
		b.cell(spans, st)
	}
	b.raw("]")
}

// cell writes plain text as raw_text and styled text as rich_text. Slack takes no empty text.
func (b *blocks) cell(spans []markdown.Span, st markdown.Style) {
	if len(spans) == 0 {
		b.raw(`{"type":"raw_text","text":" "}`)
		return
	}
	if len(spans) == 1 && st|spans[0].Style == 0 && spans[0].URL == "" {
		b.raw(`{"type":"raw_text","text":`)
		b.buf = appendString(b.buf, spans[0].Text)
		b.raw("}")
		return
	}
	b.raw(`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[`)
	for i := range spans {
		b.span(&spans[i], st)
	}
	b.raw("]}]}")
}
