package slack

import (
	"container/heap"
	"sync"
	"time"
)

// clock runs functions at set times, one after another, in one goroutine that its owner waits for. What it holds is
// bounded by what schedules: one entry a delivery attempt, a stream, a status, a trigger.
type clock struct {
	mu     sync.Mutex
	queue  timers
	seq    int
	wake   chan struct{}
	stop   chan struct{}
	closed bool
}

type timer struct {
	at  time.Time
	seq int
	run func()
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	if t[i].at.Equal(t[j].at) {
		return t[i].seq < t[j].seq
	}
	return t[i].at.Before(t[j].at)
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	old := *t
	last := old[len(old)-1]
	old[len(old)-1] = timer{}
	*t = old[:len(old)-1]
	return last
}

func newClock() *clock {
	return &clock{wake: make(chan struct{}, 1), stop: make(chan struct{})}
}

// after runs f in the clock's goroutine once d has passed. f may take the server's lock.
func (c *clock) after(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	heap.Push(&c.queue, timer{at: time.Now().Add(d), seq: c.seq, run: f})
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// close makes loop return; what is still scheduled is forgotten.
func (c *clock) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		close(c.stop)
	}
}

func (c *clock) loop() {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		due, wait := c.next()
		if due != nil {
			select {
			case <-c.stop:
				return
			default:
			}
			due()
			continue
		}
		t.Reset(wait)
		select {
		case <-t.C:
		case <-c.wake:
		case <-c.stop:
			return
		}
	}
}

// next pops what is due, or says how long to wait.
func (c *clock) next() (func(), time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return nil, time.Hour
	}
	if wait := time.Until(c.queue[0].at); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&c.queue).(timer).run, 0
}
