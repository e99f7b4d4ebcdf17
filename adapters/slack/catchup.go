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
		from, gap := c.r.positions.behind()
		// The rooms are listed at the first start too: their names are wanted soon.
		if listed.IsZero() || gap != 0 && time.Since(listed) > listFresh {
			rooms, listed = c.list(ctx), time.Now()
		}
		rooms = c.extend(rooms)
		for gap != 0 && ctx.Err() == nil {
			if !c.all(ctx, rooms, from) {
				c.after(c.r.p.times.retryStore)
				break
			}
			if c.r.positions.caughtUp(gap) {
				c.r.flush(ctx)
				break
			}
			from, gap = c.r.positions.behind()
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
func (c *catchup) all(ctx context.Context, rooms []wireRoom, from time.Time) bool {
	back := c.r.lookback()
	if back <= 0 {
		return true
	}
	g := gap{since: from, from: later(from.Add(-c.r.p.times.overlap), time.Now().Add(-back))}
	from = g.from
	threads := c.r.positions.known(from.Add(-24 * time.Hour))
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
	for _, w := range rooms {
		n, err := c.room(ctx, w, g, threads[w.ID])
		found += n
		switch {
		case ctx.Err() != nil, errors.Is(err, errNotStored):
			return false
		case err != nil:
			c.r.log.Warn("room not caught up", slog.String("room", w.ID), logErr(err))
		}
	}
	c.r.log.Info("caught up", slog.Int("rooms", len(rooms)), slog.Int("events", found), slog.Time("from", from))
	return true
}

// gap is the time in which something may have been missed.
type gap struct {
	since time.Time // from then on
	from  time.Time // what was said is looked at from then on, a little earlier than since, but no earlier than catch_up says
}

// room reads one room and the threads in it, and hands over what people did since the gap began, in order.
func (c *catchup) room(ctx context.Context, w wireRoom, g gap, threads []string) (n int, err error) {
	oldest, reach := tsOf(g.from), tsOf(g.from.Add(-reachBack))
	found, active, err := c.history(ctx, w.ID, oldest)
	if err != nil {
		return 0, err
	}
	for _, t := range threads {
		if !slices.Contains(active, t) {
			active = append(active, t)
		}
	}
	for _, t := range active {
		more, err := c.thread(ctx, w.ID, t, reach)
		switch {
		case core.ClassOf(err) == core.ThreadGone:
		case err != nil:
			return 0, err
		}
		found = append(found, more...)
	}
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

// decode is what happened to a message since the gap began: that it was written, edited, or deleted where that has left a
// mark, and how people reacted to it if it is the bot's.
func (c *catchup) decode(ctx context.Context, m *message, g gap) (found []core.Event) {
	ctx, cancel := context.WithTimeout(ctx, c.r.p.times.lookup)
	defer cancel()
	d, oldest := c.r.decoder, tsOf(g.from)
	add := func(ev core.Event, ok bool) {
		if ok {
			found = append(found, ev)
		}
	}
	switch {
	case m.Subtype == "tombstone":
		add(d.deleted(m.TS, m, ""))
		return found
	case m.by(d.me):
		return c.reactions(ctx, m, g)
	case before(oldest, m.TS):
		add(d.posted(ctx, m, ""))
	}
	if m.Edited != nil && before(oldest, m.Edited.TS) {
		add(d.edited(ctx, m, m, ""))
	}
	return found
}

// reactions is how the reactions to a message of the bot's differ from those that the host knows of. A history does not
// tell when they were put: it is taken to be the beginning of the gap, so that what was seen after it counts more.
func (c *catchup) reactions(ctx context.Context, m *message, g gap) (found []core.Event) {
	known, at := c.r.marks.under(m.Channel, m.TS), tsOf(g.since)
	there, whole := map[mark]bool{}, true
	for _, r := range m.Reactions {
		whole = whole && r.Count <= len(r.Users)
		for _, user := range r.Users {
			one := mark{m.Channel, m.TS, user, emojiOf(r.Name)}
			if !isID(user) || user == c.r.decoder.me.user || r.Name == "" || there[one] {
				continue
			}
			there[one] = true
			if !slices.Contains(known, one) {
				found = append(found, c.r.decoder.reacted(ctx, one, true, at, ""))
			}
		}
	}
	for _, one := range known {
		if whole && !there[one] {
			found = append(found, c.r.decoder.reacted(ctx, one, false, at, ""))
		}
	}
	return found
}

// history reads a room back to oldest, by whole pages. active are the threads with later replies, among those that the pages
// show.
// Source: https://docs.slack.dev/reference/methods/conversations.history
func (c *catchup) history(ctx context.Context, room, oldest string) (found []message, active []string, err error) {
	cursor := ""
	for range maxPages {
		var got page
		err := c.patiently(ctx, func() error {
			use := method("conversations.history").patient()
			got = page{}
			_, err := c.r.p.call(ctx, "slack.CatchUp", use, func(ctx context.Context) error {
				_, err := c.r.p.api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{
					ChannelID: room, Cursor: cursor, Limit: pageSize,
				})
				return err //nolint:wrapcheck // call classifies it
			}, &got)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		past := false
		for _, m := range got.decode(room) { // newest first
			found = append(found, m)
			past = past || !before(oldest, m.TS)
			if before(oldest, m.LatestReply) {
				active = append(active, m.TS)
			}
		}
		if cursor = got.next(); cursor == "" || past {
			break
		}
	}
	return found, active, nil
}

// thread reads the replies of a thread since oldest, and its first message.
func (c *catchup) thread(ctx context.Context, room, thread, oldest string) (found []message, err error) {
	cursor := ""
	for range maxPages {
		var got page
		err := c.patiently(ctx, func() (err error) {
			got, err = c.r.p.replies(ctx, "slack.CatchUp", room, thread, span{oldest: oldest}, cursor, method("conversations.replies").patient())
			return err
		})
		if err != nil {
			return nil, err
		}
		found = append(found, got.decode(room)...)
		if cursor = got.next(); cursor == "" {
			break
		}
	}
	return found, nil
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
