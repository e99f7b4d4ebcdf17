package markup

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxEntities is how many entities of one message are kept; the rest is dropped without a word. The Bot API's
// documentation names no number: 100 is what bots report, unconfirmed by Telegram.
const MaxEntities = 100

// ErrEmpty is returned for a text of nothing but white space where some text is due.
var ErrEmpty = errors.New("text must be non-empty")

// maxOffset bounds offsets and lengths before anything is computed with them.
const maxOffset = 1_000_000

// Options say what [Normalize] does beyond the obligatory.
type Options struct {
	AllowEmpty bool // captions may be empty
	Detect     bool // find mentions, commands, hashtags, links and addresses in the text
	KeepAll    bool // do not cut the list at MaxEntities
}

// Normalize brings a text into the form in which Telegram stores it. Errors are [ErrEmpty], or say which entity does
// not fit the text; they are what follows "Bad Request: " on the wire.
func Normalize(t Text, o Options) (Text, error) {
	if !utf8.ValidString(t.Text) {
		return Text{}, errors.New("strings must be encoded in UTF-8")
	}
	units := utf16.Encode([]rune(t.Text))
	entities, err := checkBounds(units, t.Entities)
	if err != nil {
		return Text{}, err
	}
	units, entities = clean(units, entities)
	entities = stripSpace(units, resolve(entities))
	units, entities = trim(units, entities)
	if len(units) == 0 {
		if o.AllowEmpty {
			return Text{}, nil
		}
		return Text{}, ErrEmpty
	}
	text := string(utf16.Decode(units))
	if o.Detect {
		entities = stripSpace(units, resolve(addDetected(entities, detect(text))))
	}
	if !o.KeepAll && len(entities) > MaxEntities {
		entities = entities[:MaxEntities]
	}
	return Text{Text: text, Entities: entities}, nil
}

func lowSurrogate(u uint16) bool { return 0xdc00 <= u && u <= 0xdfff }

func checkBounds(units []uint16, es []Entity) ([]Entity, error) {
	out := make([]Entity, 0, len(es))
	for _, e := range es {
		switch {
		case e.Offset < 0 || e.Offset > maxOffset:
			return nil, fmt.Errorf("receive an entity with incorrect offset %d", e.Offset)
		case e.Length < 0 || e.Length > maxOffset:
			return nil, fmt.Errorf("receive an entity with incorrect length %d", e.Length)
		case e.Length == 0 || !Known(e.Type):
			continue
		case e.Offset > len(units):
			return nil, fmt.Errorf("entity begins after the end of the text at UTF-16 offset %d", e.Offset)
		case e.end() > len(units):
			return nil, fmt.Errorf("entity beginning at UTF-16 offset %d ends after the end of the text at UTF-16 offset %d",
				e.Offset, e.end())
		case lowSurrogate(units[e.Offset]):
			return nil, fmt.Errorf("entity begins in a middle of a UTF-16 symbol at byte offset %d", bytesBefore(units, e.Offset+1))
		case e.end() < len(units) && lowSurrogate(units[e.end()]):
			return nil, fmt.Errorf("entity beginning at UTF-16 offset %d ends in a middle of a UTF-16 symbol at byte offset %d",
				e.Offset, bytesBefore(units, e.end()+1))
		}
		out = append(out, e)
	}
	return out, nil
}

func bytesBefore(units []uint16, n int) int {
	return len(string(utf16.Decode(units[:n])))
}

// clean drops carriage returns and the marks that break a layout, and makes spaces of other control characters.
func clean(units []uint16, es []Entity) ([]uint16, []Entity) {
	out := make([]uint16, 0, len(units))
	moved := make([]int, len(units)+1)
	for i, u := range units {
		moved[i] = len(out)
		switch {
		case u == '\r', 0x2028 <= u && u <= 0x202e, u == 0x0333, u == 0x033f, u == 0x030a:
		case u < ' ' && u != '\n':
			out = append(out, ' ')
		default:
			out = append(out, u)
		}
	}
	moved[len(units)] = len(out)
	for i, e := range es {
		start, end := moved[e.Offset], moved[e.end()]
		es[i].Offset, es[i].Length = start, end-start
	}
	return out, es
}

func space(u uint16) bool { return u == ' ' || u == '\n' }

// stripSpace moves the starts of entities behind leading white space, and drops entities of white space alone.
func stripSpace(units []uint16, es []Entity) []Entity {
	out := es[:0]
	for _, e := range es {
		for e.Length > 0 && space(units[e.Offset]) {
			e.Offset++
			e.Length--
		}
		if e.Length > 0 {
			out = append(out, e)
		}
	}
	sortEntities(out)
	return out
}

// trim cuts white space at both ends of the text.
func trim(units []uint16, es []Entity) ([]uint16, []Entity) {
	start, end := 0, len(units)
	for end > 0 && space(units[end-1]) {
		end--
	}
	for start < end && space(units[start]) {
		start++
	}
	for i, e := range es {
		es[i].Length = min(e.end(), end) - e.Offset
		es[i].Offset = e.Offset - start
	}
	sortEntities(es)
	return units[start:end], es
}

