package telegram

import (
	"context"
	"slices"
	"sync"
	"time"
)

// budgets share out what Telegram allows among all that the bot does at once: sends and edits together, in each chat and
// over all. New messages go before edits, and both in the order in which they first asked. What would have to wait too
// long is given back to the caller, whose place in the queue is kept until it comes again with the newest text.
//
// golang.org/x/time/rate cannot do that: a reservation there cannot be overtaken, and an abandoned one is spent. Nor does
// it know a number of calls in any minute.
type budgets struct {
	mu      sync.Mutex
	all     bucket
	chats   map[string]*chatBudget
	urgent  []*ticket // who waits to send something new, the longest first
	refresh []*ticket // who waits to edit
	bySlot  map[string]*ticket
	newChat func(chat string) *chatBudget // what a chat may do
}

// chatBudget is what one chat has used.
type chatBudget struct {
	group   bool
	second  bucket
	spaced  bucket      // of a group: edits, spread over the minute
	recent  []time.Time // of a group: the calls of the last minute
	until   time.Time   // a 429 asked to wait until then
	used    time.Time
	tickets int
}

// ticket is a place in the queue.
type ticket struct {
	slot   string // names it for the next try; "" if it is not kept
	chat   *chatBudget
	urgent bool
	ready  time.Time // when its chat lets it go, as was computed last
	lives  time.Time // it is kept until then
}

func newBudgets() *budgets {
	return &budgets{
		all: newBucket(allPerSecond, allBurst), chats: map[string]*chatBudget{}, bySlot: map[string]*ticket{}, newChat: newChatBudget,
	}
}

// newChatBudget is what Telegram allows in a chat.
func newChatBudget(chat string) *chatBudget {
	return &chatBudget{
		group: isGroup(chat), second: newBucket(chatPerSecond, chatBurst),
		spaced: newBucket(groupPerMinute/groupWindow.Seconds(), groupBurst),
	}
}

// acquire waits for a call's turn in a chat, at most maxWait, and not at all when ctx would end first. slot names what is
// sent or edited; with one, the place is kept when the error is *tooSoonError. Other errors are ctx's.
func (b *budgets) acquire(ctx context.Context, chat, slot string, urgent bool, maxWait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // the caller adds the operation
	}
	last := time.Now().Add(maxWait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(last) {
		last = deadline
	}
	t := b.join(chat, slot, urgent, time.Now())
	for {
		now := time.Now()
		wait := b.take(t, now)
		if wait <= 0 {
			return nil
		}
		if now.Add(wait).After(last) {
			if t.slot == "" {
				b.leave(t)
			}
			return &tooSoonError{wait: wait}
		}
		if err := pause(ctx, wait); err != nil {
			b.leave(t)
			return err
		}
	}
}

// join returns the place that is kept for slot, or one at the end of the queue.
func (b *budgets) join(chat, slot string, urgent bool, now time.Time) *ticket {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forgetLocked(now)
	if slot != "" {
		slot = chat + " " + slot
		if t, ok := b.bySlot[slot]; ok && t.urgent == urgent {
			return t
		}
	}
	if len(b.bySlot) >= maxTickets {
		slot = ""
	}
	t := &ticket{slot: slot, chat: b.chatLocked(chat, now), urgent: urgent, lives: now.Add(keptFor)}
	t.chat.tickets++
	if slot != "" {
		b.bySlot[slot] = t
	}
	if urgent {
		b.urgent = append(b.urgent, t)
	} else {
		b.refresh = append(b.refresh, t)
	}
	return t
}

// take counts the call and returns 0 if it may be made now; else it returns how long to wait.
func (b *budgets) take(t *ticket, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.lives = later(t.lives, now) // it is here
	b.forgetLocked(now)
	c := t.chat
	before, readyBefore := ahead(b.urgent, t, now)
	edits := 0
	if !t.urgent {
		var ready int
		edits, ready = ahead(b.refresh, t, now)
		readyBefore += ready
	}
	t.ready = c.when(now, before+edits+1)
	if !t.urgent && c.group {
		t.ready = later(t.ready, c.spaced.when(now, edits+1))
	}
	due := later(t.ready, b.all.when(now, readyBefore+1))
	if due.After(now) {
		// In a long queue the turn may come sooner than it looks, since some who stand there do not come again.
		wait := max(min(due.Sub(now), askAgain), c.until.Sub(now))
		t.lives = now.Add(wait + keptFor)
		return wait
	}
	b.leaveLocked(t)
	b.all.spend(now)
	c.spend(now)
	if !t.urgent {
		c.spaced.spend(now)
	}
	return 0
}

