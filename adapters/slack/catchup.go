package slack

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// catchup reads what was said while no socket was open, or what the store would not take, from the histories of the rooms
// that the bot is in. Slack does not tell which rooms have news, so each is looked at, one after the other.
type catchup struct {
	r    *runner
	wake chan struct{} // capacity 1

	mu    sync.Mutex
	timer *time.Timer         // nil: none is set
	also  map[string]wireRoom // rooms of events that were refused; the list may not have them yet
	ended bool
}

// listFresh is how long the list of rooms is taken as it is. Listing is what Slack allows least often.
const listFresh = 5 * time.Minute

// catchUpTries is how often a room is tried that fails.
const catchUpTries = 6

// errNotStored means that the store refused an event.
var errNotStored = errors.New("event not stored")

func newCatchup(r *runner) *catchup {
	return &catchup{r: r, wake: make(chan struct{}, 1), also: map[string]wireRoom{}}
}

// start lets the history be read now, if there is a gap.
func (c *catchup) start() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// refused lets the history of a room be read in a while, for an event that was not stored.
func (c *catchup) refused(at core.Room) {
	c.mu.Lock()
	if len(c.also) < maxRooms {
		c.also[at.ID] = wireRoom{ID: at.ID, IsIM: at.Direct}
	}
	c.mu.Unlock()
	c.after(c.r.p.times.retryStore)
}

// after lets all histories be read in a while.
func (c *catchup) after(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil || c.ended {
		return
	}
	c.timer = time.AfterFunc(d, func() {
		c.mu.Lock()
		c.timer = nil
		c.mu.Unlock()
		c.start()
	})
}

// run works until ctx ends.
func (c *catchup) run(ctx context.Context) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended = true
		if c.timer != nil {
			c.timer.Stop()
		}
	}()
	var rooms []wireRoom
	var listed time.Time
	for {
		select {
		case <-c.wake:
		case <-ctx.Done():
			return
		}
		g, ok := c.r.behind()
		// The rooms are listed at the first start too: their names are wanted soon.
		if listed.IsZero() || ok && time.Since(listed) > listFresh {
			rooms, listed = c.list(ctx), time.Now()
		}
		rooms = c.extend(rooms)
		for ok && ctx.Err() == nil {
			if !c.all(ctx, rooms, g) {
				c.after(c.r.p.times.retryStore)
				break
			}
			if c.r.positions.caughtUp(g.number) {
				c.r.flush(ctx)
				break
			}
			g, ok = c.r.behind()
		}
	}
}

// hurry reads the rooms in which events wait ahead of all others, until ctx ends.
func (c *catchup) hurry(ctx context.Context) {
	for {
		select {
		case <-c.r.held.wake:
		case <-ctx.Done():
			return
		}
		for ctx.Err() == nil {
			w, waits := c.r.held.next()
			g, ok := c.r.behind()
			if !waits || !ok {
				break // with the next socket it goes on
			}
			if _, err := c.room(ctx, w, g, c.r.positions.known(g.from.Add(-reachBack))[w.ID]); errors.Is(err, errNotStored) {
				_ = sleep(ctx, c.r.p.times.retryStore)
			}
		}
	}
}

// extend adds the rooms of refused events to the list.
func (c *catchup) extend(rooms []wireRoom) []wireRoom {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, w := range c.also {
		if !slices.ContainsFunc(rooms, func(o wireRoom) bool { return o.ID == id }) {
			rooms = append(rooms, w)
		}
	}
	clear(c.also)
	return rooms
}

