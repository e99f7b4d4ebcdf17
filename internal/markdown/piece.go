package markdown

import (
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

// nextPiece returns where the first piece of a long paragraph ends and where the next one begins; both are len(src) if it
// is whole. What it decides depends on nothing after the cut, so that it decides the same when the paragraph is longer.
//
// From weight chunk on it takes the end of a line or of a sentence where no markup is open; from 1.2 times that any space
// where none is open; from 1.4 times any space; at 1.5 times it cuts between two characters.
func nextPiece(src string, chunk int, w *Weights) (cut, next int) {
	if chunk <= 0 || len(src) <= chunk/8 {
		return len(src), len(src)
	}
	weight := 0
	for i := 0; i < len(src); i++ {
		c := src[i]
		weight += int(w[c])
		if weight < chunk {
			continue
		}
		if weight > chunk*3/2 {
			return graphemeCut(src, i), graphemeCut(src, i)
		}
		if c != ' ' && c != '\n' && !fullStop(src[:i]) {
			continue
		}
		sentence := c == '\n' || strings.HasSuffix(src[:i], ".") || strings.HasSuffix(src[:i], "!") ||
			strings.HasSuffix(src[:i], "?") || strings.HasSuffix(src[:i], ":") || fullStop(src[:i])
		if weight < chunk*12/10 && !sentence {
			continue
		}
		if weight < chunk*14/10 && isOpen(src[:i]) {
			continue
		}
		end := i
		for end < len(src) && (src[end] == ' ' || src[end] == '\n') && end-i < 8 {
			end++
		}
		if end == len(src) {
			return len(src), len(src)
		}
		return i, end
	}
	return len(src), len(src)
}

// fullStop reports whether s ends in a sentence mark of Chinese or Japanese, after which no space follows.
func fullStop(s string) bool {
	return strings.HasSuffix(s, "。") || strings.HasSuffix(s, "！") || strings.HasSuffix(s, "？")
}

// graphemeCut moves i back to where a character as people see it begins; a character of over 64 bytes is cut.
func graphemeCut(s string, i int) int {
	from := max(0, i-64)
	for from < i && !runeStart(s[from]) {
		from++
	}
	for rest, state := s[from:], -1; rest != ""; {
		cluster, tail, _, next := uniseg.FirstGraphemeClusterInString(rest, state)
		if from+len(cluster) > i {
			break
		}
		from += len(cluster)
		rest, state = tail, next
	}
	if from == 0 {
		from = i
		for from > 0 && !runeStart(s[from]) {
			from--
		}
	}
	return from
}

func runeStart(b byte) bool { return b&0xc0 != 0x80 }

// maxPieces bounds how many pieces are kept of an answer.
const maxPieces = 32

// pieces are pieces of long paragraphs that were read before. One that is followed by another reads the same whatever
// comes after, as long as no definition of a link comes.
type pieces struct {
	src   []string
	spans [][]Span
}

// find returns the spans of a piece; nil if it was not read before.
func (p *pieces) find(src string) []Span {
	if p == nil {
		return nil
	}
	if i := slices.Index(p.src, src); i >= 0 {
		return p.spans[i]
	}
	return nil
}

func (p *pieces) add(src string, spans []Span) {
	if p == nil || len(spans) == 0 {
		return
	}
	if len(p.src) == maxPieces {
		p.src, p.spans = slices.Delete(p.src, 0, 1), slices.Delete(p.spans, 0, 1)
	}
	p.src, p.spans = append(p.src, src), append(p.spans, slices.Clone(spans))
}
