package core

import (
	"context"
	"sync"
)

// dispatcher runs one worker for each conversation that has something to do, at most max at once. Conversations over that
// wait their turn in the order in which they became ready. What it holds is bounded by the questions in the store.
type dispatcher struct {
	work func(ctx context.Context, conv ConvKey)

	mu      sync.Mutex
	ctx     context.Context // of the workers; nil before start and after stop
	active  map[ConvKey]*bool
	ready   []ConvKey
	running int
	most    int
	waiting int             // most of ready, besides those that the store held at the start
	moved   map[room]string // rooms that got another id since the start
	wg      sync.WaitGroup
}

func newDispatcher(most, waiting int, work func(context.Context, ConvKey)) *dispatcher {
	return &dispatcher{work: work, most: most, waiting: waiting, active: map[ConvKey]*bool{}}
}

// start lets workers run until stop. Conversations that were woken before begin now.
func (d *dispatcher) start(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ctx = ctx
	d.fillLocked()
}

// stop lets no further worker begin and waits for the running ones.
func (d *dispatcher) stop() {
	d.mu.Lock()
	d.ctx = nil
	d.mu.Unlock()
	d.wg.Wait()
}

// wake says that conv has something new to do. It never waits. waits is true if conv itself now has to wait for a worker.
func (d *dispatcher) wake(conv ConvKey) (waits bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	conv = d.nowLocked(conv)
	if again, ok := d.active[conv]; ok {
		*again = true
		return false
	}
	d.active[conv] = new(bool)
	d.ready = append(d.ready, conv)
	d.fillLocked()
	return d.ctx != nil && len(d.ready) > 0
}

// now is the key that a conversation goes by now.
func (d *dispatcher) now(conv ConvKey) ConvKey {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.nowLocked(conv)
}

// full tells whether no more conversations may wait and conv is none of those that work or wait already.
func (d *dispatcher) full(conv ConvKey) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.active[conv]
	return !ok && len(d.ready) >= d.waiting
}

// counts are the workers that run and the conversations that wait for one.
func (d *dispatcher) counts() (running, ready int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running, len(d.ready)
}

func (d *dispatcher) fillLocked() {
	for d.ctx != nil && d.running < d.most && len(d.ready) > 0 {
		conv, ctx := d.ready[0], d.ctx
		d.ready = d.ready[1:]
		d.running++
		d.wg.Go(func() { d.run(ctx, conv) })
	}
}

// run works until nothing was woken while it worked. work itself goes on until the store has nothing more, so a wake that
// came before it looked costs one more look and no more.
func (d *dispatcher) run(ctx context.Context, conv ConvKey) {
	for {
		d.work(ctx, conv)
		d.mu.Lock()
		conv = d.nowLocked(conv)
		again := d.active[conv]
		if *again && ctx.Err() == nil && d.ctx != nil {
			*again = false
			d.mu.Unlock()
			continue
		}
		delete(d.active, conv)
		d.running--
		d.fillLocked()
		d.mu.Unlock()
		return
	}
}
