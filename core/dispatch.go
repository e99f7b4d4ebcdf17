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
	wg      sync.WaitGroup
}

func newDispatcher(most int, work func(context.Context, ConvKey)) *dispatcher {
	return &dispatcher{work: work, most: most, active: map[ConvKey]*bool{}}
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

// wake says that conv has something new to do. It never waits.
func (d *dispatcher) wake(conv ConvKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if again, ok := d.active[conv]; ok {
		*again = true
		return
	}
	d.active[conv] = new(bool)
	d.ready = append(d.ready, conv)
	d.fillLocked()
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
