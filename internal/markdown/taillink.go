package markdown

import (
	"slices"
	"strings"
)

// bracket is an opening bracket that waits for its end.
type bracket struct {
	at    int
	image bool
	runs  int // how many runs were open before it
}

// Bounds of how long text is held back for the end of what it may be, in bytes; what is longer shows as the characters
// that it is written in.
const (
	maxLabel    = 200 // the label of a link or of a picture
	maxTarget   = 2000
	maxDollars  = 80 // a formula in single dollars
	maxPrice    = 24 // the same, if it begins with a digit: then it is more likely a sum of money
	maxWeak     = 40 // text behind a mark that is more often a character than emphasis: 2*3, ~5
	maxTag      = 500
	maxEntity   = 32
	maxFootnote = 64
)

func (t *tailScanner) openBracket(i int) int {
	rest := t.s[i:]
	if n := footnoteLabel([]byte(rest[:min(len(rest), 70)])); n > 0 {
		return i + n
	}
	if len(rest) == 1 || strings.HasPrefix(rest, "[^") && len(rest) < maxFootnote && !strings.ContainsAny(rest, " \n]") {
		t.cut = i
		return i + 1
	}
	image := i > 0 && t.s[i-1] == '!' && (i == 1 || t.s[i-2] != '\\')
	t.brackets = append(t.brackets, bracket{at: i, image: image, runs: len(t.runs)})
	return i + 1
}

func (t *tailScanner) closeBracket(i int) int {
	if len(t.brackets) == 0 {
		return i + 1
	}
	b := t.brackets[len(t.brackets)-1]
	t.brackets = t.brackets[:len(t.brackets)-1]
	next := i + 1
	if next == len(t.s) {
		t.cut = b.start()
		return next
	}
	if t.s[next] != '(' {
		return next // text, unless the address is defined somewhere
	}
	next, whole := linkEnd(t.s, next)
	if whole {
		t.runs = t.runs[:min(b.runs, len(t.runs))]
		if !b.image { // no link holds another
			t.brackets = slices.DeleteFunc(t.brackets, func(b bracket) bool { return !b.image })
		}
		return next
	}
	if b.image {
		t.cut = b.start()
		return next
	}
	t.cut, t.unlink = i, b.at // it shows as its words while its address comes
	return next
}

// start is where what the bracket begins begins.
func (b bracket) start() int {
	if b.image {
		return b.at - 1
	}
	return b.at
}

// linkEnd returns where the part of a link in parentheses, which begins at i, ends. whole is false if it does not.
func linkEnd(s string, i int) (int, bool) {
	depth := 0
	for j := i; j < len(s) && j-i < maxTarget; j++ {
		switch s[j] {
		case '\\':
			j++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return j + 1, true
			}
		case '\n':
			if j+1 < len(s) && s[j+1] == '\n' {
				return i + 1, true
			}
		}
	}
	return i + 1, len(s)-i >= maxTarget
}
