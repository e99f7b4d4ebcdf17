package slack

import (
	"fmt"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

var _ sim.Looker = (*Server)(nil)

// Look is a message as a client draws it: its blocks, each one apart from the next, else its text. There is no drawing for
// markdown blocks and controls.
// Source: https://docs.slack.dev/reference/block-kit/blocks
func (s *Server) Look(at sim.Ref) ([]sim.Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, m, err := s.findLocked(at)
	if err != nil {
		return nil, err
	}
	l := &looker{names: s.namesLocked()}
	c := m.now()
	blocks := decodeBlocks(c.blocks)
	if len(blocks) == 0 || c.typed {
		l.mrkdwn(c.text, sim.LineBlock)
		return l.out, nil
	}
	for i, b := range blocks {
		if i > 0 {
			l.line(0, nil)
		}
		if err := l.block(b); err != nil {
			return nil, fmt.Errorf("look at message %s in %s: block %d: %w", at.ID, at.Room, i, err)
		}
	}
	return l.out, nil
}

// looker draws Block Kit.
type looker struct {
	names
	out []sim.Block
}

func (l *looker) add(b sim.Block) { l.out = append(l.out, b) }

func (l *looker) line(quote int, spans []sim.Span) {
	l.add(sim.Block{Kind: sim.LineBlock, Quote: quote, Spans: spans})
}

func (l *looker) block(b object) error {
	switch kind := str(b, "type"); kind {
	case "header":
		text := blockReader{names: l.names}.text(obj(b, "text"))
		l.add(sim.Block{Kind: sim.HeadingBlock, Level: 1, Spans: sim.AppendSpan(nil, sim.Span{Text: text})})
	case "divider":
		l.add(sim.Block{Kind: sim.RuleBlock})
	case "section":
		l.textObject(obj(b, "text"), sim.LineBlock)
		for _, f := range list(b, "fields") {
			l.textObject(f, sim.LineBlock)
		}
	case "context":
		for _, e := range list(b, "elements") {
			l.textObject(e, sim.QuietBlock)
		}
	case "actions", "context_actions":
		var spans []sim.Span
		for _, b := range buttonsOf([]object{b}, l.names) {
			spans = sim.AppendSpan(sim.AppendSpan(spans, sim.Span{Text: "[" + b.Label + "]", Style: sim.Active}), sim.Span{Text: " "})
		}
		l.line(0, spans)
	case "image":
		l.line(0, sim.AppendSpan(nil, sim.Span{Text: "🖼 " + str(b, "alt_text"), URL: str(b, "image_url")}))
	case "rich_text":
		l.richText(b)
	case "table":
		l.table(b)
	default:
		return fmt.Errorf("there is no drawing for a block of type %q", kind)
	}
	return nil
}

func (l *looker) textObject(t object, kind sim.BlockKind) {
	switch str(t, "type") {
	case "mrkdwn":
		l.mrkdwn(str(t, "text"), kind)
	case "plain_text":
		l.lines(sim.Block{Kind: kind}, sim.AppendSpan(nil, sim.Span{Text: blockReader{names: l.names}.text(t)}))
	case "image":
		l.add(sim.Block{Kind: kind, Spans: []sim.Span{{Text: "🖼 " + str(t, "alt_text"), URL: str(t, "image_url")}}})
	}
}

// lines adds text as lines that look like b. The first one has its mark, the others stand as far in.
func (l *looker) lines(b sim.Block, spans []sim.Span) {
	flush := func() {
		l.add(b)
		b.Spans, b.Mark = nil, strings.Repeat(" ", runes(b.Mark))
	}
	for _, s := range spans {
		for i, part := range strings.Split(s.Text, "\n") {
			if i > 0 {
				flush()
			}
			s.Text = part
			b.Spans = sim.AppendSpan(b.Spans, s)
		}
	}
	flush()
}

// richText draws the elements of a rich text block, each of which begins a line.
// Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
func (l *looker) richText(b object) {
	for _, e := range list(b, "elements") {
		border, _ := e["border"].(float64)
		quote := int(border)
		switch str(e, "type") {
		case "rich_text_list":
			l.list(e, quote)
		case "rich_text_quote":
			l.lines(sim.Block{Kind: sim.LineBlock, Quote: quote + 1}, l.run(e))
		case "rich_text_preformatted":
			l.add(sim.Block{Kind: sim.CodeBlock, Quote: quote, Lang: str(e, "language"), Spans: []sim.Span{{Text: sim.Text(l.run(e))}}})
		default:
			spans := l.run(e)
			if n := len(spans) - 1; n >= 0 { // the end of the element ends the line, too
				spans[n].Text = strings.TrimSuffix(spans[n].Text, "\n")
			}
			l.lines(sim.Block{Kind: sim.LineBlock, Quote: quote}, spans)
		}
	}
}

// bullets are what the client puts before the items of lists, from the outermost inward.
var bullets = [...]string{"•", "◦", "▪"}

func (l *looker) list(e object, quote int) {
	indent, _ := e["indent"].(float64)
	offset, _ := e["offset"].(float64)
	for i, item := range list(e, "elements") {
		mark := bullets[int(indent)%len(bullets)]
		if str(e, "style") == "ordered" {
			mark = fmt.Sprintf("%d.", int(offset)+i+1)
		}
		l.lines(sim.Block{Kind: sim.LineBlock, Quote: quote, Indent: int(indent), Mark: mark}, l.run(item))
	}
}

// run are the texts of one element of a rich text.
func (l *looker) run(e object) []sim.Span {
	var out []sim.Span
	for _, x := range list(e, "elements") {
		s := sim.Span{Style: styleOf(obj(x, "style"))}
		switch str(x, "type") {
		case "text":
			s.Text = str(x, "text")
		case "link":
			s.URL = str(x, "url")
			s.Text = s.URL
			if label := str(x, "text"); label != "" {
				s.Text = label
			}
		case "user":
			s.Text, s.Style = "@"+l.user(str(x, "user_id")), s.Style|sim.Ping
		case "usergroup":
			s.Text, s.Style = "@"+str(x, "usergroup_id"), s.Style|sim.Ping
		case "broadcast":
			s.Text, s.Style = "@"+str(x, "range"), s.Style|sim.Ping
		case "channel":
			s.Text, s.Style = "#"+l.channel(str(x, "channel_id")), s.Style|sim.Active
		case "emoji":
			s.Text = emojiChar(str(x, "name"))
		}
		out = sim.AppendSpan(out, s)
	}
	return out
}

func styleOf(o object) sim.Style {
	var st sim.Style
	for name, is := range map[string]sim.Style{"bold": sim.Bold, "italic": sim.Italic, "underline": sim.Underline, "strike": sim.Strike, "code": sim.Mono} {
		if on, _ := o[name].(bool); on {
			st |= is
		}
	}
	return st
}

// table draws a table block.
// Source: https://docs.slack.dev/reference/block-kit/blocks/table-block
func (l *looker) table(b object) {
	settings := list(b, "column_settings")
	rows, _ := b["rows"].([]any)
	t := sim.Block{Kind: sim.TableBlock, Rows: make([][]sim.Cell, 0, len(rows))}
	for _, row := range rows {
		cells, _ := row.([]any)
		drawn := make([]sim.Cell, 0, len(cells))
		for i, c := range cells {
			cell, _ := c.(object)
			d := sim.Cell{Align: "left"}
			if i < len(settings) {
				if a := str(settings[i], "align"); a != "" {
					d.Align = a
				}
			}
			if str(cell, "type") == "rich_text" {
				for _, e := range list(cell, "elements") {
					d.Spans = append(d.Spans, l.run(e)...)
				}
			} else {
				d.Spans = sim.AppendSpan(nil, sim.Span{Text: str(cell, "text")})
			}
			drawn = append(drawn, d)
		}
		t.Rows = append(t.Rows, drawn)
	}
	l.add(t)
}
