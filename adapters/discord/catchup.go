package discord

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/core"
)

const (
	catchUpWorkers = 4
	catchUpTries   = 8
)

// catchup reads the history of channels that are behind. While a channel is being caught up, what the gateway brings for
// it waits, so that the order is kept. Of what waits over a bound, messages are read from the history as well.
type catchup struct {
	r    *runner
	wake chan struct{} // one token for each worker that may have something to do

	mu   sync.Mutex
	jobs map[string]*backlog // by channel
	next []*backlog          // waiting for a worker
}

type backlog struct {
	channel channel
	after   snowflake
	held    []heldEvent

	start     snowflake    // after, at first
	ownBefore snowflake    // as in behind
	own       []ownMessage // the bot's, of what was read
	compared  bool         // their reactions are handled
	since     time.Time    // when the gap was found

	regap     bool // another gap was found
	more      bool // read on, even after a page that was not full
	tries     int
	notBefore time.Time
}

// heldEvent is what the gateway brought meanwhile. ev is nil for a message that needs no more than to be passed over.
type heldEvent struct {
	id snowflake // of a new message; 0 for other events
	ev *core.Event
}

func newCatchup(r *runner) *catchup {
	return &catchup{r: r, wake: make(chan struct{}, catchUpWorkers), jobs: map[string]*backlog{}}
}

// add puts channels in line.
func (c *catchup) add(list []behind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range list {
		if old := c.jobs[b.channel.id]; old != nil {
			// A gap of its own may have opened behind what was read.
			old.more, old.regap = true, true
			for i := range old.held { // what became of them in the gap, the history tells
				if h := &old.held[i]; h.ev != nil && h.ev.Kind == core.KindReaction {
					h.ev = nil
				}
			}
			continue
		}
		job := &backlog{channel: b.channel, after: b.after, start: b.after, ownBefore: b.ownBefore, since: time.Now().UTC()}
		c.jobs[b.channel.id] = job
		c.next = append(c.next, job)
	}
	c.wakeLocked()
}

func (c *catchup) wakeLocked() {
	for range min(len(c.next), catchUpWorkers) {
		select {
		case c.wake <- struct{}{}:
		default:
			return
		}
	}
}

// hold keeps an event of a channel that is being caught up; false if it is not.
func (c *catchup) hold(channelID string, h heldEvent) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	job := c.jobs[channelID]
	if job == nil {
		return false
	}
	switch {
	case len(job.held) < maxHeld:
		job.held = append(job.held, h)
	case h.id != 0:
		job.more = true
	default:
		c.r.log.Warn("event dropped, the channel is being caught up", slog.String("channel", channelID))
	}
	// Somebody waits: this channel first.
	if i := slices.Index(c.next, job); i > 0 {
		c.next = slices.Insert(slices.Delete(c.next, i, i+1), 0, job)
	}
	return true
}

// any tells whether a channel is being caught up.
func (c *catchup) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.jobs) > 0
}

func (c *catchup) pending(channelID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jobs[channelID] != nil
}

// take picks the first channel that may be tried; else it says how long to wait for one, 0 if there is none.
func (c *catchup) take() (job *backlog, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for i, job := range c.next {
		if until := job.notBefore.Sub(now); until > 0 {
			if wait == 0 || until < wait {
				wait = until
			}
			continue
		}
		c.next = slices.Delete(c.next, i, i+1)
		return job, 0
	}
	return nil, wait
}

// work is one worker. It ends with ctx.
func (c *catchup) work(ctx context.Context) {
	for {
		job, wait := c.take()
		if job != nil {
			c.run(ctx, job)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		if wait == 0 {
			wait = time.Hour
		}
		t := time.NewTimer(wait)
		select {
		case <-c.wake:
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// run reads one channel up to its end, or puts it back in line.
func (c *catchup) run(ctx context.Context, job *backlog) {
	if job.channel.kind == unknownKind {
		ch, err := c.r.p.resolve(ctx, job.channel.id, job.channel.guild)
		if ctx.Err() != nil || err != nil && c.again(job, err) {
			return
		}
		if err == nil {
			job.channel = ch
		}
	}
	for {
		more, err := c.page(ctx, job)
		if ctx.Err() != nil {
			return // the position stands: the next start goes on from it
		}
		if err != nil {
			if c.again(job, err) {
				return
			}
			more, job.compared = false, true
		}
		if more {
			continue
		}
		if !job.compared {
			if err := c.reactions(ctx, job); ctx.Err() != nil {
				return
			} else if err != nil && c.again(job, err) {
				return
			}
			job.compared = true
		}
		done, err := c.finish(ctx, job)
		if ctx.Err() != nil || done {
			return
		}
		if err != nil && c.again(job, err) {
			return
		}
	}
}

// again puts a channel back in line after a failure; false if it is given up.
func (c *catchup) again(job *backlog, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	job.tries++
	limited := core.ClassOf(err) == core.RateLimited || errors.Is(err, errNotStored)
	if lasting(err) || job.tries > catchUpTries && !limited {
		// Without the permission to read history there is nothing to catch up. Else what was missed is lost here.
		c.r.log.Warn("channel not caught up", slog.String("channel", job.channel.id), slog.String("after", job.after.String()),
			slog.Int("attempt", job.tries), slog.Any("err", err))
		job.more = false
		return false
	}
	wait := c.r.p.times.retryPage << min(job.tries-1, 6)
	job.notBefore = time.Now().Add(max(wait, core.RetryAfterOf(err)))
	c.next = append(c.next, job)
	c.wakeLocked()
	return true
}

// page reads and delivers one page; more says that there is another.
func (c *catchup) page(ctx context.Context, job *backlog) (more bool, err error) {
	c.mu.Lock()
	job.more = false // what comes from now on sets it again
	if job.regap {
		for _, m := range job.own {
			job.ownBefore = max(job.ownBefore, idOf(m.id))
		}
		job.regap, job.compared, job.own = false, false, nil
		job.start, job.since = job.after, time.Now().UTC()
	}
	c.mu.Unlock()
	job.after = max(job.after, c.r.oldest())
	page, full, err := c.r.p.page(ctx, "discord.CatchUp", job.channel.id, "after", job.after.String(), true)
	if err != nil {
		return false, err
	}
	began := job.after
	for _, m := range slices.Backward(page) { // oldest first
		id := idOf(m.ID)
		if id <= job.after {
			continue
		}
		m.ChannelID, m.GuildID = job.channel.id, job.channel.guild
		job.remember(c.r.p.dir.me(), &m)
		if ev, ok := c.r.p.messageEvent(&m, &job.channel); ok {
			if err := c.r.accept(ctx, ev); err != nil {
				return false, err
			}
		}
		job.after = id
		c.r.positions.advance(&job.channel, id)
	}
	job.tries = 0
	return full && job.after > began, nil
}

// finish delivers what was held. done says that the channel is live again; if not, it is to be read on.
func (c *catchup) finish(ctx context.Context, job *backlog) (done bool, err error) {
	for {
		c.mu.Lock()
		if job.more {
			c.mu.Unlock()
			return false, nil
		}
		if len(job.held) == 0 {
			delete(c.jobs, job.channel.id)
			c.mu.Unlock()
			return true, nil
		}
		h := job.held[0]
		c.mu.Unlock()
		if h.ev != nil && (h.id == 0 || h.id > job.after) {
			if err := c.r.accept(ctx, *h.ev); err != nil {
				return false, err
			}
		}
		if h.id > job.after {
			job.after = h.id
			c.r.positions.advance(&job.channel, h.id)
		}
		c.mu.Lock()
		job.held = job.held[1:]
		c.mu.Unlock()
	}
}
