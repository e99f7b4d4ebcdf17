package markup

import (
	"strconv"
	"strings"
)

// tags maps what https://core.telegram.org/bots/api#html-style lists to the entity it makes; "" is decided by its
// attributes.
var tags = map[string]string{
	"b": Bold, "strong": Bold, "i": Italic, "em": Italic, "u": Underline, "ins": Underline,
	"s": Strikethrough, "strike": Strikethrough, "del": Strikethrough,
	"span": Spoiler, "tg-spoiler": Spoiler, "tg-emoji": CustomEmoji, "tg-time": DateTime,
	"a": "", "pre": Pre, "code": Code, "blockquote": Blockquote,
}

// openTag is a tag that waits for its end.
type openTag struct {
	name       string
	attr       map[string]string
	start      int // UTF-16 unit
	startBytes int
}

type htmlParser struct {
	source
	output
	open []openTag
}

func parseHTML(s string) (Text, error) {
	p := &htmlParser{source: source{s: s}}
	for !p.done() {
		var err error
		switch {
		case p.at(0) == '&':
			err = p.reference()
		case p.at(0) == '<' && p.at(1) == '/':
			err = p.endTag()
		case p.at(0) == '<':
			err = p.startTag()
		default:
			p.rune(p.next())
		}
		if err != nil {
			return Text{}, err
		}
	}
	if n := len(p.open); n > 0 {
		return Text{}, refuse("Can't find end tag corresponding to start tag %q", p.open[n-1].name)
	}
	for i := range p.entities {
		if p.entities[i].Type == Code {
			p.entities[i].Language = ""
		}
	}
	return p.result(), nil
}

// reference reads a character reference; an unknown one is ordinary text.
func (p *htmlParser) reference() error {
	r, n := decodeReference(p.s[p.pos:])
	if n == 0 {
		p.rune(p.next())
		return nil
	}
	if 0xd800 <= r && r <= 0xdfff {
		return refuse("Text contains invalid Unicode characters after decoding HTML entities, " +
			"check for unmatched surrogate code units")
	}
	p.pos += n
	p.rune(r)
	return nil
}

// decodeReference knows the four named references that Telegram supports and all numeric ones.
func decodeReference(s string) (rune, int) {
	end, r := 1, rune(0)
	if len(s) > 1 && s[1] == '#' {
		base, start := 10, 2
		if len(s) > 2 && s[2] == 'x' {
			base, start = 16, 3
		}
		end = start
		for end < len(s) && (isDigit(s[end]) || base == 16 && strings.IndexByte("abcdefABCDEF", s[end]) >= 0) {
			end++
		}
		n, err := strconv.ParseUint(s[start:end], base, 32)
		if err != nil || n == 0 || n >= 0x10ffff || end >= 10 {
			return 0, 0
		}
		r = rune(n)
	} else {
		for end < len(s) && isAlpha(s[end]) {
			end++
		}
		switch s[1:end] {
		case "lt":
			r = '<'
		case "gt":
			r = '>'
		case "amp":
			r = '&'
		case "quot":
			r = '"'
		default:
			return 0, 0
		}
	}
	if end < len(s) && s[end] == ';' {
		end++
	}
	return r, end
}

func (p *htmlParser) startTag() error {
	begin := p.pos
	p.pos++
	name := strings.ToLower(p.take(func(c byte) bool { return !isSpace(c) && c != '>' }))
	if p.done() {
		return refuse("Unclosed start tag at byte offset %d", begin)
	}
	if _, ok := tags[name]; !ok {
		return refuse("Unsupported start tag %q at byte offset %d", name, begin)
	}
	tag := openTag{name: name, attr: map[string]string{}}
	for {
		p.skipSpace()
		if p.done() {
			return refuse("Unclosed start tag at byte offset %d", begin)
		}
		if p.at(0) == '>' {
			p.pos++
			break
		}
		key, value, err := p.attribute(name, begin)
		if err != nil {
			return err
		}
		tag.attr[key] = value
	}
	if name == "span" && tag.attr["class"] != "tg-spoiler" {
		return refuse(`Tag "span" must have class "tg-spoiler" at byte offset %d`, begin)
	}
	tag.start, tag.startBytes = p.units, p.text.Len()
	p.open = append(p.open, tag)
	return nil
}

