package markdown

import (
	"hash/maphash"
	"slices"
	"strings"
)

// Renderer renders one answer while it grows. Its results are those of [Format.Render], at the cost of what is new: it
// keeps the messages that are sealed and still wanted, the blocks of the last one that are settled, and how far that is
// written with them, and reads only what comes after. It may be given any source at any time; one that does not begin with
// what was settled of the source before is read from its start, and so is one that defines links, as a definition reaches
// back.
//
// It keeps about as much memory as the sealed messages that are still wanted, and five times the text of the last one. It is
// used by one goroutine at a time.
type Renderer[P any] struct {
	format *Format[P]
	read   int    // bytes of the source that are settled, with what says so: how the next block begins
	sum    uint64 // of them
	size   int    // of what is settled
	from   state  // behind it
	gone   int    // the sealed messages of it that are not wanted any more
	parts  []P    // the others
	lay    layouter
	sheet  *sheet[P] // of the message that lay.cur begins
	known  pieces    // of a long paragraph that is not settled
	full   bool      // the source defines links
}

// NewRenderer returns a renderer of one answer.
func (f *Format[P]) NewRenderer() *Renderer[P] {
	return &Renderer[P]{format: f, lay: layouter{lim: &f.Limits}}
}

// sumSeed is of the sums by which a source is known again. Two have the same one with a probability of 2⁻⁶⁴.
var sumSeed = maphash.MakeSeed()

// Render returns what [Format.Render] does. The result is the caller's.
func (r *Renderer[P]) Render(source string, final bool) []P {
	_, parts := r.RenderFrom(source, final, 0)
	return parts
}

// RenderFrom returns what [Format.Render] does without the first messages, and how many those are. They are at most stands,
// which is how many of the first messages of the result before the caller does not want again as long as they stay as they
// are; with fewer than the time before, the source is read from its start. A blank source has no messages. If any is left
// out, at least one is not.
func (r *Renderer[P]) RenderFrom(source string, final bool, stands int) (from int, parts []P) {
	if Blank(source) {
		return 0, nil
	}
	if len(source) < r.read || maphash.String(sumSeed, source[:r.read]) != r.sum || stands < r.gone {
		*r = *r.format.NewRenderer()
	}
	if r.full {
		return 0, r.format.Render(source, final)
	}
	if n := min(stands-r.gone, len(r.parts)-1); n > 0 { // these were in the result before, as they are
		r.gone += n
		r.parts = slices.Clone(r.parts[n:])
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
		*r = Renderer[P]{format: r.format, full: true}
		r.know(source, len(source))
		return 0, r.format.Render(source, final)
	}
	units := f.units
	if f.last.pos > 0 && !final { // a whole source may turn out to grow, and then its end is read otherwise
		r.settle(units[:f.last.units])
		units = units[f.last.units:]
		r.known = pieces{}
		r.from = f.last
		r.size += lineStart(tail, strings.Count(text[:f.last.pos], "\n"))
		r.know(source, r.size+1+max(0, strings.IndexAny(source[r.size:], "\r\n")))
	}
	parts = r.finish(units)
	if r.gone == 0 {
		parts = r.format.whole(parts, source, final)
	}
	return r.gone, parts
}

// know remembers that so much of the source is settled.
func (r *Renderer[P]) know(source string, n int) {
	r.read, r.sum = n, maphash.String(sumSeed, source[:n])
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

// finish returns the messages, but for those that are gone, of all that is settled and of the units behind it.
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
