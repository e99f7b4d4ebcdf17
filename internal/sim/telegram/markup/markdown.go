package markup

import "strings"

// parseMarkdown reads the old dialect of https://core.telegram.org/bots/api#markdown-style: no nesting, four marks,
// no escapes inside an entity.
func parseMarkdown(s string) (Text, error) {
	p := &struct {
		source
		output
	}{source: source{s: s}}
	for !p.done() {
		c := p.at(0)
		if c == '\\' && p.at(1) != 0 && strings.IndexByte("_*`[", p.at(1)) >= 0 {
			p.pos++
			p.rune(p.next())
			continue
		}
		if strings.IndexByte("_*`[", c) < 0 {
			p.rune(p.next())
			continue
		}
		begin, stop := p.pos, string(c)
		var e Entity
		switch {
		case p.has("```"):
			stop = "```"
			p.pos += 3
			e = Entity{Type: Pre, Language: p.fence()}
		case c == '`':
			p.pos++
			e.Type = Code
		case c == '[':
			p.pos++
			stop = "]"
		case c == '_':
			p.pos++
			e.Type = Italic
		default:
			p.pos++
			e.Type = Bold
		}
		start, first := p.units, p.pos
		for !p.done() && !p.has(stop) {
			p.rune(p.next())
		}
		if p.done() {
			return Text{}, refuse("Can't find end of the entity starting at byte offset %d", begin)
		}
		inner := p.s[first:p.pos]
		p.pos += len(stop)
		if c == '[' {
			target := inner
			if p.at(0) == '(' && p.units > start {
				p.pos++
				target = p.take(func(c byte) bool { return c != ')' })
				if !p.done() {
					p.pos++
				}
			}
			var ok bool
			if e, ok = link(target); !ok {
				continue
			}
		}
		p.add(e, start)
	}
	return p.result(), nil
}

// fence reads the language and the line break after three backticks.
func (s *source) fence() string {
	rest := *s
	lang := rest.take(func(c byte) bool { return !isSpace(c) && c != '`' })
	if lang != "" && !rest.done() && rest.at(0) != '`' {
		*s = rest
	} else {
		lang = ""
	}
	if c, d := s.at(0), s.at(1); c == '\n' || c == '\r' {
		s.pos++
		if (d == '\n' || d == '\r') && d != c {
			s.pos++
		}
	}
	return lang
}
