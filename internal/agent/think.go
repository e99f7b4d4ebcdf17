package agent

import "strings"

const (
	// maxText bounds the text of one answer, in bytes: as much as a reply shows.
	maxText = 1 << 20
	// maxThought bounds what is kept of one open block of reasoning, in bytes. It is answer text after all if it is never
	// closed, so it is kept longer than it is shown.
	maxThought = 256 << 10
)

const (
	thinkOpen    = "<think>"
	thinkClose   = "</think>"
	detailsClose = "</details>"
)

// thinkSplitter separates what a model thinks from its answer: what stands between <think> and </think>, or in a
// <details> block whose summary says so, as servers wrote it before they passed the model's own tags on
// (https://docs.dify.ai/api-reference, reasoning_format). Tags may be split over any number of pieces; in code they are
// text. The zero value is ready.
type thinkSplitter struct {
	text    strings.Builder // the answer so far, at most maxText
	full    bool            // there was more
	code    codeScanner
	held    string          // the start of what may become a tag
	closing string          // the tag that ends the open block; "" outside of one
	thought strings.Builder // of the open block, at most maxThought
	cut     bool            // the open block was longer
	blocks  int             // that were closed
}

// block is what is known of one block of reasoning.
type block struct {
	n    int // from 0
	text string
}

// add takes the next piece and returns what it adds to the answer, and the blocks that have grown.
func (s *thinkSplitter) add(piece string) (answer string, grown []block) {
	if s.closing == "" && s.held == "" && strings.IndexByte(piece, '<') < 0 {
		return s.keep(piece), nil // the usual case
	}
	text, from := s.held+piece, s.text.Len()
	s.held = ""
	for text != "" {
		if s.closing == "" {
			text = s.outside(text)
			continue
		}
		i := strings.Index(text, s.closing)
		inner, rest := text, ""
		if i >= 0 {
			inner, rest = text[:i], strings.TrimLeft(text[i+len(s.closing):], "\r\n")
		} else if n := partialSuffix(text, s.closing); n > 0 {
			inner, s.held = text[:len(text)-n], text[len(text)-n:]
		}
		if room := maxThought - s.thought.Len(); len(inner) > room {
			inner, s.cut = clip(inner, room), true
		}
		s.thought.WriteString(inner)
		if inner != "" {
			grown = append(grown, block{n: s.blocks, text: strings.TrimSpace(s.thought.String())})
		}
		if i >= 0 {
			s.closing, s.cut = "", false
			s.thought = strings.Builder{} // what was taken from it stays as it is
			s.blocks++
		}
		text = rest
	}
	return s.text.String()[from:], grown
}

// outside takes answer text up to the next tag that opens a block, and returns what follows.
func (s *thinkSplitter) outside(text string) string {
	for at := 0; ; at++ {
		i := strings.IndexByte(text[at:], '<')
		if i < 0 {
			s.keep(text)
			return ""
		}
		at += i
		n, closing, more := opening(text[at:])
		switch {
		case more:
			s.keep(text[:at])
			s.held = text[at:]
			return ""
		case n == 0:
			continue
		}
		s.keep(text[:at])
		if s.full || !s.code.inside(s.text.String(), s.text.Len()) {
			s.closing = closing
			return text[at+n:]
		}
		s.keep(text[at : at+n])
		text, at = text[at+n:], -1
	}
}

// keep adds to the answer as far as there is room, and returns what it has added.
func (s *thinkSplitter) keep(text string) string {
	if room := maxText - s.text.Len(); s.full || len(text) > room {
		if s.full {
			return ""
		}
		text, s.full = clip(text, room), true
	}
	s.text.WriteString(text)
	return text
}

// end returns what has been held back: a block that was never closed, or half a tag, is answer text. cut is true if some of
// it is gone.
func (s *thinkSplitter) end() (answer string, unclosed, cut bool) {
	text := s.held
	if s.closing != "" {
		unclosed, cut = true, s.cut
		text = strings.TrimLeft(s.thought.String()+s.held, "\r\n")
	}
	s.held, s.closing, s.cut, s.thought = "", "", false, strings.Builder{}
	return s.keep(text), unclosed, cut
}

// opening reads the tag at the start of s, which begins with '<', and returns its length and the tag that closes the block;
// 0 if it opens none. more is true if that cannot be told yet.
func opening(s string) (n int, closing string, more bool) {
	if strings.HasPrefix(s, thinkOpen) {
		return len(thinkOpen), thinkClose, false
	}
	if strings.HasPrefix(thinkOpen, s) {
		return 0, "", true
	}
	n, more = detailsOpening(s)
	return n, detailsClose, more
}

// reasoningSummaries are how the summary of a block of reasoning begins, in lower case.
var reasoningSummaries = []string{"thinking", "thought", "reasoning"}

// detailsOpening reads <details …> <summary> Thinking... </summary> at the start of s. Blocks with other summaries belong to
// the answer.
func detailsOpening(s string) (n int, more bool) {
	const longest = 400 // with the style that servers give it
	if len(s) > longest {
		s = s[:longest]
	}
	at := 0
	open := func(name string) (ok, more bool) {
		rest := strings.TrimLeft(s[at:], " \t\r\n")
		start := len(s) - len(rest)
		if len(rest) < len(name) {
			return false, strings.HasPrefix(name, rest)
		}
		end := strings.IndexByte(rest, '>')
		if !strings.HasPrefix(rest, name) || end < 0 {
			return false, strings.HasPrefix(rest, name)
		}
		at = start + end + 1
		return true, false
	}
	decided := len(s) == longest // what is not clear by now is not what is looked for
	if ok, more := open("<details"); !ok {
		return 0, more && !decided
	}
	if ok, more := open("<summary"); !ok {
		return 0, more && !decided
	}
	label := strings.ToLower(strings.TrimLeft(s[at:], " \t\r\n"))
	reasoning, open2 := false, false
	for _, word := range reasoningSummaries {
		reasoning = reasoning || strings.HasPrefix(label, word)
		open2 = open2 || strings.HasPrefix(word, label)
	}
	if !reasoning {
		return 0, open2 && !decided
	}
	const summaryClose = "</summary>"
	end := strings.Index(s[at:], summaryClose)
	if end < 0 {
		return 0, !decided
	}
	return at + end + len(summaryClose), false
}

// partialSuffix is the length of the longest end of text that begins tag.
func partialSuffix(text, tag string) int {
	for n := min(len(tag)-1, len(text)); n > 0; n-- {
		if strings.HasPrefix(tag, text[len(text)-n:]) {
			return n
		}
	}
	return 0
}
