package pace

import "encoding/binary"

// waiter is a call that waits. It belongs to its Pacer's mutex.
type waiter struct {
	priority Priority
	since    instant
	seq      uint64

	lane    *lane // nil once it has its slots or has left
	index   int   // in lane.waiters
	granted chan struct{}
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

// lane holds all waiting calls for the same budgets. Only its first can be next, so lanes queue for budgets, not calls:
// however many calls wait for one room, they are moved from budget to budget as one.
type lane struct {
	key     string
	budgets []*budget
	waiters heap[*waiter] // never empty between two uses of the Pacer

	at    *budget // where it queues: a budget that stops its first call
	index int     // in at.lanes
}

func newLane(key string, budgets []*budget) *lane {
	return &lane{key: key, budgets: budgets, waiters: heap[*waiter]{
		before: (*waiter).before,
		place:  func(w *waiter, i int) { w.index = i },
	}}
}

func (l *lane) before(m *lane) bool { return l.waiters.first().before(m.waiters.first()) }

// laneKey appends what is the same for calls for the same budgets.
func laneKey(key []byte, budgets []*budget) []byte {
	for _, b := range budgets {
		key = binary.BigEndian.AppendUint64(key, b.id)
	}
	return key
}

// blocked finds the budget that keeps a call waiting longest, and until when; nil if all have room.
func blocked(budgets []*budget, p Priority, now instant) (*budget, instant) {
	var by *budget
	until := now
	for _, b := range budgets {
		if at := b.ready(p, 1, now); at > until {
			by, until = b, at
		}
	}
	return by, until
}
