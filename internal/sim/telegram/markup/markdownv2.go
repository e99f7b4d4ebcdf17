package markup

import "strings"

// mark is an entity of MarkdownV2 that waits for its end. kind is a type of the Bot API, or emojiMark.
type mark struct {
	kind       string
	language   string
	start      int // UTF-16 unit
	startBytes int // in the output
	begin      int // byte offset in the source, for messages
}

const emojiMark = "emoji" // ![…](tg://…): a custom emoji or a date

// markNames are how the server calls entities in its messages.
var markNames = map[string]string{
	Bold: "Bold", Italic: "Italic", Underline: "Underline", Strikethrough: "Strikethrough", Spoiler: "Spoiler",
	Code: "Code", Pre: "Pre", TextLink: "TextUrl", Blockquote: "BlockQuote", emojiMark: "CustomEmoji",
}

// reserved are the characters that MarkdownV2 wants escaped outside of code.
const reserved = "_*[]()~`>#+-=|{}.!"

type v2Parser struct {
	source
	output
	open  []mark
	quote bool // inside a block quotation, which is then the outermost open mark
}

// parseMarkdownV2 reads https://core.telegram.org/bots/api#markdownv2-style.
func parseMarkdownV2(s string) (Text, error) {
	p := &v2Parser{source: source{s: s}}
	for !p.done() {
		if err := p.step(); err != nil {
			return Text{}, err
		}
	}
	if n := len(p.open); n == 1 && p.open[0].kind == Blockquote {
		p.add(Entity{Type: Blockquote}, p.open[0].start)
	} else if n > 0 {
		return Text{}, p.unclosed()
	}
	return p.result(), nil
}

func (p *v2Parser) top() *mark {
	if n := len(p.open); n > 0 {
		return &p.open[n-1]
	}
	return &mark{}
}

func (p *v2Parser) unclosed() error {
	m := p.top()
	name := markNames[m.kind]
	if m.language != "" {
		name = "PreCode"
	}
	return refuse("Can't find end of %s entity at byte offset %d", name, m.begin)
}

// step reads one character or one mark.
func (p *v2Parser) step() error {
	c := p.at(0)
	if c == '\\' && p.at(1) > 0 && p.at(1) <= 126 {
		p.pos++
		p.rune(p.next())
		return nil
	}
	if kind := p.top().kind; kind == Code || kind == Pre {
		return p.insideCode(kind)
	}
	switch {
	case c == '\n':
		return p.newline()
	case strings.IndexByte(reserved, c) < 0:
		p.rune(p.next())
		return nil
	case p.pos == 0 && p.quoteMark():
		return nil
	case p.quoteEnd():
		return nil
	}
	if n, ok := p.ends(p.top().kind); ok {
		p.pos += n
		return p.closeTop()
	}
	return p.begin()
}

func (p *v2Parser) insideCode(kind string) error {
	switch {
	case kind == Pre && p.has("```"):
		p.pos += 3
		return p.closeTop()
	case kind == Code && p.at(0) == '`':
		p.pos++
		return p.closeTop()
	case p.at(0) == '`': // inside pre a lone backtick begins a code entity, as the server has it
		return p.begin()
	}
	p.rune(p.next())
	return nil
}

// newline ends a quotation unless the next line goes on with it, and may begin one.
func (p *v2Parser) newline() error {
	goesOn := p.at(1) == '>'
	if p.quote && !goesOn {
		if p.top().kind != Blockquote {
			return p.unclosed()
		}
		p.pos++
		p.rune('\n')
		p.add(Entity{Type: Blockquote}, p.top().start)
		p.open, p.quote = p.open[:len(p.open)-1], false
		p.quoteMark()
		return nil
	}
	p.pos++
	p.rune('\n')
	if p.quote {
		p.pos++
		return nil
	}
	p.quoteMark()
	return nil
}

