package agent

import "strings"

// thinkSplitter separates what a model puts between <think> and </think> from its answer. Tags may be split over any
// number of pieces. The zero value is ready.
type thinkSplitter struct {
	held    string          // the start of what may become a tag
	inside  bool            // between the tags
	thought strings.Builder // of the open block; it is answer text after all if the block is never closed
	cut     bool            // the open block is longer than is kept
}

const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
	// maxThought bounds the text of one open block, in bytes.
	maxThought = 256 << 10
)

// add takes the next piece. thoughtGrew is true if the text of thought changed; closed if a block ended.
func (s *thinkSplitter) add(piece string) (answer string, thoughtGrew, closed bool) {
	if !s.inside && s.held == "" && !strings.Contains(piece, "<") {
		return piece, false, false // the usual case
	}
	text := s.held + piece
	s.held = ""
	var out strings.Builder
	for text != "" {
		tag := thinkOpen
		if s.inside {
			tag = thinkClose
		}
		i := strings.Index(text, tag)
		rest := ""
		keep := text
		if i >= 0 {
			keep, rest = text[:i], text[i+len(tag):]
		} else if n := partialSuffix(text, tag); n > 0 {
			keep, s.held = text[:len(text)-n], text[len(text)-n:]
		}
		if s.inside {
			if s.thought.Len()+len(keep) <= maxThought {
				s.thought.WriteString(keep)
			} else {
				s.cut = true
			}
			thoughtGrew = thoughtGrew || keep != ""
		} else {
			out.WriteString(keep)
		}
		if i < 0 {
			break
		}
		closed = closed || s.inside
		if s.inside {
			rest = strings.TrimLeft(rest, "\r\n")
		} else {
			s.thought.Reset()
		}
		s.inside = !s.inside
		text = rest
	}
	return out.String(), thoughtGrew, closed
}

// end returns what has been held back: a block that was never closed, or half a tag, is answer text.
func (s *thinkSplitter) end() string {
	text := s.held
	if s.inside {
		text = s.thought.String() + s.held
	}
	*s = thinkSplitter{}
	return text
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
