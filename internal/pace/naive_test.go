package pace_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/clickai/bridge/internal/pace"
)

// naive is a budget as one would write it down from the documentation of Rule, with no thought of speed: it keeps every slot
// ever taken. Its rules have to divide evenly (see evenRule).
type naive struct {
	rule  pace.Rule
	taken []slot
}

type slot struct {
	at       time.Duration
	priority pace.Priority
}

// room tells whether a call of priority p could go at the time at.
func (n *naive) room(p pace.Priority, at time.Duration) bool {
	if n.rule.Count <= 0 || n.rule.Per <= 0 {
		return true
	}
	size := n.rule.Count
	if n.rule.Burst > 0 {
		size = n.rule.Burst
	}
	reserve := 0
	if p == pace.Refresh {
		reserve = min(n.rule.Reserve, size-1)
	}
	if n.rule.Burst > 0 {
		return n.level(at) >= int64(1+reserve)*n.slotCost()
	}
	inWindow := 0
	for _, s := range n.taken {
		if s.at > at-n.rule.Per {
			inWindow++
		}
	}
	if inWindow >= size-reserve {
		return false
	}
	return p != pace.Refresh || n.rule.Spread == 0 || n.spreadRoom(at, size-reserve)
}

func (n *naive) slotCost() int64 { return int64(n.rule.Per) / int64(n.rule.Count) }

// level is what is in the bucket, in nanoseconds of its rate.
func (n *naive) level(at time.Duration) int64 {
	full := int64(n.rule.Burst) * n.slotCost()
	level, last := full, time.Duration(0)
	for _, s := range n.taken {
		level = min(full, level+int64(s.at-last)) - n.slotCost()
		last = s.at
	}
	return min(full, level+int64(at-last))
}

// spreadRoom thinks of Spread as of a second bucket that only refreshes use.
func (n *naive) spreadRoom(at time.Duration, usable int) bool {
	together := min(n.rule.Spread, usable)
	second := naive{rule: pace.Rule{Count: usable - together + 1, Per: n.rule.Per, Burst: together}}
	for _, s := range n.taken {
		if s.priority == pace.Refresh {
			second.taken = append(second.taken, s)
		}
	}
	return second.room(pace.Urgent, at)
}

// record is what happened to one call.
type record struct {
	call       pace.Call
	since      time.Duration
	asked, end time.Duration
	granted    bool // at end
	returned   bool // right away
}

func (r *record) String() string {
	return fmt.Sprintf("%v of priority %d since %v asked at %v, end at %v (granted %t, returned %t)",
		r.call.Budgets, r.call.Priority, r.since, r.asked, r.end, r.granted, r.returned)
}

func (r *record) uses() bool { return r.granted && !r.returned }

// order is the order in which calls are to be served.
func order(a, b *record) int {
	return cmp.Or(cmp.Compare(a.call.Priority, b.call.Priority), cmp.Compare(a.since, b.since))
}

// model replays records against naive budgets.
type model struct {
	budgets map[string]*naive
	fail    func(format string, args ...any)
	exact   bool // nothing but the rules governs: check that no one waits without need, too
}

func (m *model) room(r *record, at time.Duration) bool {
	for _, name := range r.call.Budgets {
		if !m.budgets[name].room(r.call.Priority, at) {
			return false
		}
	}
	return true
}

func (m *model) take(r *record) {
	for i, name := range r.call.Budgets {
		if !slices.Contains(r.call.Budgets[:i], name) {
			b := m.budgets[name]
			b.taken = append(b.taken, slot{r.end, r.call.Priority})
		}
	}
}

func (m *model) drop(n map[string]int) {
	for name, b := range m.budgets {
		b.taken = b.taken[:n[name]]
	}
}

func (m *model) sizes() map[string]int {
	n := map[string]int{}
	for name, b := range m.budgets {
		n[name] = len(b.taken)
	}
	return n
}

func (m *model) replay(records []*record) {
	var moments []time.Duration
	for _, r := range records {
		moments = append(moments, r.asked, r.end)
	}
	slices.Sort(moments)
	last := time.Duration(0)
	for _, now := range slices.Compact(moments) {
		var waiting, grants []*record
		returns := false
		for _, r := range records {
			if r.asked < now && r.end >= now {
				waiting = append(waiting, r)
			}
			if r.end == now && r.uses() {
				grants = append(grants, r)
			}
			returns = returns || r.end == now && r.returned
		}
		if m.exact {
			m.nobodyWaitsInVain(waiting, last, now)
			if !returns { // what was returned stood in the way of others for less than a moment
				m.inOrder(waiting, grants, now)
			}
		}
		m.withinRules(grants, now)
		last = now
	}
}

// nobodyWaitsInVain looks at the time since the last event: who could go for a whole millisecond should have gone.
func (m *model) nobodyWaitsInVain(waiting []*record, last, now time.Duration) {
	at := now - time.Millisecond
	if at <= last {
		return
	}
	for _, r := range waiting {
		if m.room(r, at) {
			m.fail("at %v could go: %v", at, r)
		}
	}
}

// inOrder looks whether somebody who came first could have had the room that another one got.
func (m *model) inOrder(waiting, grants []*record, now time.Duration) {
	before := m.sizes()
	slices.SortStableFunc(grants, order)
	for _, r := range grants {
		for _, w := range waiting {
			if w.end > now && order(w, r) < 0 && m.room(w, now) {
				m.fail("at %v %v was passed over for %v", now, w, r)
			}
		}
		m.take(r)
	}
	m.drop(before)
}

// withinRules takes the slots of grants for good. Who went first in one moment is not known; with refreshes first the rules
// ask least.
func (m *model) withinRules(grants []*record, now time.Duration) {
	slices.SortStableFunc(grants, func(a, b *record) int { return -order(a, b) })
	for _, r := range grants {
		if !m.room(r, now) {
			m.fail("at %v there was no room for %v", now, r)
		}
		m.take(r)
	}
}
