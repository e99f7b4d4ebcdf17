package pace

import "time"

// waiter is a call that waits. It belongs to its Pacer's mutex.
type waiter struct {
	priority Priority
	since    instant
	seq      uint64
	budgets  []*budget

	at      *budget // where it waits
	index   int     // in at.queue
	timer   *time.Timer
	granted chan struct{} // closed when it has its slots
}

// before is the order in which calls are served.
func (w *waiter) before(v *waiter) bool {
	if w.priority != v.priority {
		return w.priority < v.priority
	}
	if w.since != v.since {
		return w.since < v.since
	}
	return w.seq < v.seq
}

// blocked finds the budget that keeps the call waiting longest, and until when; nil if all have room.
func (w *waiter) blocked(now instant) (*budget, instant) {
	var by *budget
	until := now
	for _, b := range w.budgets {
		if at := b.ready(w.priority, 1, now); at > until {
			by, until = b, at
		}
	}
	return by, until
}

// queue is a heap of waiters.
type queue []*waiter

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].before(q[j]) }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	w := x.(*waiter)
	w.index = len(*q)
	*q = append(*q, w)
}

func (q *queue) Pop() any {
	old := *q
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return w
}
