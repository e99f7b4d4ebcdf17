package main

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sizes in pixels.
const (
	cell     = 62 // one of the 24 columns of Grafana's grid
	rowUnit  = 26 // one of its units of height
	margin   = 14
	headRoom = 44 // title of the picture
	maxNames = 8  // in a legend
)

var colors = []string{"#2563eb", "#ea580c", "#16a34a", "#9333ea", "#dc2626", "#0891b2", "#ca8a04", "#db2777", "#4b5563", "#65a30d"}

// line is one series of a panel over the time.
type line struct {
	name   string
	points []float64 // NaN where there is none
}

// draw makes the picture.
func draw(d dashboard, h *history) ([]byte, error) {
	if len(h.times) < 2 {
		return nil, fmt.Errorf("%d scrapes are too few", len(h.times))
	}
	var b bytes.Buffer
	height := 0
	for _, p := range d.Panels {
		height = max(height, (p.GridPos.Y+p.GridPos.H)*rowUnit)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui,sans-serif" font-size="12">`+"\n",
		24*cell+2*margin, height+headRoom+margin)
	b.WriteString(`<rect width="100%" height="100%" fill="#f3f4f6"/>` + "\n")
	fmt.Fprintf(&b, `<text x="%d" y="28" font-size="18" font-weight="600">%s</text>`+"\n", margin, html.EscapeString(fmt.Sprintf("%s, %v of a run",
		d.Title, h.times[len(h.times)-1].Round(time.Second))))
	for _, p := range d.Panels {
		x, y, w, ht := p.GridPos.X*cell+margin, p.GridPos.Y*rowUnit+headRoom, p.GridPos.W*cell, p.GridPos.H*rowUnit
		if p.Type == "row" {
			fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="14" font-weight="600" fill="#374151">%s</text>`+"\n", x, y+18, html.EscapeString(p.Title))
			continue
		}
		lines, err := p.lines(h)
		if err != nil {
			return nil, fmt.Errorf("panel %s: %w", p.Title, err)
		}
		fmt.Fprintf(&b, `<g transform="translate(%d %d)"><rect x="2" y="2" width="%d" height="%d" rx="4" fill="#fff" stroke="#d1d5db"/>`, x, y, w-4, ht-4)
		fmt.Fprintf(&b, `<text x="12" y="20" font-weight="600">%s</text>`, html.EscapeString(p.Title))
		if p.Type == "stat" {
			p.drawStat(&b, lines, w, ht)
		} else {
			p.drawLines(&b, lines, h, w, ht)
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

var legendLabel = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// lines are the panel's series, those with the highest last.
func (p panel) lines(h *history) ([]line, error) {
	found := map[string]*line{}
	for _, t := range p.Targets {
		q, err := parseQuery(t.Expr)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Expr, err)
		}
		for i := range h.times {
			for _, s := range q(h, i) {
				name := legendLabel.ReplaceAllStringFunc(t.LegendFormat, func(m string) string { return s.labels[legendLabel.FindStringSubmatch(m)[1]] })
				l := found[name]
				if l == nil {
					l = &line{name, slices.Repeat([]float64{math.NaN()}, len(h.times))}
					found[name] = l
				}
				l.points[i] = s.value
			}
		}
	}
	var all []line
	for _, l := range found {
		if !slices.ContainsFunc(l.points, func(v float64) bool { return !math.IsNaN(v) && v != 0 }) && len(found) > 3 {
			continue // of many, those that stay at 0 are left out
		}
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b line) int { return cmp.Compare(a.name, b.name) })
	return all, nil
}

func (p panel) drawStat(b *bytes.Buffer, lines []line, w, h int) {
	for i, l := range lines {
		v := l.points[len(l.points)-1]
		text := number(v, p.FieldConfig.Defaults.Unit)
		color := "#111827"
		for _, m := range p.FieldConfig.Defaults.Mappings {
			if o, ok := m.Options[strconv.FormatFloat(v, 'f', -1, 64)]; ok {
				text = o.Text
				if o.Color == "red" {
					color = "#dc2626"
				} else {
					color = "#16a34a"
				}
			}
		}
		size, y := 26, h/2+16
		if len(lines) > 1 {
			text, size, y = strings.TrimSpace(l.name+" "+text), 13, 44+i*20
		} else if l.name != "" && p.Title == "Version" {
			text, size = l.name, 14
		}
		fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%d" fill="%s" text-anchor="middle">%s</text>`, w/2, y, size, color, html.EscapeString(text))
	}
}

