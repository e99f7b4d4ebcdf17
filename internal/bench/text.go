package bench

import (
	"strings"
	"unicode"
)

const (
	seqDigits  = 6
	tagLetters = 4
	wordLen    = 1 + seqDigits + tagLetters

	maxAnswers = 26 * 26 * 26 * 26
	maxPieces  = 1_000_000
)

// text makes the pieces of one answer. They depend on nothing but its fields and are made anew when they are needed.
type text struct {
	seed  uint64
	id    int // of the answer
	bytes int // of a piece, about
}

// filler is what stands between the words that count.
var filler = []string{
	"answer", "bridge", "channel", "thời", "delivery", "edit", "forward", "group", "hạn", "interval", "journal", "keeps",
	"letters", "message", "number", "open", "people", "question", "rooms", "state", "thread", "update", "văn", "writes",
}

// appendWord appends the word that names piece seq of an answer.
func appendWord(dst []byte, id, seq int) []byte {
	dst = append(dst, 'w')
	for div := maxPieces / 10; div > 0; div /= 10 {
		dst = append(dst, byte('0'+seq/div%10))
	}
	return appendTag(dst, id)
}

func appendTag(dst []byte, id int) []byte {
	for div := maxAnswers / 26; div > 0; div /= 26 {
		dst = append(dst, byte('a'+id/div%26))
	}
	return dst
}

// The layout repeats every so many pieces.
const (
	layout    = 96
	listFrom  = 24
	listTo    = 30
	fenceFrom = 48
	fenceTo   = 54
)

// appendPiece appends piece seq: Markdown that begins with what separates it from the piece before.
func (t text) appendPiece(dst []byte, seq int) []byte {
	end := len(dst) + t.bytes
	p := seq % layout
	before, after := " ", ""
	switch {
	case seq == 0:
		before = "## "
	case p == 0:
		before = "\n\n## "
	case p == 1, p == listTo, p == 60, p == 78:
		before = "\n\n"
	case p == listFrom:
		before = "\n\n- "
	case p > listFrom && p < listTo:
		before = "\n- "
	case p == fenceFrom:
		before = "\n\n```\n"
	case p > fenceFrom && p < fenceTo:
		before = "\n"
	case p == fenceTo:
		before = "\n```\n\n"
	}
	fenced := p >= fenceFrom && p < fenceTo
	switch {
	case fenced || p == 0:
	case p%7 == 3:
		before, after = before+"**", "**"
	case p%11 == 5:
		before, after = before+"`", "`"
	}
	dst = append(dst, before...)
	dst = appendWord(dst, t.id, seq)
	dst = t.fill(dst, seq, end-len(after))
	return append(dst, after...)
}

// fill appends words up to a length.
func (t text) fill(dst []byte, seq, end int) []byte {
	random := mix(t.seed + uint64(t.id)<<32 + uint64(seq))
	for {
		room := end - len(dst)
		word := filler[random%uint64(len(filler))]
		random = mix(random)
		switch {
		case room <= 0:
			return dst
		case room == 1:
			return append(dst, '.')
		case len(word) < room:
			dst = append(dst, ' ')
			dst = append(dst, word...)
		default:
			dst = append(dst, ' ')
			return append(dst, "abcdefghijklmnopqrstuvwxyz"[:room-1]...)
		}
	}
}

// mix is the output function of SplitMix64 (https://prng.di.unimi.it/splitmix64.c): any input gives a random-looking output.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// word is a place in an answer that a shown text names.
type word struct{ id, seq int }

// words finds the words that name pieces.
func words(s string, found []word) []word {
	for i := 0; i+wordLen <= len(s); i++ {
		if s[i] != 'w' || i > 0 && alphanumeric(s[i-1]) {
			continue
		}
		if w, ok := readWord(s[i : i+wordLen]); ok && (i+wordLen == len(s) || !alphanumeric(s[i+wordLen])) {
			found = append(found, w)
			i += wordLen - 1
		}
	}
	return found
}

func readWord(s string) (w word, ok bool) {
	for i := 1; i < wordLen; i++ {
		c := s[i]
		switch {
		case i <= seqDigits && c >= '0' && c <= '9':
			w.seq = w.seq*10 + int(c-'0')
		case i > seqDigits && c >= 'a' && c <= 'z':
			w.id = w.id*26 + int(c-'a')
		default:
			return w, false
		}
	}
	return w, true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// essence is what must be the same in what was sent and in what is shown: letters, digits and punctuation.
func essence(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune(".,;:", r) {
			return r
		}
		return -1
	}, s)
}

// question names an answer in what a person writes.
func question(id int) string { return "Please tell me about q" + string(appendTag(nil, id)) }

// answerOf finds the answer that a query asks for.
func answerOf(query string) (id int, ok bool) {
	_, tag, ok := strings.Cut(query, "about q")
	if !ok || len(tag) < tagLetters {
		return 0, false
	}
	for i := range tagLetters {
		c := tag[i]
		if c < 'a' || c > 'z' {
			return 0, false
		}
		id = id*26 + int(c-'a')
	}
	return id, true
}
