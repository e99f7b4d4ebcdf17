package markdown

import (
	"slices"
	"strings"
)

// tagAction says what a tag of HTML does to the text around it.
type tagAction uint8

const (
	tagText  tagAction = iota // not a tag of HTML: text
	tagDrop                   // nothing
	tagBreak                  // a line break
	tagStyle                  // begins or ends a style
	tagLink                   // begins or ends a link
	tagImage                  // a picture
	tagItem                   // begins a list item
)

type tagMeaning struct {
	action tagAction
	style  Style
	line   bool // what it begins and ends has lines of its own
}

var tags = newTags()

func newTags() map[string]tagMeaning {
	known := map[string]tagMeaning{
		"a":   {action: tagLink},
		"br":  {action: tagBreak},
		"hr":  {action: tagBreak},
		"img": {action: tagImage},
		"li":  {action: tagItem, line: true},
	}
	style := func(st Style, line bool, names ...string) {
		for _, name := range names {
			known[name] = tagMeaning{tagStyle, st, line}
		}
	}
	style(Bold, false, "b", "strong", "th")
	style(Bold, true, "h1", "h2", "h3", "h4", "h5", "h6", "summary")
	style(Italic, false, "i", "em", "cite", "var")
	style(Strike, false, "s", "del", "strike")
	style(Mono, false, "code", "kbd", "samp", "tt")
	for name := range strings.FieldsSeq(`abbr audio big body center col colgroup dfn font head html ins label link main mark meta
		picture q rp rt ruby small source span sub sup table tbody td tfoot thead time title u video wbr`) {
		known[name] = tagMeaning{action: tagDrop}
	}
	for name := range strings.FieldsSeq(`address article aside blockquote caption dd details div dl dt figcaption figure footer
		header nav ol p section tr ul`) {
		known[name] = tagMeaning{action: tagDrop, line: true}
	}
	return known
}

// tag is one tag as it stands in the source.
type tag struct {
	name    string // lower case; "!--" for a comment
	meaning tagMeaning
	closing bool
	attrs   string
}

// scanTag reads the tag at the start of s, which begins with '<'. It returns its length, 0 if it is none; whole is false
// if s ends before a tag of HTML does.
func scanTag(s string) (t tag, n int, whole bool) {
	if len(s) < 2 {
		return tag{}, 0, false
	}
	if strings.HasPrefix(s, "<!--") {
		if i := strings.Index(s[4:], "-->"); i >= 0 {
			return tag{name: "!--", meaning: tagMeaning{action: tagDrop}}, i + 7, true
		}
		return tag{name: "!--", meaning: tagMeaning{action: tagDrop}}, 0, false
	}
	if strings.HasPrefix("<!--", s) {
		return tag{}, 0, false
	}
	i := 1
	if s[i] == '/' {
		t.closing = true
		i++
	}
	start := i
	for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' || i > start && isDigit(s[i])) {
		i++
	}
	if i == start {
		return tag{}, 0, i < len(s)
	}
	if i == len(s) {
		return tag{}, 0, false
	}
	name := s[start:i]
	switch s[i] {
	case '>', ' ', '\t', '\n', '/', '\r':
	default:
		return tag{}, 0, true
	}
	_, known := tags[strings.ToLower(name)]
	attrs := i
	var quote byte
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return tag{}, 0, true
		case c == '>':
			t.name = strings.ToLower(name)
			t.attrs = s[attrs:i]
			if isTag(t.attrs) {
				t.meaning = tags[t.name]
			}
			return t, i + 1, true
		}
	}
	return tag{}, 0, !known
}

// isTag reports whether what follows a tag's name is what people write into tags, so that "a<b and c>d" stays text.
func isTag(attrs string) bool {
	attrs = strings.Trim(attrs, " \t\r\n/")
	return attrs == "" || attrs == "open" || attrs == "hidden" || strings.IndexByte(attrs, '=') > 0
}