func (p *htmlParser) attribute(tag string, begin int) (key, value string, err error) {
	key = p.take(func(c byte) bool { return !isSpace(c) && c != '=' && c != '>' })
	if key == "" {
		return "", "", refuse("Empty attribute name in the tag %q at byte offset %d", tag, begin)
	}
	p.skipSpace()
	if p.at(0) != '=' { // an attribute without a value, such as <blockquote expandable>
		return key, key, nil
	}
	p.pos++
	p.skipSpace()
	if p.done() {
		return "", "", refuse("Unclosed start tag %q at byte offset %d", tag, begin)
	}
	mark := p.at(0)
	if mark != '\'' && mark != '"' {
		token := p.pos
		value = strings.ToLower(p.take(func(c byte) bool { return isAlpha(c) || isDigit(c) || c == '.' || c == '-' }))
		if c := p.at(0); !isSpace(c) && c != '>' {
			return "", "", refuse("Unexpected end of name token at byte offset %d", token)
		}
		return key, value, nil
	}
	p.pos++
	var b strings.Builder
	for !p.done() && p.at(0) != mark {
		if r, n := decodeReference(p.s[p.pos:]); p.at(0) == '&' && n > 0 {
			b.WriteRune(r)
			p.pos += n
			continue
		}
		b.WriteByte(p.at(0))
		p.pos++
	}
	if p.done() {
		return "", "", refuse("Unclosed start tag at byte offset %d", begin)
	}
	p.pos++
	return key, b.String(), nil
}

func (p *htmlParser) endTag() error {
	begin := p.pos
	if len(p.open) == 0 {
		return refuse("Unexpected end tag at byte offset %d", begin)
	}
	p.pos += 2
	name := strings.ToLower(p.take(func(c byte) bool { return !isSpace(c) && c != '>' }))
	p.skipSpace()
	if p.at(0) != '>' {
		return refuse("Unclosed end tag at byte offset %d", begin)
	}
	p.pos++
	tag := p.open[len(p.open)-1]
	if name != "" && name != tag.name {
		return refuse(`Unmatched end tag at byte offset %d, expected "</%s>", found "</%s>"`, begin, tag.name, name)
	}
	p.open = p.open[:len(p.open)-1]
	return p.closeTag(tag)
}

func (p *htmlParser) closeTag(tag openTag) error {
	e := Entity{Type: tags[tag.name]}
	switch tag.name {
	case "a":
		target := tag.attr["href"]
		if target == "" {
			target = p.text.String()[tag.startBytes:]
		}
		var ok bool
		if e, ok = link(target); !ok {
			return nil
		}
	case "tg-emoji":
		e.CustomEmojiID = tag.attr["emoji-id"]
		if n, err := strconv.ParseInt(e.CustomEmojiID, 10, 64); p.units > tag.start && (err != nil || n == 0) {
			return refuse("Invalid custom emoji identifier specified")
		}
	case "tg-time":
		n, err := strconv.ParseInt(tag.attr["unix"], 10, 64)
		if p.units > tag.start && (err != nil || n <= 0) {
			return refuse("Invalid Unix time specified")
		}
		e.UnixTime, e.DateTimeFormat = n, tag.attr["format"]
	case "blockquote":
		if _, ok := tag.attr["expandable"]; ok {
			e.Type = ExpandableQuote
		}
	case "code":
		if lang, ok := strings.CutPrefix(tag.attr["class"], "language-"); ok {
			e.Language = lang
		}
		if last := p.last(Pre, tag.start); last != nil && e.Language != "" {
			last.Language = e.Language
			return nil
		}
	case "pre":
		if last := p.last(Code, tag.start); last != nil && last.Language != "" {
			last.Type = Pre
			return nil
		}
	}
	p.add(e, tag.start)
	return nil
}

// last is the entity closed just before, if it has this type and covers exactly the text from start to here.
func (p *htmlParser) last(kind string, start int) *Entity {
	if n := len(p.entities); n > 0 && p.units > start {
		if e := &p.entities[n-1]; e.Type == kind && e.Offset == start && e.end() == p.units {
			return e
		}
	}
	return nil
}
