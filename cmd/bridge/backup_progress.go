package main

import (
	"fmt"
	"io"
)

// progress shows how far a copy is, in one line of a terminal. Elsewhere it shows nothing.
type progress struct {
	w     io.Writer // nil: shows nothing
	what  string
	shown int // percent; -1 before the first
}

func (p *program) newProgress(what string) *progress {
	b := &progress{what: what, shown: -1}
	if isTerminal(p.err) {
		b.w = p.err
	}
	return b
}

// show tells that done of total bytes are there.
func (b *progress) show(done, total int64) {
	if b.w == nil || total <= 0 {
		return
	}
	percent := int(done * 100 / total)
	if percent == b.shown {
		return
	}
	b.shown = percent
	fmt.Fprintf(b.w, "\r%s %3d%% of %s", b.what, percent, bytesText(total))
}

// end leaves the line.
func (b *progress) end() {
	if b.w != nil && b.shown >= 0 {
		fmt.Fprintln(b.w)
	}
}

// writer counts what is written of total bytes.
func (b *progress) writer(total int64) io.Writer { return &progressWriter{b: b, total: total} }

type progressWriter struct {
	b           *progress
	done, total int64
}

func (w *progressWriter) Write(p []byte) (int, error) {
	w.done += int64(len(p))
	w.b.show(w.done, w.total)
	return len(p), nil
}