// attr returns the value of an attribute; "" if it is not there.
func (t tag) attr(name string) string {
	s := t.attrs
	for {
		i := strings.Index(strings.ToLower(s), name)
		if i < 0 {
			return ""
		}
		before := i == 0 || s[i-1] <= ' '
		s = s[i+len(name):]
		rest := strings.TrimLeft(s, " \t\r\n")
		if !before || !strings.HasPrefix(rest, "=") {
			continue
		}
		rest = strings.TrimLeft(rest[1:], " \t\r\n")
		if rest == "" {
			return ""
		}
		if q := rest[0]; q == '"' || q == '\'' {
			value, _, _ := strings.Cut(rest[1:], string(q))
			return unescape(value)
		}
		if end := strings.IndexAny(rest, " \t\r\n>"); end >= 0 {
			rest = rest[:end]
		}
		return unescape(rest)
	}
}

// html adds the text of a block of HTML.
func (s *spanner) html(src string) {
	if strings.Contains(src, "\n ") || strings.Contains(src, "\n\t") {
		lines := strings.Split(src, "\n")
		for i := range lines {
			lines[i] = strings.TrimLeft(lines[i], " \t")
		}
		src = strings.Join(lines, "\n")
	}
	if s.open {
		if i := strings.LastIndexByte(src, '&'); i >= 0 && len(src)-i < maxEntity && strings.IndexFunc(src[i+1:], notInReference) < 0 {
			src = src[:i]
		}
	}
	for src != "" {
		i := strings.IndexByte(src, '<')
		if i < 0 {
			s.text(unescape(src))
			return
		}
		if i > 0 {
			s.text(unescape(src[:i]))
			src = src[i:]
		}
		t, n, whole := scanTag(src)
		switch {
		case n > 0:
			s.tag(t, src[:n])
			src = src[n:]
		case !whole && (s.open || t.name == "!--"):
			return // the rest of an unfinished tag or of a comment that never ends
		default:
			s.text("<")
			src = src[1:]
		}
	}
}

// tag does what t says; raw is its source.
func (s *spanner) tag(t tag, raw string) {
	if cell := t.name == "td" || t.name == "th"; cell && !t.closing && t.meaning.action != tagText && !s.lineBegins() {
		s.text(" | ")
	}
	if t.meaning.line && !t.closing {
		s.newLine()
	}
	switch t.meaning.action {
	case tagText:
		s.text(raw)
	case tagBreak:
		if !t.closing {
			s.text("\n")
		}
	case tagItem:
		if !t.closing {
			s.text("• ")
		}
	case tagStyle:
		for i := range s.depth {
			if t.meaning.style != 1<<i {
				continue
			}
			if t.closing {
				s.depth[i] = max(s.depth[i]-1, 0)
			} else {
				s.depth[i]++
			}
		}
	case tagLink:
		s.anchor(t)
	case tagImage:
		s.image(t.attr("alt"), t.attr("src"))
	case tagDrop:
	}
	if t.meaning.line && t.closing {
		s.line = true
	}
}

// lineBegins reports whether the current line has no text yet.
func (s *spanner) lineBegins() bool {
	for _, span := range slices.Backward(s.spans[s.start:]) {
		if span.Image {
			return false
		}
		if text := strings.TrimRight(span.Text, " \t"); text != "" {
			return text[len(text)-1] == '\n' || text == "•" || strings.HasSuffix(text, "\n•")
		}
	}
	return true
}

// newLine begins a line if the current one has text.
func (s *spanner) newLine() {
	s.line = false
	if !s.lineBegins() {
		s.text("\n")
	}
}

// breakBefore begins the line that t must begin, unless t does so itself.
func (s *spanner) breakBefore(t string) {
	switch t = strings.TrimLeft(t, " \t"); {
	case t == "":
	case t[0] == '\n':
		s.line = false
	default:
		s.newLine()
	}
}

// anchor begins or ends a link.
func (s *spanner) anchor(t tag) {
	if t.closing {
		s.link, s.url = 0, ""
		if s.aside != "" {
			s.text(" (" + s.aside + ")")
			s.aside = ""
		}
		return
	}
	href := t.attr("href")
	if url := s.safe(href); url != "" {
		s.links++
		s.link, s.url, s.aside = s.links, url, ""
	} else if href = SafeURL(href); href != "" {
		s.aside = withoutScheme(href)
	}
}
