package markdown

import (
	"slices"
	"strings"
)

// Renderer renders one answer while it grows. Its results are those of [Format.Render], at the cost of what is new: it
// keeps the messages that are sealed, the blocks that are settled, and how far the last message is written with them, and
// reads only what comes after. It may be given any source at any time; one that does not begin with what was settled of
// the source before is read from its start, and so is one that defines links, as a definition reaches back.
//
// It keeps about as much memory as the messages so far, three times the text of the last one, and the part of the source
// that is settled. It is used by one goroutine at a time.
type Renderer[P any] struct {
	format *Format[P]
	done   string // the source that is settled, and what says so: how the next block begins
	size   int    // of what is settled
	from   state  // behind it
	parts  []P    // the sealed messages of it
	lay    layouter
	sheet  *sheet[P] // of the message that lay.cur begins
	known  pieces    // of a long paragraph that is not settled
	full   bool      // the source defines links
}

// NewRenderer returns a renderer of one answer.
func (f *Format[P]) NewRenderer() *Renderer[P] {
	return &Renderer[P]{format: f, lay: layouter{lim: &f.Limits}}
}

// Render returns what [Format.Render] does. The result is the caller's.
func (r *Renderer[P]) Render(source string, final bool) []P {
	if Blank(source) {
		return nil
	}
	if !strings.HasPrefix(source, r.done) {
		*r = *r.format.NewRenderer()
	}
	r.done = source[:len(r.done)] // lets go of the source before
	if r.full {
		return r.format.Render(source, final)
	}

	opt := r.format.Options
	opt.Final = final
	tail := source[r.size:]
	text := clean(tail, final)
	if !final {
		text = holdBack(text)
	}
	f := newFlattener(strings.Clone(text), opt) // what is kept of it must not keep the whole source
	f.from, f.known = r.from, &r.known
	f.flatten()
	if len(f.pc.References()) > 0 {
		*r = Renderer[P]{format: r.format, full: true, done: source, size: len(source)}
		return r.format.Render(source, final)
	}
	units := f.units
	if f.last.pos > 0 && !final { // a whole source may turn out to grow, and then its end is read otherwise
		r.settle(units[:f.last.units])
		units = units[f.last.units:]
		r.known = pieces{}
		r.from = f.last
		r.size += lineStart(tail, strings.Count(text[:f.last.pos], "\n"))
		r.done = source[:r.size+1+max(0, strings.IndexAny(source[r.size:], "\r\n"))]
	}
	return r.format.whole(r.finish(units), source, final)
}

// lineStart is where in s the line begins that has n lines before it.
func lineStart(s string, n int) int {
	i := 0
	for ; n > 0; n-- {
		end := strings.IndexAny(s[i:], "\r\n")
		if end < 0 {
			return len(s)
		}
		if i += end; strings.HasPrefix(s[i:], "\r\n") {
			i++
		}
		i++
	}
	return i
}

// settle lays out units that can no longer change.
func (r *Renderer[P]) settle(units []Unit) {
	if len(units) == 0 {
		return
	}
	units = slices.Clone(units) // without what else was read with them, and without the room for more
	for i := range units {
		units[i].Spans = slices.Clone(units[i].Spans)
		r.lay.place(&units[i])
	}
	for i, m := range r.lay.parts {
		if p, ok := r.write(m, i == 0); ok {
			r.parts = append(r.parts, p)
		}
	}
	if r.sheet == nil {
		r.sheet = r.format.newSheet()
	}
	if sealed := len(r.lay.parts) > 0; sealed || r.sheet.saved == 0 {
		r.sheet.begin()
		if sealed { // lets go of the messages before
			r.lay.parts, r.lay.cur, r.lay.needs = nil, slices.Clone(r.lay.cur), slices.Clone(r.lay.needs)
		}
	} else {
		r.sheet.restore(r.lay.cur)
	}
	r.sheet.add(r.lay.cur)
	r.sheet.save()
}

// write writes a message, which may be the one that the sheet holds the beginning of.
func (r *Renderer[P]) write(m []*Unit, current bool) (P, bool) {
	if current && r.sheet != nil && r.sheet.saved > 0 && r.sheet.saved <= len(m) {
		r.sheet.restore(m)
		return r.sheet.write(m)
	}
	s := r.format.sheet()
	defer r.format.sheets.Put(s)
	s.begin()
	return s.write(m)
}

// finish returns the messages of all that is settled and of the units behind it.
func (r *Renderer[P]) finish(units []Unit) []P {
	lay := r.lay.fork()
	for i := range units {
		lay.place(&units[i])
	}
	messages := lay.messages()
	parts := make([]P, len(r.parts), len(r.parts)+len(messages)+1)
	copy(parts, r.parts)
	for i, m := range messages {
		if p, ok := r.write(m, i == 0); ok {
			parts = append(parts, p)
		}
	}
	return parts
}