// quoteMark reads ">" or "**>" at the start of a line.
func (p *v2Parser) quoteMark() bool {
	n := 0
	switch {
	case p.quote:
		return false
	case p.at(0) == '>':
		n = 1
	case p.has("**>"):
		n = 3
	default:
		return false
	}
	p.quote = true
	p.open = append(p.open, mark{kind: Blockquote, start: p.units, startBytes: p.text.Len(), begin: p.pos})
	p.pos += n
	return true
}

// quoteEnd reads the "||" that ends an expandable quotation: at the end of its last line, with nothing else open.
func (p *v2Parser) quoteEnd() bool {
	if p.top().kind != Blockquote || !p.has("||") {
		return false
	}
	last := p.pos+2 >= len(p.s)
	if !last && (p.at(2) != '\n' || p.at(3) == '>') {
		return false
	}
	p.pos += 2
	if !last {
		p.pos++
		p.rune('\n')
	}
	p.add(Entity{Type: ExpandableQuote}, p.top().start)
	p.open, p.quote = p.open[:len(p.open)-1], false
	p.quoteMark()
	return true
}

// ends tells whether the end of an entity of this kind stands here, and how many bytes it takes. Two underscores are
// always read as one underline mark, from left to right.
func (p *v2Parser) ends(kind string) (int, bool) {
	c := p.at(0)
	switch kind {
	case Bold:
		return 1, c == '*'
	case Italic:
		return 1, c == '_' && p.at(1) != '_'
	case Underline:
		return 2, p.has("__")
	case Strikethrough:
		return 1, c == '~'
	case Spoiler:
		return 2, p.has("||")
	case TextLink, emojiMark:
		return 1, c == ']'
	}
	return 0, false
}

func (p *v2Parser) begin() error {
	m := mark{start: p.units, startBytes: p.text.Len(), begin: p.pos}
	n := 1
	switch c := p.at(0); {
	case p.has("__"):
		m.kind, n = Underline, 2
	case c == '_':
		m.kind = Italic
	case c == '*':
		m.kind = Bold
	case c == '~':
		m.kind = Strikethrough
	case p.has("||"):
		m.kind, n = Spoiler, 2
	case c == '[':
		m.kind = TextLink
	case p.has("!["):
		m.kind, n = emojiMark, 2
	case p.has("```"):
		p.pos += 3
		m.kind, m.language, n = Pre, p.fence(), 0
	case c == '`':
		m.kind = Code
	default:
		return refuse("Character '%c' is reserved and must be escaped with the preceding '\\'", c)
	}
	p.pos += n
	p.open = append(p.open, m)
	return nil
}

// closeTop ends the innermost entity; its end mark has been read.
func (p *v2Parser) closeTop() error {
	m := *p.top()
	p.open = p.open[:len(p.open)-1]
	e := Entity{Type: m.kind, Language: m.language}
	switch m.kind {
	case TextLink:
		target := p.text.String()[m.startBytes:]
		if p.at(0) == '(' {
			var err error
			if target, err = p.target("a URL"); err != nil {
				return err
			}
		}
		var ok bool
		if e, ok = link(target); !ok {
			return nil
		}
	case emojiMark:
		if p.at(0) != '(' {
			return refuse("Custom emoji entity must contain a tg://emoji URL")
		}
		target, err := p.target("a custom emoji URL")
		if err != nil {
			return err
		}
		if id, ok := emojiLink(target); ok {
			e = Entity{Type: CustomEmoji, CustomEmojiID: id}
		} else if e, ok = timeLink(target); !ok {
			return refuse("Custom emoji URL must have a tg://emoji scheme")
		}
	}
	p.add(e, m.start)
	return nil
}

// target reads "(…)" with backslash escapes.
func (p *v2Parser) target(what string) (string, error) {
	p.pos++
	begin := p.pos
	var b strings.Builder
	for !p.done() && p.at(0) != ')' {
		if p.at(0) == '\\' && p.at(1) > 0 && p.at(1) <= 126 {
			p.pos++
		}
		b.WriteByte(p.at(0))
		p.pos++
	}
	if p.done() {
		return "", refuse("Can't find end of %s at byte offset %d", what, begin)
	}
	p.pos++
	return b.String(), nil
}