// all reads all rooms; false if the store refused something.
func (c *catchup) all(ctx context.Context, rooms []wireRoom, g gap) bool {
	if c.r.lookback() <= 0 {
		return true
	}
	threads := c.r.positions.known(g.from.Add(-reachBack))
	// Rooms where the bot was being talked with come first, then direct chats.
	rank := func(w wireRoom) int {
		switch {
		case len(threads[w.ID]) > 0:
			return 0
		case w.IsIM:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(rooms, func(a, b wireRoom) int { return cmp.Compare(rank(a), rank(b)) })
	found := 0
	read := func(w wireRoom) bool {
		if c.r.held.read(w.ID, g) {
			return true
		}
		n, err := c.room(ctx, w, g, threads[w.ID])
		found += n
		return ctx.Err() == nil && !errors.Is(err, errNotStored)
	}
	// Threads are read one by one, which may take minutes. What was said beside them, in the same rooms, does not wait.
	for _, w := range rooms {
		if len(threads[w.ID]) > 0 && !c.r.held.read(w.ID, g) && !c.roots(ctx, w, g) {
			return false
		}
	}
	for _, w := range rooms {
		if !read(w) {
			return false
		}
	}
	for !c.r.held.end(g) { // there may be rooms that are not in the list
		if w, waits := c.r.held.next(); waits && !read(w) {
			return false
		}
	}
	c.r.log.Info("caught up", slog.Int("rooms", len(rooms)), slog.Int("events", found), slog.Time("from", g.from))
	return true
}

// roots hands over what a room shows beside its threads; false if the store refused something. Where it cannot be read, room
// is going to tell.
func (c *catchup) roots(ctx context.Context, w wireRoom, g gap) bool {
	found, _, err := c.history(ctx, w.ID, tsOf(g.from))
	if err == nil {
		_, err = c.handOver(ctx, w, found, g)
	}
	return ctx.Err() == nil && !errors.Is(err, errNotStored)
}

// gap is the time in which something may have been missed.
type gap struct {
	number int       // as positions count
	cut    int       // as held counts
	since  time.Time // from then on
	from   time.Time // what was said is looked at from then on, a little earlier than since, but no earlier than catch_up says
}

// room reads one room and the threads in it, and hands over what people did since the gap began, in order; then what waited
// for that. A room that cannot be read is live without.
func (c *catchup) room(ctx context.Context, w wireRoom, g gap, threads []string) (n int, err error) {
	for again := true; again; {
		var found int
		found, again, err = c.once(ctx, w, g, threads)
		n += found
		switch {
		case ctx.Err() != nil || errors.Is(err, errNotStored):
			return n, err
		case err != nil:
			c.r.log.Warn("room not caught up", slog.String("room", w.ID), logErr(err))
			again = false
			if _, rerr := c.r.held.release(ctx, w.ID, g, c.r.store); rerr != nil {
				return n, errors.Join(errNotStored, rerr)
			}
		}
	}
	return n, err
}

// once reads a room; again says that it is to be read once more. When somebody has waited long, what was found so far will
// do; what threads hold that nobody waits in comes after it.
func (c *catchup) once(ctx context.Context, w wireRoom, g gap, threads []string) (n int, again bool, err error) {
	oldest, reach := tsOf(g.from), tsOf(g.from.Add(-reachBack))
	found, left, err := c.history(ctx, w.ID, oldest)
	if err != nil {
		return 0, false, err
	}
	for _, t := range threads {
		if !slices.Contains(left, t) {
			left = append(left, t)
		}
	}
	release := func() error {
		done, err := c.handOver(ctx, w, found, g)
		n += done
		found = nil
		if err != nil || again {
			return err
		}
		if again, err = c.r.held.release(ctx, w.ID, g, c.r.store); err != nil {
			return errors.Join(errNotStored, err)
		}
		return nil
	}
	for len(left) > 0 {
		waiting, since := c.r.held.threads(w.ID)
		next := slices.IndexFunc(left, func(t string) bool { return slices.Contains(waiting, t) })
		if next < 0 && !since.IsZero() && time.Since(since) > c.r.p.times.hold {
			if err := release(); err != nil {
				return n, false, err
			}
		}
		next = max(next, 0)
		more, err := c.thread(ctx, w.ID, left[next], reach)
		if err != nil && core.ClassOf(err) != core.ThreadGone {
			return n, false, err
		}
		found, left = append(found, more...), slices.Delete(left, next, next+1)
	}
	err = release()
	return n, again, err
}

// handOver hands over what people did in a room since the gap began, in order.
func (c *catchup) handOver(ctx context.Context, w wireRoom, found []message, g gap) (n int, err error) {
	reach := tsOf(g.from.Add(-reachBack))
	found = slices.DeleteFunc(found, func(m message) bool { return !before(reach, m.TS) })
	slices.SortFunc(found, func(a, b message) int {
		x, _ := microOf(a.TS)
		y, _ := microOf(b.TS)
		return cmp.Compare(x, y)
	})
	found = slices.CompactFunc(found, func(a, b message) bool { return a.TS == b.TS }) // also sent to the room
	if extra := len(found) - maxCaughtUp; extra > 0 {
		c.r.log.Warn("messages not caught up: too many", slog.String("room", w.ID), slog.Int("messages", extra))
		found = found[extra:]
	}
	for i := range found {
		m := &found[i]
		if w.IsIM {
			m.ChannelType = "im"
		}
		for _, ev := range c.decode(ctx, m, g) {
			if err := c.r.accept(ctx, ev); err != nil {
				return n, errors.Join(errNotStored, err)
			}
			n++
		}
	}
	return n, nil
}

// patiently tries until it goes well, fails for good, or has failed too often. Being asked to wait does not count.
func (c *catchup) patiently(ctx context.Context, f func() error) error {
	for tries := 0; ; {
		err := f()
		if err == nil || ctx.Err() != nil || lasting(err) {
			return err
		}
		if core.ClassOf(err) != core.RateLimited {
			if tries++; tries >= catchUpTries {
				return err
			}
		}
		if serr := sleep(ctx, max(c.r.p.times.retryPage<<min(tries, 6), core.RetryAfterOf(err))); serr != nil {
			return err
		}
	}
}

// list names the rooms that the bot is in. Each type of room has a scope of its own, so each is asked for alone.
// Source: https://docs.slack.dev/reference/methods/conversations.list
func (c *catchup) list(ctx context.Context) []wireRoom {
	rooms := []wireRoom{}
	for _, kind := range []string{"im", "public_channel", "private_channel", "mpim"} {
		cursor := ""
		for range maxRoomPages {
			var out struct {
				Channels []wireRoom `json:"channels"`
				Metadata struct {
					NextCursor string `json:"next_cursor"`
				} `json:"response_metadata"`
			}
			err := c.patiently(ctx, func() error {
				use := method("conversations.list").patient()
				_, err := c.r.p.call(ctx, "slack.Rooms", use, func(ctx context.Context) error {
					_, _, err := c.r.p.api.GetConversationsContext(ctx, &slackgo.GetConversationsParameters{
						Cursor: cursor, ExcludeArchived: true, Limit: pageSize, Types: []string{kind},
					})
					return err //nolint:wrapcheck // call classifies it
				}, &out)
				return err
			})
			if err != nil {
				if ctx.Err() == nil {
					c.r.log.Warn("rooms not listed", slog.String("type", kind), logErr(err))
				}
				break
			}
			for _, w := range out.Channels {
				if !isID(w.ID) || w.Archived {
					continue
				}
				if w.IsIM || w.IsMember || kind == "mpim" {
					c.r.p.dir.putRoom(w.ID, w.room())
					rooms = append(rooms, w)
				}
			}
			if cursor = out.Metadata.NextCursor; cursor == "" {
				break
			}
		}
	}
	return rooms
}