// ahead counts who stands before t in a queue: in its chat, and those of other chats that wait for the whole bot's budget
// alone. One whose chat has no room holds up nobody elsewhere.
func ahead(queue []*ticket, t *ticket, now time.Time) (inChat, ready int) {
	for _, other := range queue {
		switch {
		case other == t:
			return inChat, ready
		case other.chat == t.chat:
			inChat++
		case !other.ready.IsZero() && !other.ready.After(now):
			ready++
		}
	}
	return inChat, ready
}

func (b *budgets) leave(t *ticket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaveLocked(t)
}

func (b *budgets) leaveLocked(t *ticket) {
	queue := &b.refresh
	if t.urgent {
		queue = &b.urgent
	}
	if i := slices.Index(*queue, t); i >= 0 {
		*queue = slices.Delete(*queue, i, i+1)
		b.goneLocked(t)
	}
}

func (b *budgets) goneLocked(t *ticket) {
	t.chat.tickets--
	if b.bySlot[t.slot] == t {
		delete(b.bySlot, t.slot)
	}
}

// forgetLocked drops the places of those who did not come again.
func (b *budgets) forgetLocked(now time.Time) {
	for _, queue := range []*[]*ticket{&b.urgent, &b.refresh} {
		*queue = slices.DeleteFunc(*queue, func(t *ticket) bool {
			if !now.After(t.lives) {
				return false
			}
			b.goneLocked(t)
			return true
		})
	}
}

func (b *budgets) chatLocked(chat string, now time.Time) *chatBudget {
	c, ok := b.chats[chat]
	if !ok {
		if len(b.chats) >= maxChats {
			b.evictLocked(now)
		}
		c = b.newChat(chat)
		b.chats[chat] = c
	}
	c.used = now
	return c
}

// evictLocked makes room for one chat: of some that nobody waits for, the one that was used least lately. All that is lost
// is what it has used.
func (b *budgets) evictLocked(now time.Time) {
	oldest, looked := "", 0
	for name, c := range b.chats { // in random order
		if c.tickets > 0 || c.until.After(now) {
			continue
		}
		if oldest == "" || c.used.Before(b.chats[oldest].used) {
			oldest = name
		}
		if looked++; looked == 32 {
			break
		}
	}
	delete(b.chats, oldest)
}

// hold stops a chat until a 429's time is over. It concerns nothing but that chat.
func (b *budgets) hold(chat string, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	c := b.chatLocked(chat, now)
	c.until = later(c.until, now.Add(d))
}

// held is how long a chat is stopped.
func (b *budgets) held(chat string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.chats[chat]; ok {
		return max(0, time.Until(c.until))
	}
	return 0
}

func (b *budgets) setCeiling(n float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = newBucket(n, max(1, n/2))
}

// when is the earliest time at which n further calls will have fitted into the chat.
func (c *chatBudget) when(now time.Time, n int) time.Time {
	at := later(later(now, c.until), c.second.when(now, n))
	if !c.group {
		return at
	}
	for len(c.recent) > 0 && now.Sub(c.recent[0]) >= groupWindow {
		c.recent = c.recent[1:]
	}
	switch over := len(c.recent) + n - groupPerMinute; {
	case over <= 0:
	case over <= len(c.recent):
		at = later(at, c.recent[over-1].Add(groupWindow))
	default: // further than the calls of the last minute tell
		at = later(at, now.Add(time.Duration(over)*groupWindow/groupPerMinute))
	}
	return at
}

func (c *chatBudget) spend(now time.Time) {
	c.second.spend(now)
	if c.group {
		c.recent = append(c.recent, now)
	}
}

// bucket is a token bucket.
type bucket struct {
	rate, burst float64 // tokens: a second, at most
	tokens      float64
	at          time.Time
}

func newBucket(rate, burst float64) bucket { return bucket{rate: rate, burst: burst, tokens: burst} }

func (b *bucket) fill(now time.Time) {
	if !b.at.IsZero() && now.After(b.at) {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
}

// when is the earliest time at which n further calls will have been allowed.
func (b *bucket) when(now time.Time, n int) time.Time {
	b.fill(now)
	missing := float64(n) - b.tokens
	if missing < 1e-6 {
		return now
	}
	return now.Add(time.Duration(missing / b.rate * float64(time.Second)))
}

func (b *bucket) spend(now time.Time) {
	b.fill(now)
	b.tokens--
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
