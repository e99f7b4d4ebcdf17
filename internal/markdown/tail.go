package markdown

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// openRun is a run of emphasis that waits for its end.
type openRun struct {
	c    byte
	n    int // characters that are not matched yet
	from int // where it begins
	to   int // where its text begins
}

// bracket is an opening bracket that waits for its end.
type bracket struct {
	at    int
	image bool
	runs  int // how many runs were open before it
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
			if _, whole := inlineMath([]byte(t.s[i:min(len(t.s), i+maxMath)])); whole > 0 {
				i += whole
			} else {
				i++
			}
		case '<':
			i = t.angle(i)
		case '&':
			rest := t.s[i+1:]
			if len(rest) < 32 && strings.IndexFunc(rest, notInReference) < 0 {
				t.cut = i
			}
			i++
		case '!':
			if i+1 == len(t.s) {
				t.cut = i
			}
			i++
		case '[':
			i = t.openBracket(i)
		case ']':
			i = t.closeBracket(i)
		case '*', '_', '~':
			i = t.emphasis(i)
		default:
			i++
		}
	}
}

func notInReference(r rune) bool {
	return r != '#' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
}

func (t *tailScanner) backslash(i int) int {
	if i+1 == len(t.s) {
		t.cut = i
		return i + 1
	}
	c := t.s[i+1]
	if c != '(' && c != '[' {
		return i + 2
	}
	if _, whole := inlineMath([]byte(t.s[i:min(len(t.s), i+maxMath)])); whole > 0 {
		return i + whole
	}
	if len(t.s)-i >= maxMath {
		return i + 2
	}
	t.math = `\)`
	if c == '[' {
		t.math = `\]`
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
	const most = 500
	rest := t.s[i:]
	if len(rest) == 1 {
		t.cut = i
		return i + 1
	}
	_, n, whole := scanTag(rest)
	if n > 0 {
		return i + n
	}
	if !whole && len(rest) < most {
		t.cut = i
		return i + 1
	}
	// an address in angle brackets
	if end := strings.IndexAny(rest, "> \n"); end < 0 {
		if len(rest) < most && strings.IndexByte(rest, ':') > 0 {
			t.cut = i
		}
	} else if rest[end] == '>' && strings.IndexByte(rest[:end], ':') > 0 {
		return i + end + 1
	}
	return i + 1
}

func (t *tailScanner) openBracket(i int) int {
	rest := t.s[i:]
	if n := footnoteLabel([]byte(rest[:min(len(rest), 70)])); n > 0 {
		return i + n
	}
	if len(rest) == 1 || strings.HasPrefix(rest, "[^") && len(rest) < 64 && !strings.ContainsAny(rest, " \n]") {
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
	whole := true
	switch {
	case next == len(t.s):
		whole = false
	case t.s[next] == '(':
		next, whole = linkEnd(t.s, next)
	case t.s[next] == '[':
		if j := strings.IndexByte(t.s[next:], ']'); j >= 0 {
			next += j + 1
		} else {
			whole = len(t.s)-next > 300
		}
	default:
		return next
	}
	if whole {
		t.runs = t.runs[:min(b.runs, len(t.runs))]
		return next
	}
	if b.image {
		t.cut = b.at - 1
		return next
	}
	t.cut, t.unlink = i, b.at
	return next
}

// linkEnd returns where the part of a link in parentheses, which begins at i, ends. whole is false if it does not.
func linkEnd(s string, i int) (int, bool) {
	const most = 2000
	depth := 0
	for j := i; j < len(s) && j-i < most; j++ {
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
	return i + 1, len(s)-i >= most
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
	canOpen, canClose := flanking(c, before, after)
	if canClose {
		n = t.match(c, n)
	}
	if n > 0 && canOpen {
		t.runs = append(t.runs, openRun{c: c, n: n, from: end - n, to: end})
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
	var drop []int // brackets that do not show
	if t.unlink >= 0 {
		drop = append(drop, t.unlink)
	}
	for _, b := range t.brackets {
		if b.image && b.at-1 < end {
			end = b.at - 1
		} else if b.at < end {
			drop = append(drop, b.at)
		}
	}
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
	runs := t.runs
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
	if end == len(t.s) && len(drop) == 0 && len(runs) == 0 && code == 0 && math == "" {
		return t.s
	}
	b := make([]byte, 0, end+16)
	for i := range end {
		if !slices.Contains(drop, i) {
			b = append(b, t.s[i])
		}
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
