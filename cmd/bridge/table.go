package main

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// table is rows of cells under a header, set in columns of one width each. Cells may hold anything that people or ClickAI
// wrote: what a terminal would act on is taken out.
type table struct {
	header []string
	rows   [][]string
}

// columnGap stands between two columns.
const columnGap = "  "

func (t *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = cleanLine(c)
	}
	t.rows = append(t.rows, cells)
}

// print writes the table. text/tabwriter counts characters, which puts columns out of line where one takes two places.
func (t *table) print(w io.Writer) error {
	widths := make([]int, len(t.header))
	for _, row := range append([][]string{t.header}, t.rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(c))
		}
	}
	var b strings.Builder
	for _, row := range append([][]string{t.header}, t.rows...) {
		for i, c := range row {
			b.WriteString(c)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(c)) + columnGap)
			}
		}
		line := strings.TrimRight(b.String(), " ") + "\n"
		b.Reset()
		if _, err := io.WriteString(w, line); err != nil {
			return err
		}
	}
	return nil
}

// cleanLine makes a text safe to stand in one line of a terminal.
func cleanLine(s string) string { return strings.Join(strings.Fields(cleanText(s)), " ") }

// cleanText takes out what a terminal would act on: control characters but the line feed and the tab, and what turns the
// direction of writing.
func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == '\u2028', r == '\u2029', r == '\u0085':
			return '\n'
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// cutWidth cuts a line to so many places on a terminal.
func cutWidth(s string, width int) string {
	if uniseg.StringWidth(s) <= width {
		return s
	}
	var b strings.Builder
	left := width - 1
	for g := uniseg.NewGraphemes(s); g.Next() && g.Width() <= left; left -= g.Width() {
		b.WriteString(g.Str())
	}
	return b.String() + "…"
}

// printJSON writes one value, indented.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
