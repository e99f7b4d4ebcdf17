package markdown

import (
	"strings"
	"sync"
)

// Writer writes the messages of a platform, block by block. It is used by one goroutine at a time.
type Writer[P any] interface {
	// Begin begins a message.
	Begin()
	// Block writes the next block of the message; before is the one that was written last, nil for the first.
	Block(u, before *Unit)
	// Save keeps what is written of the message, and Restore goes back to it, whatever was written since.
	Save()
	Restore()
	// End returns the message, of which units are all blocks and plain is the text without markup; false if it shows
	// nothing. What is saved stays.
	End(units []*Unit, plain []byte) (P, bool)
}

// Format is how messages are written for one platform. P is the type of a message. All methods are safe for concurrent
// use; the fields are not changed once one was called.
type Format[P any] struct {
	Options   Options // Final is of no account
	Limits    Limits
	Literal   Literal // of the text without markup
	NewWriter func() Writer[P]
	// Source returns the message for a whole source that is not blank but shows nothing: the source itself.
	Source func(source string) P

	sheets sync.Pool
}

// Render writes the source as messages: in the end at least one if it is not blank. It is pure. With final false the
// source may stop at any byte; all messages but the last then stay as they are when it grows, and there is none while
// nothing can be shown yet.
func (f *Format[P]) Render(source string, final bool) []P {
	if Blank(source) {
		return nil
	}
	opt := f.Options
	opt.Final = final
	messages := Layout(Parse(source, opt), f.Limits)
	parts := make([]P, 0, len(messages)+1)
	s := f.sheet()
	for _, m := range messages {
		s.begin()
		if p, ok := s.write(m); ok {
			parts = append(parts, p)
		}
	}
	f.sheets.Put(s)
	return f.whole(parts, source, final)
}

// whole adds what must be there in the end.
func (f *Format[P]) whole(parts []P, source string, final bool) []P {
	if len(parts) > 0 || !final {
		return parts
	}
	if source = strings.TrimSpace(clean(source, true)); source == "" {
		source = "…"
	}
	return append(parts, f.Source(source))
}

// sheet is a message that is being written.
type sheet[P any] struct {
	w       Writer[P]
	literal Literal
	plain   []byte
	last    *Unit
	count   int // of the units that are written
	saved   int // of the units that are saved
	mark    int // of plain
}

func (f *Format[P]) sheet() *sheet[P] {
	if s, ok := f.sheets.Get().(*sheet[P]); ok {
		return s
	}
	return f.newSheet()
}

func (f *Format[P]) newSheet() *sheet[P] {
	return &sheet[P]{w: f.NewWriter(), literal: f.Literal}
}

func (s *sheet[P]) begin() {
	s.w.Begin()
	s.plain, s.last, s.count, s.saved = s.plain[:0], nil, 0, 0
}

// write goes on with the units that are not written yet of a message and returns the whole.
func (s *sheet[P]) write(units []*Unit) (P, bool) {
	s.add(units)
	return s.w.End(units, s.plain)
}

func (s *sheet[P]) add(units []*Unit) {
	for _, u := range units[s.count:] {
		s.plain = appendPlain(s.plain, u, s.count == 0, s.literal)
		s.w.Block(u, s.last)
		s.last = u
		s.count++
	}
}

func (s *sheet[P]) save() {
	s.w.Save()
	s.saved, s.mark = s.count, len(s.plain)
}

// restore goes back to what is saved, which are the first of the units.
func (s *sheet[P]) restore(units []*Unit) {
	s.w.Restore()
	s.plain, s.count, s.last = s.plain[:s.mark], s.saved, nil
	if s.saved > 0 {
		s.last = units[s.saved-1]
	}
}