func (p panel) drawLines(b *bytes.Buffer, lines []line, h *history, w, ht int) {
	const left, top, right, bottom = 52, 32, 14, 56
	if p.FieldConfig.Defaults.Custom.Stacking != nil {
		lines = stacked(lines)
	}
	most := 0.0
	for _, l := range lines {
		for _, v := range l.points {
			if v > most {
				most = v
			}
		}
	}
	most = nice(most)
	pw, ph := float64(w-left-right), float64(ht-top-bottom)
	for i := range 3 {
		y := float64(top) + ph*float64(i)/2
		fmt.Fprintf(b, `<path d="M%d %.1fh%.1f" stroke="#e5e7eb"/><text x="%d" y="%.1f" fill="#6b7280" font-size="10" text-anchor="end">%s</text>`,
			left, y, pw, left-5, y+3, html.EscapeString(number(most*float64(2-i)/2, p.FieldConfig.Defaults.Unit)))
	}
	last := h.times[len(h.times)-1].Seconds()
	for i, l := range lines {
		var path strings.Builder
		move := "M"
		for j, v := range l.points {
			if math.IsNaN(v) {
				move = "M"
				continue
			}
			fmt.Fprintf(&path, "%s%.1f %.1f", move, left+pw*h.times[j].Seconds()/last, float64(top)+ph*(1-v/most))
			move = "L"
		}
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, path.String(), colors[i%len(colors)])
	}
	if len(lines) == 0 {
		fmt.Fprintf(b, `<text x="%d" y="%d" fill="#9ca3af" text-anchor="middle">nothing happened</text>`, w/2, ht/2)
	}
	x, y := 12, ht-38
	for i, l := range lines {
		name := l.name
		if i == maxNames-1 && len(lines) > maxNames {
			name = fmt.Sprintf("and %d more", len(lines)-i)
		}
		if x+len(name)*6+16 > w-8 && x > 12 {
			x, y = 12, y+14
		}
		if y > ht-8 || i >= maxNames {
			break
		}
		fmt.Fprintf(b, `<path d="M%d %dh8" stroke="%s" stroke-width="3"/><text x="%d" y="%d" font-size="10" fill="#374151">%s</text>`,
			x, y-3, colors[i%len(colors)], x+11, y, html.EscapeString(name))
		x += len(name)*6 + 20
	}
}

// stacked puts each line on those before it.
func stacked(lines []line) []line {
	sum := map[int]float64{}
	out := make([]line, 0, len(lines))
	for _, l := range lines {
		points := slices.Clone(l.points)
		for i, v := range points {
			if !math.IsNaN(v) {
				sum[i] += v
				points[i] = sum[i]
			}
		}
		out = append(out, line{l.name, points})
	}
	return out
}

// nice is the next of 1, 2 and 5 times a power of ten.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= v {
			return m * p
		}
	}
	return 10 * p
}

// units are those of Grafana that the dashboard uses.
var units = map[string]string{"ops": "/s", "s": " s", "Bps": "B/s", "bytes": "B", "percentunit": "%", "none": ""}

func number(v float64, unit string) string {
	suffix := units[unit]
	switch {
	case math.IsNaN(v):
		return "–"
	case unit == "percentunit":
		v *= 100
	case unit == "s" && v != 0 && v < 0.1:
		v, suffix = v*1000, " ms"
	}
	steps := []struct {
		at   float64
		text string
	}{{1e9, " G"}, {1e6, " M"}, {1e4, " k"}}
	for _, s := range steps {
		if v >= s.at {
			div := s.at
			if s.at == 1e4 {
				div = 1e3
			}
			return strconv.FormatFloat(v/div, 'g', 3, 64) + s.text + suffix
		}
	}
	if unit == "bytes" {
		suffix = " " + suffix
	}
	return strconv.FormatFloat(v, 'g', 3, 64) + suffix
}
