package markdown

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// maxNesting bounds how deep the tree of one text is followed; what is deeper is dropped from the styles, not the text.
const maxNesting = 200

// spanner turns the inline part of a tree into spans. It is used for one document.
type spanner struct {
	src  string // what the tree's segments point into
	open bool   // running text: the end is not decided

	linkable func(url string) bool // see Options.Linkable

	spans []Span // grows in one array; results are slices of it
	start int    // where the current result begins

	// from and to are where the last span's text stands in src, if it is a slice of it; to is -1 if not. Neighbours in the
	// source become one slice, so that reading a paragraph line by line copies nothing.
	from, to int

	depth [4]int // how often each style is open
	link  int
	url   string
	links int
	notes []string // the labels of the footnotes so far; a label's number is its place, from 1
	auto  bool
	aside string // the address of an open <a> that is no link
	line  bool   // what comes begins a line, by what HTML says
}

// begin starts a result.
func (s *spanner) begin() {
	s.start = len(s.spans)
	s.to = -1
	s.depth = [4]int{}
	s.link, s.url, s.aside, s.line = 0, "", "", false
}

// safe returns the address if it may be a link here, else "".
func (s *spanner) safe(url string) string {
	if url = SafeURL(url); url != "" && s.linkable != nil && !s.linkable(url) {
		return ""
	}
	return url
}

// end returns the result. Line breaks at either end are dropped.
func (s *spanner) end() []Span {
	out := s.spans[s.start:len(s.spans):len(s.spans)]
	for len(out) > 0 {
		t := strings.TrimLeft(out[0].Text, " \t\n")
		if out[0].Style&Mono != 0 && t != "" || t == out[0].Text && t != "" {
			break
		}
		if t != "" {
			out[0].Text = t
			break
		}
		if out[0].Image {
			break
		}
		out = out[1:]
	}
	for len(out) > 0 {
		last := &out[len(out)-1]
		t := strings.TrimRight(last.Text, " \t\n")
		if last.Style&Mono != 0 && t != "" || t == last.Text && t != "" {
			break
		}
		if t != "" {
			last.Text = t
			break
		}
		if last.Image {
			break
		}
		out = out[:len(out)-1]
	}
	return out
}

func (s *spanner) style() Style {
	var st Style
	for i, n := range s.depth {
		if n > 0 {
			st |= 1 << i
		}
	}
	return st
}

// text adds literal text in the current style.
func (s *spanner) text(t string) { s.add(t, s.style()) }

func (s *spanner) add(t string, st Style) {
	if t == "" {
		return
	}
	if s.line {
		s.breakBefore(t)
	}
	if last := s.same(st); last != nil {
		last.Text += t
	} else {
		s.spans = append(s.spans, Span{Text: t, Style: st, URL: s.url, Link: s.link, Auto: s.auto})
	}
	s.to = -1
}

// slice adds src[from:to] as it is.
func (s *spanner) slice(from, to int, st Style) {
	if from >= to {
		return
	}
	if s.line {
		s.breakBefore(s.src[from:to])
	}
	last := s.same(st)
	switch {
	case last != nil && s.to == from:
		last.Text = s.src[s.from:to]
	case last != nil:
		s.add(s.src[from:to], st)
		return
	default:
		s.spans = append(s.spans, Span{Text: s.src[from:to], Style: st, URL: s.url, Link: s.link, Auto: s.auto})
		s.from = from
	}
	s.to = to
}

// same is the last span if text of this style goes on in it.
func (s *spanner) same(st Style) *Span {
	if n := len(s.spans); n > s.start {
		last := &s.spans[n-1]
		if last.Style == st && last.Link == s.link && !last.Image && last.Auto == s.auto {
			return last
		}
	}
	return nil
}

// lineBreak ends a line; the source at from is what stands there.
func (s *spanner) lineBreak(from int) {
	if from == s.to && from < len(s.src) && s.src[from] == '\n' {
		s.slice(from, from+1, s.style())
		return
	}
	s.add("\n", s.style())
}

// image adds a picture; one in the label of a link leads where the link does.
func (s *spanner) image(alt, src string) {
	if s.line {
		s.breakBefore(alt)
	}
	if s.link != 0 {
		if alt == "" {
			alt = "image"
		}
		s.spans = append(s.spans, Span{Text: alt, Style: s.style() &^ Mono, Image: true, URL: s.url, Link: s.link})
		s.to = -1
		return
	}
	url := s.safe(src)
	if alt == "" {
		alt = "image"
		if url == "" {
			alt = src
		}
	}
	if url == "" && src == "" {
		s.text(alt)
		return
	}
	s.links++
	s.spans = append(s.spans, Span{Text: alt, Style: s.style() &^ Mono, Image: true, URL: url, Link: s.links})
	s.to = -1
}

// children adds what is under n.
func (s *spanner) children(n ast.Node, level int) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			c = s.run(t)
			continue
		}
		s.node(c, level)
	}
}

// run adds text up to the end of the line or to what is not text, and returns its last node. goldmark ends a node
// wherever a parser looked, also inside a character reference.
func (s *spanner) run(t *ast.Text) ast.Node {
	from, to := t.Segment.Start, t.Segment.Stop
	last := t
	for !last.SoftLineBreak() && !last.HardLineBreak() {
		next, ok := last.NextSibling().(*ast.Text)
		if !ok || next.Segment.Start != to || next.IsRaw() != t.IsRaw() {
			break
		}
		last, to = next, next.Segment.Stop
	}
	if t.IsRaw() || plain(s.src[from:to]) {
		s.slice(from, to, s.style())
	} else {
		s.text(unescape(s.src[from:to]))
	}
	if last.SoftLineBreak() || last.HardLineBreak() {
		s.lineBreak(last.Segment.Stop)
	}
	return last
}

