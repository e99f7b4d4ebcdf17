package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Print writes the result as tables for people.
func (r *Result) Print(out io.Writer) error {
	l := r.Load
	where := "bridge and load in processes of their own"
	if l.InProcess {
		where = "bridge and load in one process"
	}
	fmt.Fprintf(out, "%d answers at once on %s, %v chunks/s each of %d bytes, for %v (answers of %v), stream.mode %s\n",
		l.Conversations, strings.Join(l.Platforms, ", "), l.ChunksPerSecond, l.ChunkBytes, seconds(l.DurationSeconds), seconds(l.AnswerSeconds), l.Mode)
	fmt.Fprintf(out, "%d chunks in %d answers, %v to the last text; %s; %d CPUs, %s, %s\n\n",
		l.Pieces, r.Text.Answers, seconds(l.TookSeconds), where, l.CPUs, l.GoVersion, l.OS)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	r.measureTable(w)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	r.countTable(w)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	fmt.Fprintln(out)
	r.Bridge.print(out, "bridge")
	if !r.Load.InProcess {
		r.Generator.print(out, "load process")
	}
	fmt.Fprintf(out, "chunks left %s ms late (median, p99, max): where this is long, the load process is the limit\n", r.Late.three())
	for _, e := range r.Text.Examples {
		fmt.Fprintln(out, "  text:", e)
	}
	for _, v := range r.Against {
		fmt.Fprintln(out, "  against the rules:", v)
	}
	if r.OK() {
		fmt.Fprintln(out, "✓ every answer is shown whole, once and in order, and every limit was kept")
	}
	for _, p := range r.Problems {
		fmt.Fprintln(out, "✗", p)
	}
	return nil
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(100 * time.Millisecond)
}

func (v Values) two() string {
	if v.Count == 0 {
		return "–"
	}
	return number(v.Median) + " / " + number(v.P99)
}

func (v Values) three() string {
	if v.Count == 0 {
		return "–"
	}
	return v.two() + " / " + number(v.Max)
}

// number has three significant digits or all before the point.
func number(ms float64) string {
	switch {
	case ms >= 100:
		return strconv.FormatFloat(ms, 'f', 0, 64)
	case ms >= 10:
		return strconv.FormatFloat(ms, 'f', 1, 64)
	}
	return strconv.FormatFloat(ms, 'f', 2, 64)
}

// row prints one line: what it is, then the figure of all and of each platform.
func (r *Result) row(w io.Writer, what string, all string, of func(Report) string) {
	fmt.Fprintf(w, "%s\t%s\t", what, all)
	if len(r.Load.Platforms) > 1 {
		for _, p := range r.Load.Platforms {
			fmt.Fprintf(w, "%s\t", of(r.Platforms[p]))
		}
	}
	fmt.Fprintln(w)
}

func (r *Result) head(w io.Writer, what string) {
	r.row(w, what, r.one(), func(p Report) string { return p.name })
}

// one is the heading of the first column of figures.
func (r *Result) one() string {
	if len(r.Load.Platforms) == 1 {
		return r.Load.Platforms[0]
	}
	return "all"
}

func (r *Result) measureTable(w io.Writer) {
	r.head(w, "ms")
	for _, m := range []struct {
		name string
		of   func(Measures) Values
		max  bool
	}{
		{"question → request (p50 / p99)", func(m Measures) Values { return m.Request }, false},
		{"first chunk → first text (p50 / p99)", func(m Measures) Values { return m.FirstText }, false},
		{"chunk → visible (p50 / p99)", func(m Measures) Values { return m.Lag }, false},
		{"text age (p50 / p99 / max)", func(m Measures) Values { return m.Age }, true},
		{"staleness (p50 / p99 / max)", func(m Measures) Values { return m.Stale }, true},
		{"end → whole (p50 / p99 / max)", func(m Measures) Values { return m.Rest }, true},
	} {
		text := func(v Measures) string {
			if m.max {
				return m.of(v).three()
			}
			return m.of(v).two()
		}
		r.row(w, m.name, text(r.All), func(p Report) string { return text(p.Measures) })
	}
}

func (r *Result) countTable(w io.Writer) {
	r.head(w, "counts")
	count := func(what string, of func(Measures) int) {
		r.row(w, what, strconv.Itoa(of(r.All)), func(p Report) string { return strconv.Itoa(of(p.Measures)) })
	}
	count("posts", func(m Measures) int { return m.Posts })
	count("edits", func(m Measures) int { return m.Edits })
	if r.Load.Mode == "native" {
		count("appends", func(m Measures) int { return m.Appends })
		count("drafts", func(m Measures) int { return m.Drafts })
	}
	updates := func(m Measures) string { return number(m.UpdatesPerAnswer) }
	r.row(w, "updates per answer", updates(r.All), func(p Report) string { return updates(p.Measures) })
	share := func(u Use) string { return fmt.Sprintf("%d of %.0f (%.0f %%)", u.Calls, u.Allowed, 100*u.Share) }
	all := ""
	if len(r.Load.Platforms) == 1 {
		all = share(r.Platforms[r.Load.Platforms[0]].Use)
	}
	r.row(w, "calls of what the limit allows", all, func(p Report) string { return share(p.Use) })
	count("429", func(m Measures) int { return m.Limited })
	count("states that show less than before", func(m Measures) int { return m.Back })
	text := func(t Text) string { return fmt.Sprintf("%d of %d", t.Whole, t.Answers) }
	r.row(w, "answers whole", text(r.Text), func(p Report) string { return text(p.Text) })
	wrong := func(t Text) string { return fmt.Sprintf("%d / %d / %d", t.Lost, t.Doubled, t.Disordered) }
	r.row(w, "chunks lost / twice / out of order", wrong(r.Text), func(p Report) string { return wrong(p.Text) })
}

func (p Process) print(out io.Writer, name string) {
	if p.Both {
		name += " and load together"
	}
	if p.NotMeasured != "" {
		fmt.Fprintf(out, "%s: %s\n", name, p.NotMeasured)
		return
	}
	fmt.Fprintf(out, "%s: CPU %.1f ms for 1,000 chunks (%.1f while streams ran, %.2f cores)\n", name, p.PerChunks, p.PerStream, p.Cores)
	fmt.Fprintf(out, "%s: resident %s at the start, %s at the peak, %s at the end; %s for each of %d running turns\n",
		name, mebibytes(p.RSSStart), mebibytes(p.RSSPeak), mebibytes(p.RSSEnd), kibibytes(p.PerTurn), p.Turns)
	if p.Growth == nil {
		fmt.Fprintf(out, "%s: growth not measured, the load was too short\n", name)
		return
	}
	fmt.Fprintf(out, "%s: growth %+.2f MiB a minute over the last two thirds, without the store's file (text that came in: %.2f MiB a minute)\n",
		name, *p.Growth/(1<<20), p.TextGrowth/(1<<20))
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func kibibytes(n int64) string { return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10)) }
