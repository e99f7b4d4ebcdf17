package pace

import "math"

// never is later than all that can be waited for.
const never instant = math.MaxInt64

// schedule decides who goes next. Each waiting lane queues at one budget that stops its first call. Who comes later in that
// queue is stopped by that budget at least as long, so only the first lane of each budget has to be looked at, at the time
// when it is ready. It belongs to the Pacer's mutex.
type schedule struct {
	lanes  map[string]*lane
	alarms heap[*budget] // that have lanes, by when to look at them: never later than when their first call is ready
	due    heap[*budget] // that are being looked at now, by whose first call goes first. Empty between two uses.
	key    []byte        // to make lane keys in
}

func newSchedule() schedule {
	place := func(b *budget, i int) { b.index = i }
	return schedule{
		lanes:  map[string]*lane{},
		alarms: heap[*budget]{place: place, before: func(a, b *budget) bool { return a.look < b.look }},
		due:    heap[*budget]{place: place, before: func(a, b *budget) bool { return a.lanes.first().before(b.lanes.first()) }},
	}
}

// next is when somebody may be ready; never if nobody waits.
func (s *schedule) next() instant {
	if s.alarms.empty() {
		return never
	}
	return s.alarms.first().look
}

// join makes w wait. dispatch has to follow: it may be ready, or have to let others go first who are.
func (s *schedule) join(w *waiter, budgets []*budget, now instant) {
	s.key = laneKey(s.key[:0], budgets)
	l := s.lanes[string(s.key)]
	if l == nil {
		l = newLane(string(s.key), append([]*budget(nil), budgets...))
		s.lanes[l.key] = l
		for _, b := range budgets {
			b.refs++
		}
	}
	w.lane = l
	l.waiters.push(w)
	if l.waiters.first() != w {
		return
	}
	if l.at != nil {
		s.dequeue(l)
	}
	s.enqueue(l, now)
}

// leave takes w out. What stopped it stops those behind it at least as long, so no look has to be brought forward.
func (s *schedule) leave(w *waiter) {
	l := w.lane
	w.lane = nil
	if len(l.waiters.items) == 1 {
		s.dequeue(l)
		s.drop(l)
		return
	}
	l.waiters.remove(w.index)
	l.at.lanes.fix(l.index)
}

func (s *schedule) drop(l *lane) {
	delete(s.lanes, l.key)
	for _, b := range l.budgets {
		b.refs--
	}
}

// enqueue makes l queue where its first call has to wait longest.
func (s *schedule) enqueue(l *lane, now instant) {
	by, until := blocked(l.budgets, l.waiters.first().priority, now)
	if by == nil {
		by = l.budgets[0] // where it is found to be ready
	}
	s.enqueueAt(l, by, until)
}

func (s *schedule) enqueueAt(l *lane, b *budget, look instant) {
	l.at = b
	b.lanes.push(l)
	if b.lanes.first() != l {
		return
	}
	switch b.where {
	case inDue:
		s.due.fix(b.index)
	case inAlarms:
		b.look = min(b.look, look)
		s.alarms.fix(b.index)
	default:
		b.look, b.where = look, inAlarms
		s.alarms.push(b)
	}
}

// dequeue undoes enqueue.
func (s *schedule) dequeue(l *lane) {
	b := l.at
	l.at = nil
	b.lanes.remove(l.index)
	switch {
	case b.where == inDue && !b.lanes.empty():
		s.due.fix(b.index)
	case b.where == inDue:
		s.due.remove(b.index)
		b.where = nowhere
	case b.lanes.empty():
		s.alarms.remove(b.index)
		b.where = nowhere
	}
}

// changed has b looked at by the next dispatch: it may be ready sooner than thought.
func (s *schedule) changed(b *budget, now instant) {
	if b.where == inAlarms {
		b.look = now
		s.alarms.fix(b.index)
	}
}

// dispatch gives slots to all who can have them now, in the order of before.
func (s *schedule) dispatch(now instant, grant func(*waiter)) {
	for {
		for s.next() <= now {
			b := s.alarms.first()
			s.alarms.remove(0)
			b.where = inDue
			s.due.push(b)
		}
		if s.due.empty() {
			return
		}
		b := s.due.first()
		l := b.lanes.first()
		if at := b.ready(l.waiters.first().priority, 1, now); at > now {
			s.due.remove(0)
			b.look, b.where = at, inAlarms
			s.alarms.push(b)
			continue
		}
		// Either its first call goes now, or it goes to queue where that call is stopped.
		s.dequeue(l)
		w := l.waiters.first()
		if by, until := blocked(l.budgets, w.priority, now); by != nil {
			s.enqueueAt(l, by, until)
			continue
		}
		for _, b := range l.budgets {
			b.take(w.priority, now)
		}
		l.waiters.remove(0)
		w.lane = nil
		grant(w)
		if l.waiters.empty() {
			s.drop(l)
		} else {
			s.enqueue(l, now)
		}
	}
}
