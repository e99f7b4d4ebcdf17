package markdown

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/util"
)

// openRun is a run of emphasis that waits for its end.
type openRun struct {
	c    byte
	n    int // characters that are not matched yet
	from int // where it begins
	to   int // where its text begins
	weak bool
}

// tailScanner reads the text of a paragraph for what is open at its end. It knows less than the parser and need not know
// more: what it gets wrong looks odd until the next characters come, but it is still parsed and escaped like all text.
type tailScanner struct {
	s        string
	runs     []openRun
	brackets []bracket
	code     int    // backticks of an open code span; 0: none
	codeFrom int    // where its opening backticks stand
	math     string // what would close open math
	cut      int    // the text from here on is held back; -1: none
	unlink   int    // bracket of a link that is not whole: it shows as its words; -1: none
}

// closeTail returns s so that what is open at its end is closed, and what cannot be shown yet is gone.
func closeTail(s string) string {
	if !strings.ContainsAny(s, "*_~`[<&\\$!") {
		return s
	}
	t := tailScanner{s: s, cut: -1, unlink: -1}
	t.scan()
	return t.close()
}

// isOpen reports whether anything is open at the end of s.
func isOpen(s string) bool {
	if !strings.ContainsAny(s, "*_~`[<&\\$!") {
		return false
	}
	t := tailScanner{s: s, cut: -1, unlink: -1}
	t.scan()
	return len(t.runs) > 0 || len(t.brackets) > 0 || t.code > 0 || t.math != "" || t.cut >= 0
}

func (t *tailScanner) scan() {
	for i := 0; i < len(t.s) && t.cut < 0 && t.code == 0 && t.math == ""; {
		switch t.s[i] {
		case '\\':
			i = t.backslash(i)
		case '`':
			i = t.backticks(i)
		case '$':
			i = t.dollar(i)
		case '<':
			i = t.angle(i)
		case '&':
			rest := t.s[i+1:]
			if len(rest) < maxEntity && strings.IndexFunc(rest, notInReference) < 0 {
				t.cut = i
			}
			i++
		case '!':
			if rest := t.s[i+1:]; rest == "" || rest == "[" {
				t.cut = i
			}
			i++
		case '[':
			i = t.openBracket(i)
		case ']':
			i = t.closeBracket(i)
		case '*', '_', '~':
			i = t.emphasis(i)
		case 'h', 'H', 'w', 'W':
			i = t.address(i)
		default:
			i++
		}
	}
}

func notInReference(r rune) bool {
	return r != '#' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
}

// address passes over a bare link, in which no mark is one.
func (t *tailScanner) address(i int) int {
	if i > 0 && strings.IndexByte(bareLinkTriggers, t.s[i-1]) < 0 && t.s[i-1] != '\n' {
		return i + 1
	}
	line, _, _ := strings.Cut(t.s[i:], "\n")
	return i + max(bareLink(line), 1)
}

// dollar passes over a formula, or holds back what may become one.
func (t *tailScanner) dollar(i int) int {
	rest := t.s[i:min(len(t.s), i+maxMath)]
	n := 1
	for n < len(rest) && rest[n] == '$' {
		n++
	}
	_, whole := inlineMath([]byte(rest))
	most := maxDollars
	if n < len(rest) && isDigit(rest[n]) {
		most = maxPrice
	}
	switch {
	case n == len(rest), n == 1 && whole == len(t.s)-i: // a digit may follow, and then it is none
		t.cut = i
	case whole > 0:
		return i + whole
	case n == 1 && len(rest) < most && mayBeMath(rest):
		t.cut = i
	}
	return i + n
}

// mayBeMath reports whether s, which begins with a dollar, has no end yet.
func mayBeMath(s string) bool {
	if util.IsSpace(s[1]) {
		return false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\n', '$':
			return false
		}
	}
	return true
}

