package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing wrong with the configuration.
type Problem struct {
	File string
	Line int // from 1; 0 if the file as a whole is meant
	// Column counts characters, from 1.
	Column int
	Path   string // of the key, as in bots[0].stream.mode; "" for the whole file
	What   string // one line, without secrets
	Mend   string // one line; may be ""
}

// String is the problem in one line: file:line:col: path: what; mend.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.What)
	if p.Mend != "" {
		b.WriteString("; " + p.Mend)
	}
	return b.String()
}

// Error is all that is wrong with a configuration, in the order of the file.
type Error struct {
	Problems []Problem
}

// Error has one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds the list: past it the file is most likely not a configuration at all.
const maxProblems = 200

// problems collects what is wrong. It keeps hidden values out.
type problems struct {
	list   []Problem
	hidden []hidden
	more   int
}

// hidden is a value that no problem may show, and what to show in its place.
type hidden struct{ value, shown string }

// hide keeps a secret out of all problems. Short ones would be found in any text; those who report them do not quote them.
func (p *problems) hide(value, shown string) {
	if h := (hidden{value, shown}); len(value) >= 6 && !slices.Contains(p.hidden, h) {
		p.hidden = append(p.hidden, h)
	}
}

func (p *problems) add(found Problem) {
	if len(p.list) >= maxProblems {
		p.more++
		return
	}
	p.list = append(p.list, found)
}

// err is nil if there are none.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	// The longest first, so that a value which is part of another does not break that one up.
	slices.SortStableFunc(p.hidden, func(a, b hidden) int { return cmp.Compare(len(b.value), len(a.value)) })
	for i := range p.list {
		f := &p.list[i]
		for _, text := range []*string{&f.What, &f.Mend, &f.Path} {
			*text = oneLine(conceal(*text, p.hidden))
		}
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if p.more > 0 {
		p.list = append(p.list, Problem{File: p.list[0].File, What: fmt.Sprintf("%d more problems", p.more)})
	}
	return &Error{Problems: p.list}
}

// conceal replaces values in text, as they are and as %q writes them.
func conceal(text string, values []hidden) string {
	for _, h := range values {
		quoted := strconv.Quote(h.value)
		text = strings.ReplaceAll(text, quoted[1:len(quoted)-1], h.shown)
		text = strings.ReplaceAll(text, h.value, h.shown)
	}
	return text
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

// quote shows a value that stands in the file, cut if it is long.
func quote(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