func (s *spanner) node(n ast.Node, level int) {
	if level > maxNesting {
		s.text(plainText(n, s.src))
		return
	}
	switch n := n.(type) {
	case *ast.String:
		s.text(string(n.Value))
	case *ast.CodeSpan:
		s.code(n)
	case *mathNode:
		s.add(strings.TrimSpace(s.src[n.tex.Start:n.tex.Stop]), s.style()|Mono)
	case *footnoteMarkNode:
		s.text(s.mark(s.src[n.label.Start:n.label.Stop]))
	case *ast.Emphasis:
		i := 1
		if n.Level == 2 {
			i = 0
		}
		s.styled(i, n, level)
	case *extast.Strikethrough:
		s.styled(2, n, level)
	case *ast.Link:
		s.linked(n, level)
	case *ast.Image:
		s.image(plainText(n, s.src), unescape(string(n.Destination)))
	case *ast.AutoLink:
		s.autoLink(n)
	case *ast.RawHTML:
		s.rawHTML(n)
	default:
		s.children(n, level+1)
	}
}

// mark is what shows of a footnote's label.
func (s *spanner) mark(label string) string {
	label = strings.ToLower(label)
	i := slices.Index(s.notes, label)
	if i < 0 {
		i = len(s.notes)
		s.notes = append(s.notes, strings.Clone(label)) // of a source that need not be kept
	}
	return "[" + strconv.Itoa(i+1) + "]"
}

func (s *spanner) styled(i int, n ast.Node, level int) {
	s.depth[i]++
	s.children(n, level+1)
	s.depth[i] = max(s.depth[i]-1, 0)
}

func (s *spanner) linked(n *ast.Link, level int) {
	dest := unescape(string(n.Destination))
	url := s.safe(dest)
	oldLink, oldURL := s.link, s.url
	if url != "" {
		s.links++
		s.link, s.url = s.links, url
	}
	before := len(s.spans)
	s.children(n, level+1)
	if len(s.spans) == before && url != "" {
		s.auto = true
		s.text(dest) // a link without words
		s.auto = false
	}
	s.link, s.url = oldLink, oldURL
	if url == "" && dest != "" {
		s.text(" (" + withoutScheme(dest) + ")")
	}
}

func (s *spanner) autoLink(n *ast.AutoLink) {
	label := string(n.Label([]byte(s.src)))
	url := string(n.URL([]byte(s.src)))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(url, "mailto:") {
		url = "mailto:" + url
	}
	if url = s.safe(url); url == "" {
		s.text(label)
		return
	}
	oldLink, oldURL := s.link, s.url
	s.links++
	s.link, s.url, s.auto = s.links, url, true
	s.text(label)
	s.link, s.url, s.auto = oldLink, oldURL, false
}

func (s *spanner) rawHTML(n *ast.RawHTML) {
	raw := s.src[n.Segments.At(0).Start:n.Segments.At(0).Stop]
	if n.Segments.Len() > 1 {
		raw = string(n.Segments.Value([]byte(s.src)))
	}
	if t, length, _ := scanTag(raw); length == len(raw) {
		s.tag(t, raw)
		return
	}
	if strings.HasPrefix(raw, "<!--") || strings.HasPrefix(raw, "<?") || strings.HasPrefix(raw, "<!") {
		return
	}
	s.text(raw)
}

// code adds a code span: line ends are spaces.
func (s *spanner) code(n ast.Node) {
	st := s.style() | Mono
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		txt, ok := c.(*ast.Text)
		if !ok {
			continue
		}
		from, to := txt.Segment.Start, txt.Segment.Stop
		if i := strings.IndexAny(s.src[from:to], "\r\n"); i < 0 {
			s.slice(from, to, st)
		} else {
			s.add(strings.TrimRight(s.src[from:to], "\r\n")+" ", st)
		}
	}
}

// plainText is the text under n without styles.
func plainText(n ast.Node, src string) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			t := src[n.Segment.Start:n.Segment.Stop]
			if !n.IsRaw() {
				t = unescape(t)
			}
			b.WriteString(t)
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *mathNode:
			b.WriteString(src[n.tex.Start:n.tex.Stop])
		case *ast.AutoLink:
			b.Write(n.Label([]byte(src)))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// plain reports whether t has nothing to unescape.
func plain(t string) bool {
	return strings.IndexByte(t, '\\') < 0 && strings.IndexByte(t, '&') < 0
}

// unescape resolves backslash escapes and character references.
func unescape(t string) string {
	if plain(t) {
		return t
	}
	b := make([]byte, 0, len(t))
	for i := 0; i < len(t); i++ {
		switch c := t[i]; {
		case c == '\\' && i+1 < len(t) && util.IsPunct(t[i+1]):
			i++
			b = append(b, t[i])
		case c == '&':
			if s, n := reference(t[i:]); n > 0 {
				b = append(b, s...)
				i += n - 1
				continue
			}
			b = append(b, c)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// reference resolves the character reference at the start of t and returns its length; 0 if it is none.
func reference(t string) (string, int) {
	end := strings.IndexByte(t[:min(len(t), 34)], ';')
	if end < 2 {
		return "", 0
	}
	if t[1] == '#' {
		v := util.ResolveNumericReferences([]byte(t[:end+1]))
		if string(v) == t[:end+1] || !utf8.Valid(v) {
			return "", 0
		}
		return string(v), end + 1
	}
	if e, ok := util.LookUpHTML5EntityByName(t[1:end]); ok {
		return string(e.Characters), end + 1
	}
	return "", 0
}
