package bench

import (
	"context"
	"sync"
	"time"
)

// tick is how finely the wheel turns: pieces are sent up to a tick late, those of one tick together.
const tick = time.Millisecond

// spoke is one stream on a wheel.
type spoke struct {
	due time.Duration // of its next piece
	// turn sends the piece that is due and tells whether there will be another one.
	turn func(now time.Duration) bool
}

// wheel drives the streams of one speed: one goroutine, one ticker, whatever their number. Each stream keeps to its own
// grid, so that a late piece does not delay those after it.
type wheel struct {
	every time.Duration
	clock func() time.Duration // since the start of the load

	mu    sync.Mutex
	slots [][]*spoke // by tick, modulo their number
	done  int64      // ticks that have been played

	late Histogram // how long after it was due each piece was sent; owned by run until it returns
}

// newWheel makes a wheel for streams with a piece every so often, at least a tick.
func newWheel(every time.Duration, clock func() time.Duration) *wheel {
	return &wheel{every: every, clock: clock, slots: make([][]*spoke, every/tick+3)}
}

// join adds a stream whose next piece is due one interval from now.
func (w *wheel) join(turn func(now time.Duration) bool) {
	now := w.clock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.place(&spoke{due: now + w.every, turn: turn})
}

// place puts a spoke into the slot of the tick at which it is due, or of the next one if that has passed. The caller holds
// the lock.
func (w *wheel) place(s *spoke) {
	at := max(int64((s.due+tick-1)/tick), w.done+1)
	at = min(at, w.done+int64(len(w.slots))-1)
	slot := &w.slots[at%int64(len(w.slots))]
	*slot = append(*slot, s)
}

// run turns the wheel until ctx ends.
func (w *wheel) run(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	var batch []*spoke
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for due := int64(w.clock() / tick); ; {
			w.mu.Lock()
			if w.done >= due {
				w.mu.Unlock()
				break
			}
			slot := &w.slots[(w.done+1)%int64(len(w.slots))]
			batch = append(batch[:0], *slot...)
			clear(*slot)
			*slot = (*slot)[:0]
			w.done++
			w.mu.Unlock()
			w.play(batch)
		}
	}
}

// play sends the pieces of one tick.
func (w *wheel) play(batch []*spoke) {
	for _, s := range batch {
		now := w.clock()
		if s.due <= now+tick { // else it was put into an earlier slot, since the wheel was behind
			w.late.Add(now - s.due)
			if !s.turn(now) {
				continue
			}
			s.due += w.every
		}
		w.mu.Lock()
		w.place(s)
		w.mu.Unlock()
	}
}
