package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// csvWriter writes rows that are safe to open in a spreadsheet.
type csvWriter struct {
	w *csv.Writer
}

func newCSV(w io.Writer) *csvWriter { return &csvWriter{w: csv.NewWriter(w)} }

// row writes one row; an error is kept for end.
func (c *csvWriter) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = guardCell(cell)
	}
	_ = c.w.Write(cells) // the writer keeps its first error, and Error returns it
}

// end writes out what is held back. err is why the rows end early; nil if they do not.
func (c *csvWriter) end(err error) error {
	c.w.Flush()
	if err != nil {
		return err
	}
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// guardCell puts ' before what a spreadsheet would take for a formula, so that a name or an emoji of a stranger's making runs
// nothing (https://owasp.org/www-community/attacks/CSV_Injection). A whole number below zero, as Telegram's rooms have for
// ids, is no formula and stays.
func guardCell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(s)[0]) || isNegative(s) {
		return s
	}
	return "'" + s
}

// isNegative tells whether s is - and digits.
func isNegative(s string) bool {
	digits, ok := strings.CutPrefix(s, "-")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
