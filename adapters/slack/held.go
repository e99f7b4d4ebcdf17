package slack

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/core"
)

// held keeps back the events of rooms that are behind: what was said there while no socket was open is to be handed over
// before what is said now. A room is behind from the moment the last socket closes until its history has been read, and
// its events are acknowledged when they are stored, later than Slack likes: it sends them again, and they are known then.
type held struct {
	wake      chan struct{} // capacity 1: an event waits
	releasing sync.Mutex    // held while what waits is handed over, so that it is by one goroutine

	mu    sync.Mutex
	cut   int // counts the times in which no socket was open; what was read before the last of them does not count
	on    bool
	rooms map[string]*heldRoom // those in which events wait
	live  map[string]int       // rooms that are behind no more, with the gap up to which they were read
	count int                  // events that wait
	last  int                  // counts them all
}

// heldRoom is a room in which events wait.
type heldRoom struct {
	direct bool
	since  time.Time // when the first came
	events []heldEvent
	more   bool // there were more than are kept: they are in the history
}

type heldEvent struct {
	number int
	ev     core.Event
	done   func(ctx context.Context, err error) // as in delivery
}

// drop takes out the events of a kind.
func (r *heldRoom) drop(kind core.Kind) (dropped []heldEvent) {
	r.events = slices.DeleteFunc(r.events, func(e heldEvent) bool {
		if e.ev.Kind == kind {
			dropped = append(dropped, e)
		}
		return e.ev.Kind == kind
	})
	return dropped
}

// errHeld means that too many events wait.
var errHeld = errors.New("too many events wait until it is known what was said before them")

func newHeld() *held {
	return &held{wake: make(chan struct{}, 1), rooms: map[string]*heldRoom{}, live: map[string]int{}}
}

// begin lets all rooms be behind.
func (h *held) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut++
	h.on = true
	clear(h.live)
}

// cuts is how often all rooms have fallen behind.
func (h *held) cuts() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cut
}

// keep keeps an event back whose room is behind; false if it is not. The error is errHeld.
func (h *held) keep(ev *core.Event, done func(context.Context, error)) (kept bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.on || h.isLiveLocked(ev.Room.ID) {
		return false, nil
	}
	room := h.rooms[ev.Room.ID]
	switch {
	case room == nil && h.count >= maxHeldAll:
		return true, errHeld // the room is going to be read anyway
	case room == nil:
		room = &heldRoom{direct: ev.Room.Direct, since: time.Now()}
		h.rooms[ev.Room.ID] = room
	case len(room.events) >= maxHeld || h.count >= maxHeldAll:
		room.more = room.more || ev.Kind == core.KindMessage
		return true, errHeld
	}
	h.poke()
	h.last++
	room.events = slices.Insert(room.events, room.after(ev), heldEvent{h.last, *ev, done})
	h.count++
	return true, nil
}

// after is the place of an event among those that wait: the end, but for a message that a later one has overtaken on the
// other socket.
func (r *heldRoom) after(ev *core.Event) int {
	i := len(r.events)
	if ev.Kind == core.KindMessage {
		for i > 0 && r.events[i-1].ev.Kind == core.KindMessage && before(ev.MessageID, r.events[i-1].ev.MessageID) {
			i--
		}
	}
	return i
}

func (h *held) isLiveLocked(room string) bool {
	_, live := h.live[room]
	return live
}

// poke says that there may be something to read.
func (h *held) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// next is the room in which an event has waited longest; ok is false if there is none.
func (h *held) next() (w wireRoom, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var first time.Time
	for id, room := range h.rooms {
		if !h.isLiveLocked(id) && (!ok || room.since.Before(first)) {
			w, first, ok = wireRoom{ID: id, IsIM: room.direct}, room.since, true
		}
	}
	return w, ok
}

// threads are those in which events of a room wait, in their order, and since when the first does; zero if none waits.
func (h *held) threads(room string) (threads []string, since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[room]
	if r == nil {
		return nil, time.Time{}
	}
	for i := range r.events {
		if t := r.events[i].ev.Thread; t != "" {
			threads = append(threads, t)
		}
	}
	return threads, r.since
}

// read tells whether a room is behind no more since a gap.
func (h *held) read(room string, g gap) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	number, live := h.live[room]
	return live && h.cut == g.cut && number == g.number
}

// release hands over what waits in a room whose history has been read since a gap, and lets the room be live. more says
// that its history is to be read once more first. On an error of store's the rest waits on.
func (h *held) release(ctx context.Context, room string, g gap, store func(context.Context, core.Event) error) (more bool, err error) {
	h.releasing.Lock()
	defer h.releasing.Unlock()
	for {
		h.mu.Lock()
		r := h.rooms[room]
		switch {
		case g.cut != h.cut || !h.on:
			h.mu.Unlock()
			return false, nil
		case r != nil && r.more:
			// What is missing may belong before what waits, which by now is in the history as well.
			r.more = false
			dropped := r.drop(core.KindMessage)
			h.count -= len(dropped)
			h.mu.Unlock()
			for _, one := range dropped {
				one.done(ctx, errHeld) // Slack sends it again, and it is known then
			}
			return true, nil
		case r == nil || len(r.events) == 0:
			delete(h.rooms, room)
			h.live[room] = g.number
			h.mu.Unlock()
			return false, nil
		}
		first := r.events[0]
		h.mu.Unlock()
		if err := store(ctx, first.ev); err != nil {
			return false, err
		}
		first.done(ctx, nil)
		h.mu.Lock()
		// New messages may have been put before it meanwhile.
		if i := slices.IndexFunc(r.events, func(e heldEvent) bool { return e.number == first.number }); i >= 0 {
			r.events = slices.Delete(r.events, i, i+1)
			h.count--
		}
		h.mu.Unlock()
	}
}

// end lets all rooms be live, once all have been read since a gap. done is false while something waits.
func (h *held) end(g gap) (done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case g.cut != h.cut:
		return true // they are behind again
	case len(h.rooms) > 0:
		return false
	}
	h.on = false
	clear(h.live)
	return true
}

// store makes an event durable that comes from Slack rather than from a history.
func (r *runner) store(ctx context.Context, ev core.Event) error {
	err := r.accept(ctx, ev)
	if err != nil && ctx.Err() == nil && ev.Kind == core.KindMessage {
		// Slack tries three times more. Should the store need longer, the history has it.
		r.positions.missed(ev.SentAt)
		r.catchup.refused(ev.Room)
	}
	return err
}

// hold is where an event goes on its way to the host: it waits while its room is behind.
func (r *runner) hold(ctx context.Context, ev *core.Event, done func(context.Context, error)) {
	switch ev.Kind {
	case core.KindMessage, core.KindEdit, core.KindDelete, core.KindReaction:
	default: // a person waits for what a command or a button does
		done(ctx, r.store(ctx, *ev))
		return
	}
	switch kept, err := r.held.keep(ev, done); {
	case err != nil:
		r.log.Info("event not held, Slack will send it again", slog.String("room", ev.Room.ID), logErr(err))
		done(ctx, err)
	case !kept:
		done(ctx, r.store(ctx, *ev))
	}
}
