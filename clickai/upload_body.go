package clickai

import (
	"context"
	"errors"
	"io"
	"sync"
)

// copyBufLen is how much of an upload is held at a time, in bytes.
const copyBufLen = 32 << 10

var errUploadOver = errors.New("upload is over")

// uploadBody is the reader that net/http takes an upload's body from. net/http
// does not return from a cancelled request before the body's Read has returned, and
// it may read on after it has returned a response. Both would tie the caller to a
// content that hangs: so the content is read by a goroutine of its own, one piece
// at a time and on demand, and Read can be held back and ended.
type uploadBody struct {
	r      io.Reader
	onRead func() // after each piece

	demand chan struct{} // asks the goroutine for a piece; closed at the end

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when anything below changes
	held    bool          // Read waits
	over    bool          // Read fails
	started bool          // the goroutine runs
	reading bool          // the goroutine reads the content, and buf is its own
	rest    []byte        // of the last piece, in buf
	err     error         // after rest
	buf     []byte
}

func newUploadBody(r io.Reader) *uploadBody {
	return &uploadBody{
		r:       r,
		onRead:  func() {},
		demand:  make(chan struct{}, 1),
		changed: make(chan struct{}),
	}
}

// pump reads the content, a piece for each demand.
func (b *uploadBody) pump() {
	for range b.demand {
		n, err := b.r.Read(b.buf)
		b.onRead()
		b.mu.Lock()
		b.rest, b.err, b.reading = b.buf[:n], err, false
		b.signalLocked()
		b.mu.Unlock()
	}
}

func (b *uploadBody) signalLocked() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// Read is called by one goroutine of net/http at a time.
func (b *uploadBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.over:
			return 0, errUploadOver
		case b.held || b.reading:
			changed := b.changed
			b.mu.Unlock()
			<-changed
			b.mu.Lock()
		case len(b.rest) > 0:
			n := copy(p, b.rest)
			b.rest = b.rest[n:]
			return n, nil
		case b.err != nil:
			return 0, b.err
		default:
			if !b.started {
				b.started = true
				b.buf = make([]byte, copyBufLen)
				go b.pump() // finish ends it and waits for it
			}
			b.reading = true
			b.demand <- struct{}{} // never blocks: the last demand has been met
		}
	}
}

// Close is called by net/http when it needs no more of the body, and when the
// request's context ends.
func (b *uploadBody) Close() error {
	b.set(&b.over, true)
	return nil
}

// hold makes Read wait, or go on. It is called when the first byte of a response
// is there: the server has decided, and writing on could only break the connection
// before the response is read. An interim response (100 Continue) ends the wait.
func (b *uploadBody) hold(on bool) { b.set(&b.held, on) }

func (b *uploadBody) set(flag *bool, v bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if *flag != v {
		*flag = v
		b.signalLocked()
	}
}

// finish ends the body: no Read of the content begins after it, and it waits for
// one under way unless ctx ends. It is called once.
func (b *uploadBody) finish(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.signalLocked()
	close(b.demand) // Read sends none once over is set
	for b.reading && ctx.Err() == nil {
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		b.mu.Lock()
	}
}
