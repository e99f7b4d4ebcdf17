package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// What is not broken in a cell that is wrapped, in columns.
const (
	shortWord   = 12 // a word
	shortNumber = 24 // a number, an address of a machine, a date
	longPart    = 8  // the least room for a word that is longer
)

// nextWord returns the word at the start of s and what follows behind the blank. A number and its sign (5 ₫) are one word.
func nextWord(s string) (word, rest string) {
	word, rest, _ = strings.Cut(s, " ")
	if word == "" || !unicode.IsDigit(lastRune(word)) {
		return word, rest
	}
	if sign, after, _ := strings.Cut(rest, " "); isSign(sign) {
		return s[:len(word)+1+len(sign)], after
	}
	return word, rest
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// isSign reports whether s is one character of the kind that stands behind numbers.
func isSign(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && n == len(s) && (unicode.Is(unicode.Sc, r) || r == '%' || r == '‰' || r == '°')
}

// isNumber reports whether most of a word is digits.
func isNumber(word string) bool {
	digits := 0
	for i := range len(word) {
		if isDigit(word[i]) {
			digits++
		}
	}
	return 2*digits >= len(word)
}

// leastWidth is the width that no word of a cell that should stay whole is wider than.
func leastWidth(s string) int {
	least := 1
	for s != "" {
		var word string
		word, s = nextWord(s)
		w := Width(word)
		if w > shortWord && (w > shortNumber || !isNumber(word)) {
			w = longPart
			for state := -1; word != ""; {
				var part string
				part, word, _, state = uniseg.FirstLineSegmentInString(word, state)
				w = max(w, min(Width(part), shortWord))
			}
		}
		least = max(least, w)
	}
	return least
}

// wrap breaks s into lines of at most width columns: at blanks, in words that are wider where Unicode allows it
// (https://unicode.org/reports/tr14/), and else between two characters.
func wrap(s string, width int) []string {
	if Width(s) <= width {
		return []string{s}
	}
	w := wrapper{width: width}
	for s != "" {
		word, rest := nextWord(s)
		blank := len(w.lines) > 0 || w.used > 0
		s = rest
		if word != "" {
			w.word(word, blank)
		}
	}
	return append(w.lines, w.line.String())
}

// wrapper fills lines.
type wrapper struct {
	lines []string
	line  strings.Builder
	used  int // columns of line
	width int
}

// word adds a word, with a blank before it if it is not the first on the line.
func (w *wrapper) word(word string, blank bool) {
	n := Width(word)
	if blank && w.used > 0 {
		if w.used+1+n > w.width && (n <= w.width || w.used+2 > w.width) {
			w.next()
		} else {
			w.line.WriteByte(' ')
			w.used++
		}
	}
	if w.used+n <= w.width {
		w.put(word, n)
		return
	}
	for state := -1; word != ""; {
		var part string
		part, word, _, state = uniseg.FirstLineSegmentInString(word, state)
		w.part(part)
	}
}

// part adds a part of a word, before which the line may be broken.
func (w *wrapper) part(s string) {
	n := Width(s)
	if w.used > 0 && w.used+n > w.width {
		w.next()
	}
	if n <= w.width {
		w.put(s, n)
		return
	}
	for state := -1; s != ""; {
		var cluster string
		cluster, s, n, state = uniseg.FirstGraphemeClusterInString(s, state)
		if w.used > 0 && w.used+n > w.width {
			w.next()
		}
		w.put(cluster, n)
	}
}

func (w *wrapper) put(s string, n int) {
	w.line.WriteString(s)
	w.used += n
}

func (w *wrapper) next() {
	w.lines = append(w.lines, strings.TrimRight(w.line.String(), " "))
	w.line.Reset()
	w.used = 0
}