func (t *tailScanner) backslash(i int) int {
	if rest := t.s[i+1:]; rest == "" || rest == "\n" {
		t.cut = i
		return i + 1
	}
	c := t.s[i+1]
	if c != '(' && (c != '[' || len(t.brackets) > 0) { // in a label, brackets are escaped
		return i + 2
	}
	rest, _, _ := strings.Cut(t.s[i:], "\n")
	if _, whole := inlineMath([]byte(rest)); whole > 0 {
		return i + whole
	}
	if len(rest) >= maxMath || i+len(rest) < len(t.s) {
		return i + 2
	}
	t.math = `\)`
	if c == '[' {
		t.math = `\]`
		if content := rest[2:]; !looksLikeTeX(content) {
			t.math = ""
			if len(content) < maxSign && !strings.Contains(content, `\]`) {
				t.cut = i
				return len(t.s)
			}
			return i + 2
		}
	}
	if strings.TrimSpace(strings.TrimSuffix(t.s[i+2:], `\`)) == "" {
		t.math, t.cut = "", i
	}
	return len(t.s)
}

func (t *tailScanner) backticks(i int) int {
	n := 1
	for i+n < len(t.s) && t.s[i+n] == '`' {
		n++
	}
	if i+n == len(t.s) {
		t.cut = i
		return i + n
	}
	for j := i + n; j < len(t.s); {
		if t.s[j] != '`' {
			j++
			continue
		}
		m := 1
		for j+m < len(t.s) && t.s[j+m] == '`' {
			m++
		}
		if m == n {
			return j + m
		}
		j += m
	}
	t.code, t.codeFrom = n, i
	return len(t.s)
}

func (t *tailScanner) angle(i int) int {
	rest := t.s[i:]
	if len(rest) == 1 {
		t.cut = i
		return i + 1
	}
	_, n, whole := scanTag(rest)
	if n > 0 {
		return i + n
	}
	if !whole && len(rest) < maxTag {
		t.cut = i
		return i + 1
	}
	// an address in angle brackets
	if end := strings.IndexAny(rest, "> \n"); end < 0 {
		if len(rest) < maxTag && mayBeAddress(rest[1:]) {
			t.cut = i
		}
	} else if rest[end] == '>' && strings.ContainsAny(rest[:end], ":@") {
		return i + end + 1
	}
	return i + 1
}

// mayBeAddress reports whether s begins as an address of the web or of mail does.
func mayBeAddress(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == ':' || c == '@':
			return i > 0
		case !isWord(rune(c)) && c != '.' && c != '+' && c != '-':
			return false
		}
	}
	return true
}

func (t *tailScanner) emphasis(i int) int {
	c := t.s[i]
	n := 1
	for i+n < len(t.s) && t.s[i+n] == c {
		n++
	}
	end := i + n
	if end == len(t.s) {
		t.cut = i
		return end
	}
	if c == '~' && n > 2 {
		return end
	}
	before, after := '\n', rune(0)
	if i > 0 {
		before, _ = utf8.DecodeLastRuneInString(t.s[:i])
	}
	after, _ = utf8.DecodeRuneInString(t.s[end:])
	canOpen, canClose := flanking(c, n, before, after)
	if canClose {
		n = t.match(c, n)
	}
	if n > 0 && canOpen {
		weak := n == 1 && (c == '~' || isWord(before) && isWord(after))
		t.runs = append(t.runs, openRun{c: c, n: n, from: end - n, to: end, weak: weak})
	}
	return end
}

// match closes open runs of c by n characters and returns how many are left.
func (t *tailScanner) match(c byte, n int) int {
	for k := len(t.runs) - 1; k >= 0 && n > 0; k-- {
		r := &t.runs[k]
		if r.c != c || c == '~' && r.n != n {
			continue
		}
		use := min(r.n, n)
		n -= use
		r.n -= use
		if r.n > 0 {
			t.runs = t.runs[:k+1]
		} else {
			t.runs = t.runs[:k]
		}
	}
	return n
}

func (t *tailScanner) close() string {
	end := len(t.s)
	if t.cut >= 0 {
		end = t.cut
	}
	drop := t.unlink // a bracket that does not show
	for _, b := range t.brackets {
		if at := b.start(); at < end && len(t.s)-at < maxLabel {
			end = at
			break
		}
	}
	runs := t.runs
	for k := range runs {
		if r := &runs[k]; r.weak && r.from < end && len(t.s)-r.from < maxWeak {
			end = r.from
			break
		}
	}
	runs = slices.DeleteFunc(runs, func(r openRun) bool { return r.weak })
	code, math := t.code, t.math
	if code > 0 {
		if end < len(t.s) {
			code = 0
		} else {
			end = len(strings.TrimRight(t.s, "`"))
			if strings.TrimSpace(t.s[t.codeFrom+code:end]) == "" {
				end, code = t.codeFrom, 0
			}
		}
	}
	if math != "" {
		if end < len(t.s) {
			math = ""
		} else {
			end = len(strings.TrimSuffix(t.s, `\`))
		}
	}
	for {
		if code == 0 && math == "" {
			end = len(strings.TrimRight(t.s[:end], " \t\n"))
		}
		if len(runs) == 0 || runs[len(runs)-1].to < end {
			break
		}
		end = min(end, runs[len(runs)-1].from)
		runs = runs[:len(runs)-1]
	}
	if end == len(t.s) && drop < 0 && len(runs) == 0 && code == 0 && math == "" {
		return t.s
	}
	b := make([]byte, 0, end+16)
	if drop >= 0 && drop < end {
		b = append(b, t.s[:drop]...)
		b = append(b, t.s[drop+1:end]...)
	} else {
		b = append(b, t.s[:end]...)
	}
	for range code {
		b = append(b, '`')
	}
	b = append(b, math...)
	for _, r := range slices.Backward(runs) {
		for range r.n {
			b = append(b, r.c)
		}
	}
	return string(b)
}
