package clickai

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// excerptLen is how much of an unusable event is kept for the log, in bytes.
const excerptLen = 200

const (
	readBufLen    = 4 << 10 // of a stream's read buffer
	keepLineLen   = 1 << 20 // a larger line buffer is given back after use
	maxEventName  = 64      // longer SSE event names name nothing we know
	maxNoProgress = 100     // reads of nothing in a row before giving up
)

var utf8BOM = []byte("\xEF\xBB\xBF")

// frame is one SSE event.
type frame struct {
	name []byte // of the "event" field; nil if there was none
	data []byte // the "data" lines joined by LF; nil if there was none

	// dropped is the size in bytes of an event over the bound; data then holds
	// only its start. 0 otherwise.
	dropped int64
}

// sseDecoder splits a byte stream into SSE events by
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation,
// except that an "event: ping" without data is an event, too, and that a last
// event counts although its blank line is missing. It blocks in Read and never
// waits for a byte that it doesn't need: a CR ends a line at once.
//
// Lines that lie whole in the read buffer are not copied; longer ones are
// collected in line, up to max bytes.
type sseDecoder struct {
	r   io.Reader
	max int
	n   int64 // bytes read
	err error // of the last read; it is reported once buf is used up

	buf        []byte
	start, end int
	skipLF     bool // the last line ended with CR
	started    bool // the first line has been seen: no more BOM

	line []byte // collected line

	name    []byte // nil or nameBuf
	nameBuf []byte
	hasData bool
	data    []byte
	dataOff int // where the data begins in data, after a swapped-in field name
	dropped int64
}

func newSSEDecoder(r io.Reader, maxLen int) *sseDecoder {
	return &sseDecoder{r: r, max: maxLen, buf: make([]byte, readBufLen)}
}

// next returns the next event. Its slices are valid until the next call. At
// the end it returns io.EOF, or the reader's error.
func (d *sseDecoder) next() (frame, error) {
	d.resetFrame()
	for {
		line, size, swap, err := d.readLine()
		if err != nil {
			// Everything that was complete before the end still counts. An unfinished
			// line counts only if the server closed properly: else it is torn.
			if errors.Is(err, io.EOF) && len(line) > 0 {
				d.field(line, size, swap)
			}
			if f, ok := d.dispatch(); ok {
				return f, nil
			}
			return frame{}, err
		}
		if size > 0 {
			d.field(line, size, swap)
			continue
		}
		if f, ok := d.dispatch(); ok {
			return f, nil
		}
		d.resetFrame()
	}
}

// dispatch returns the collected event, if it is one.
func (d *sseDecoder) dispatch() (frame, bool) {
	if d.dropped > 0 {
		return frame{name: d.name, data: d.data[d.dataOff:], dropped: d.dropped}, true
	}
	if d.hasData && len(d.data) > d.dataOff {
		return frame{name: d.name, data: d.data[d.dataOff:]}, true
	}
	return frame{name: d.name}, string(d.name) == eventPing
}

func (d *sseDecoder) resetFrame() {
	d.name, d.hasData, d.dataOff, d.dropped = nil, false, 0, 0
	if cap(d.data) > keepLineLen {
		d.data = nil
	}
	if cap(d.line) > keepLineLen {
		d.line = nil
	}
	d.data, d.line = d.data[:0], d.line[:0]
}

// field takes one line that isn't blank. size is the line's real size, larger
// than len(line) if the line was over the bound. With swap, line is d.line and
// may be kept by exchanging the buffers.
func (d *sseDecoder) field(line []byte, size int64, swap bool) {
	if size > int64(len(line)) {
		d.drop(line, size)
		return
	}
	if line[0] == ':' {
		return // a comment
	}
	name, value, _ := bytes.Cut(line, []byte{':'})
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(name) {
	case "event":
		d.nameBuf = append(d.nameBuf[:0], value[:min(len(value), maxEventName)]...)
		d.name = d.nameBuf
	case "data":
		d.appendData(value, swap)
	}
}

func (d *sseDecoder) appendData(value []byte, swap bool) {
	if d.dropped > 0 {
		d.dropped += int64(len(value)) + 1
		return
	}
	if !d.hasData {
		d.hasData = true
		if swap {
			off := len(d.line) - len(value)
			d.data, d.line = d.line, d.data[:0]
			d.dataOff = off
			return
		}
		d.data = append(d.data[:0], value...)
		return
	}
	if total := len(d.data) - d.dataOff + 1 + len(value); total > d.max {
		d.dropped = int64(total)
		d.trimDropped()
		return
	}
	d.data = append(append(d.data, '\n'), value...)
}

// drop marks the event as over the bound. Of a comment nothing is reported.
func (d *sseDecoder) drop(line []byte, size int64) {
	if line[0] == ':' {
		return
	}
	if d.dropped == 0 && !d.hasData {
		d.data = append(d.data[:0], bytes.TrimPrefix(line, []byte("data: "))...)
	}
	d.dropped += size
	d.trimDropped()
}

// trimDropped keeps the start of a dropped event alone.
func (d *sseDecoder) trimDropped() {
	d.data = slices.Clone(d.data[d.dataOff:min(len(d.data), d.dataOff+excerptLen)])
	d.dataOff = 0
}

// readLine returns the next line without its end. The line is in the read
// buffer, or in d.line (swap is true then). size is the line's size; a line over
// d.max is cut, and size tells how long it was. With an error, line is what
// came after the last line end.
func (d *sseDecoder) readLine() (line []byte, size int64, swap bool, err error) {
	d.line = d.line[:0]
	for {
		if d.start == d.end {
			if err := d.fill(); err != nil {
				line = d.line
				d.stripBOM(&line, &size)
				return line, size, false, err
			}
		}
		window := d.buf[d.start:d.end]
		if d.skipLF {
			d.skipLF = false
			if window[0] == '\n' {
				d.start++
				continue
			}
		}
		eol := lineEnd(window)
		chunk := window[:max(eol, 0)]
		if eol < 0 {
			chunk = window
		}
		size += int64(len(chunk))
		whole := eol >= 0 && size == int64(len(chunk)) // the line lies in the read buffer
		if !whole {
			room := max(d.max+len("data: ")-len(d.line), 0)
			d.line = append(d.line, chunk[:min(len(chunk), room)]...)
		}
		if eol < 0 {
			d.start = d.end
			continue
		}
		d.skipLF = window[eol] == '\r'
		d.start += eol + 1
		if !whole {
			chunk = d.line
		} else if limit := d.max + len("data: "); len(chunk) > limit {
			chunk = chunk[:limit]
		}
		if d.stripBOM(&chunk, &size) {
			whole = true
		}
		return chunk, size, !whole, nil
	}
}

// stripBOM cuts a byte order mark off the stream's first line, and reports
// whether there was one.
func (d *sseDecoder) stripBOM(line *[]byte, size *int64) bool {
	if d.started {
		return false
	}
	d.started = true
	rest, found := bytes.CutPrefix(*line, utf8BOM)
	if found {
		*line = rest
		*size -= int64(len(utf8BOM))
	}
	return found
}

// lineEnd returns the index of the first CR or LF in b, or -1.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// fill reads more bytes into the empty read buffer.
func (d *sseDecoder) fill() error {
	if d.err != nil {
		return d.err
	}
	d.start, d.end = 0, 0
	for range maxNoProgress {
		n, err := d.r.Read(d.buf)
		d.n += int64(n)
		d.err = err
		if n > 0 {
			d.end = n
			return nil
		}
		if err != nil {
			return err
		}
	}
	d.err = io.ErrNoProgress
	return d.err
}
