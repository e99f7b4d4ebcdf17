package telegram

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

var _ sim.Looker = (*Server)(nil)

var errRich = errors.New("rich messages are stored without their form, so there is no drawing for them")

// Look is a message as a client draws it: the stored text with its entities, those that Telegram found by itself among
// them (https://core.telegram.org/bots/api#messageentity). Lists and headings are text to Telegram, and stay lines.
func (s *Server) Look(at sim.Ref) ([]sim.Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.room(at.Room)
	if err != nil {
		return nil, err
	}
	id, _ := strconv.Atoi(at.ID) // what is no number is no message's id
	switch m := c.find(id); {
	case m == nil:
		return nil, fmt.Errorf("look at message %s in %s: %w", at.ID, at.Room, ErrNoMessage)
	case m.rich != nil:
		return nil, fmt.Errorf("look at message %s in %s: %w", at.ID, at.Room, errRich)
	default:
		return look(m.body), nil
	}
}

// looker walks a text and its entities from left to right.
type looker struct {
	whole  string
	units  []uint16
	blocks []sim.Block
	line   []sim.Span // of the line that is open
	quote  int        // of it
	open   bool       // a line is open, if only an empty one
}

func look(t markup.Text) []sim.Block {
	l := &looker{whole: t.Text, units: utf16.Encode([]rune(t.Text)), open: true}
	var over []markup.Entity // those that hold the text from at on, outermost first
	at, next := 0, 0
	for at < len(l.units) {
		for next < len(t.Entities) && t.Entities[next].Offset <= at {
			over = append(over, t.Entities[next])
			next++
		}
		over = ended(over, at)
		end := len(l.units)
		for _, e := range over {
			end = min(end, e.Offset+e.Length)
		}
		if next < len(t.Entities) {
			end = min(end, t.Entities[next].Offset)
		}
		l.text(string(utf16.Decode(l.units[at:end])), over)
		at = end
	}
	l.flush()
	return l.blocks
}

// ended drops the entities that end at or before a position.
func ended(es []markup.Entity, at int) []markup.Entity {
	out := es[:0]
	for _, e := range es {
		if e.Offset+e.Length > at {
			out = append(out, e)
		}
	}
	return out
}

// text adds text that the same entities hold.
func (l *looker) text(s string, over []markup.Entity) {
	span, quote, pre := sim.Span{}, 0, (*markup.Entity)(nil)
	for i, e := range over {
		switch e.Type {
		case markup.Blockquote, markup.ExpandableQuote:
			quote = 1
		case markup.Pre:
			pre = &over[i]
		}
		l.style(&span, e)
	}
	if pre != nil {
		// Code stands in a box of its own, so that the line break before it and the one after it draw nothing.
		if len(l.line) > 0 {
			l.flush()
		}
		l.blocks = append(l.blocks, sim.Block{Kind: sim.CodeBlock, Lang: pre.Language, Quote: quote, Spans: []sim.Span{{Text: s}}})
		l.open = false
		return
	}
	for i, part := range strings.Split(s, "\n") {
		if i > 0 {
			l.flush()
			l.open = true
		}
		if part != "" {
			span.Text = part
			l.line = sim.AppendSpan(l.line, span)
			l.open = true
			l.quote = quote
		} else if quote > 0 {
			l.quote = quote
		}
	}
}

// flush ends the line that is open.
func (l *looker) flush() {
	if l.open {
		l.blocks = append(l.blocks, sim.Block{Kind: sim.LineBlock, Spans: l.line, Quote: l.quote})
	}
	l.line, l.quote, l.open = nil, 0, false
}

// style adds to a span what an entity says of the text that it holds.
func (l *looker) style(span *sim.Span, e markup.Entity) {
	switch e.Type {
	case markup.Bold:
		span.Style |= sim.Bold
	case markup.Italic:
		span.Style |= sim.Italic
	case markup.Underline:
		span.Style |= sim.Underline
	case markup.Strikethrough:
		span.Style |= sim.Strike
	case markup.Spoiler:
		span.Style |= sim.Spoiler
	case markup.Code:
		span.Style |= sim.Mono
	case markup.TextLink:
		span.URL = e.URL
	case markup.URL:
		span.URL = markup.Slice(l.whole, e)
	case markup.Email:
		span.URL = "mailto:" + markup.Slice(l.whole, e)
	case markup.PhoneNumber:
		span.URL = "tel:" + markup.Slice(l.whole, e)
	case markup.Mention, markup.TextMention:
		span.Style |= sim.Ping
	case markup.Hashtag, markup.Cashtag, markup.BotCommand:
		span.Style |= sim.Active
	}
}
