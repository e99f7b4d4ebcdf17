package gallery

import (
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

// leastColumn is the width below which no column is squeezed.
const leastColumn = 6

// drawTable draws a table that the platform itself draws, at most n columns wide where its columns allow that.
func drawTable(rows [][]sim.Cell, n int) []string {
	var widths []int
	text := make([][]string, len(rows))
	for i, row := range rows {
		for j, c := range row {
			s := strings.ReplaceAll(marked(c.Spans), "\n", " ")
			text[i] = append(text[i], s)
			if j == len(widths) {
				widths = append(widths, 0)
			}
			widths[j] = max(widths[j], width(s))
		}
	}
	squeeze(widths, n-1-3*len(widths))
	lines := []string{edge("┌", "┬", "┐", widths)}
	for i, row := range rows {
		if i > 0 {
			lines = append(lines, edge("├", "┼", "┤", widths))
		}
		lines = append(lines, drawRow(row, text[i], widths)...)
	}
	return append(lines, edge("└", "┴", "┘", widths))
}

// squeeze takes columns away from the widest until all fit.
func squeeze(widths []int, n int) {
	for {
		total, widest := 0, 0
		for i, w := range widths {
			total += w
			if w > widths[widest] {
				widest = i
			}
		}
		if total <= n || len(widths) == 0 || widths[widest] <= leastColumn {
			return
		}
		widths[widest]--
	}
}

func drawRow(row []sim.Cell, text []string, widths []int) []string {
	cells, height := make([][]string, len(row)), 1
	for j := range row {
		cells[j] = wrap(text[j], widths[j])
		height = max(height, len(cells[j]))
	}
	lines := make([]string, height)
	for k := range lines {
		var b strings.Builder
		for j, w := range widths {
			s, align := "", "left"
			if j < len(row) {
				align = row[j].Align
				if k < len(cells[j]) {
					s = cells[j][k]
				}
			}
			b.WriteString("│ " + pad(s, align, w) + " ")
		}
		lines[k] = b.String() + "│"
	}
	return lines
}

func edge(left, middle, right string, widths []int) string {
	parts := make([]string, 0, len(widths))
	for _, w := range widths {
		parts = append(parts, strings.Repeat("─", w+2))
	}
	return left + strings.Join(parts, middle) + right
}