// resolve drops and splits entities until of any two that overlap one holds the other:
// https://core.telegram.org/bots/api#formatting-options says which may hold which.
func resolve(es []Entity) []Entity {
	sortEntities(es)
	if nested(es) {
		return es
	}
	var fixed, quotes, styles []Entity
	for _, e := range es {
		switch {
		case splittable(e.Type):
			styles = append(styles, e)
		case quote(e.Type):
			quotes = append(quotes, e)
		default:
			fixed = append(fixed, e)
		}
	}
	fixed, quotes = disjoint(fixed), disjoint(quotes)
	// Those of a quotation may lie inside it, and never across its ends or around it.
	fixed = slices.DeleteFunc(fixed, func(e Entity) bool {
		return slices.ContainsFunc(quotes, func(q Entity) bool {
			overlap := e.Offset < q.end() && q.Offset < e.end()
			inside := q.Offset <= e.Offset && e.end() <= q.end()
			return overlap && !inside
		})
	})
	var bare []Entity // code and pre hold no style, and no style holds them
	for _, e := range fixed {
		if e.Type == Code || e.Type == Pre {
			bare = append(bare, e)
		}
	}
	all := slices.Concat(fixed, quotes)
	for _, kind := range []string{Bold, Italic, Underline, Strikethrough, Spoiler} {
		all = append(all, subtract(union(styles, kind), bare)...)
	}
	sortEntities(all)
	return nest(all)
}

// nested tells whether sorted entities need no change: the usual case, and much cheaper than finding out which do.
func nested(es []Entity) bool {
	var open []Entity
	last := map[string]int{} // end of the latest entity of each style
	for _, e := range es {
		for len(open) > 0 && open[len(open)-1].end() <= e.Offset {
			open = open[:len(open)-1]
		}
		if splittable(e.Type) {
			if end, ok := last[e.Type]; ok && end >= e.Offset {
				return false
			}
			last[e.Type] = e.end()
		}
		for _, o := range open {
			fits := e.end() <= o.end() && o.Type != Code && o.Type != Pre
			switch {
			case splittable(o.Type):
				fits = fits && e.Type != Code && e.Type != Pre
			case quote(o.Type):
				fits = fits && !quote(e.Type)
			default:
				fits = fits && splittable(e.Type)
			}
			if !fits {
				return false
			}
		}
		open = append(open, e)
	}
	return true
}

// disjoint keeps, of sorted entities, those that do not touch one kept before.
func disjoint(es []Entity) []Entity {
	out, end := es[:0], 0
	for _, e := range es {
		if e.Offset >= end {
			out = append(out, e)
			end = e.end()
		}
	}
	return out
}

// union joins the sorted entities of one kind that touch.
func union(es []Entity, kind string) []Entity {
	var out []Entity
	for _, e := range es {
		if e.Type != kind {
			continue
		}
		if n := len(out); n > 0 && e.Offset <= out[n-1].end() {
			out[n-1].Length = max(out[n-1].end(), e.end()) - out[n-1].Offset
			continue
		}
		out = append(out, Entity{Type: kind, Offset: e.Offset, Length: e.Length})
	}
	return out
}

// subtract cuts the sorted, disjoint holes out of entities.
func subtract(es, holes []Entity) []Entity {
	if len(holes) == 0 {
		return es
	}
	var out []Entity
	for _, e := range es {
		start, end := e.Offset, e.end()
		for len(holes) > 0 && holes[0].end() <= start {
			holes = holes[1:]
		}
		for _, h := range holes {
			if h.Offset >= end {
				break
			}
			if h.Offset > start {
				out = append(out, Entity{Type: e.Type, Offset: start, Length: h.Offset - start})
			}
			start = h.end()
		}
		if start < end {
			out = append(out, Entity{Type: e.Type, Offset: start, Length: end - start})
		}
	}
	return out
}

// nest splits styles at the borders of what they overlap in part, in one pass over the sorted entities.
func nest(es []Entity) []Entity {
	n := &nester{}
	for _, e := range es {
		n.closeUntil(e.Offset)
		keep := n.open[:0:0]
		var above []Entity
		for _, o := range n.open {
			if splittable(o.Type) && o.end() < e.end() { // ends inside e: goes on as a part of its own there
				n.cut(&o, e.Offset)
				above = append(above, o)
				continue
			}
			keep = append(keep, o)
		}
		n.open = slices.Concat(keep, []Entity{e}, above)
	}
	n.closeUntil(maxOffset * 4)
	sortEntities(n.out)
	return n.out
}

type nester struct {
	open []Entity
	out  []Entity
}

// cut gives out the part of an open entity before pos.
func (n *nester) cut(e *Entity, pos int) {
	if e.Offset >= pos {
		return
	}
	head := *e
	head.Length = pos - e.Offset
	e.Length, e.Offset = e.end()-pos, pos
	n.out = append(n.out, head)
}

// closeUntil gives out all that end at or before pos, earliest end first, cutting what stands above and goes on.
func (n *nester) closeUntil(pos int) {
	for {
		first := -1
		for i, e := range n.open {
			if e.end() <= pos && (first < 0 || e.end() <= n.open[first].end()) {
				first = i
			}
		}
		if first < 0 {
			return
		}
		end := n.open[first].end()
		for i := first + 1; i < len(n.open); i++ {
			n.cut(&n.open[i], end)
		}
		n.out = append(n.out, n.open[first])
		n.open = slices.Delete(n.open, first, first+1)
	}
}

// addDetected adds what was found in the text where no link, code or other fixed entity stands.
func addDetected(es, found []Entity) []Entity {
	fixed := es[:0:0]
	for _, e := range es {
		if !splittable(e.Type) && !quote(e.Type) {
			fixed = append(fixed, e)
		}
	}
	next := 0
	for _, f := range found {
		for next < len(fixed) && fixed[next].end() <= f.Offset {
			next++
		}
		if next < len(fixed) && fixed[next].Offset < f.end() {
			continue
		}
		es = append(es, f)
	}
	return es
}
