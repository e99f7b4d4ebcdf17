package crashtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

// spot is where somebody asks: a direct chat, a channel where each conversation is a thread, or a group.
type spot struct {
	platform sim.Platform
	room     string
	people   []string
	threads  bool // each conversation is a thread that its first question begins
	mention  bool // questions outside threads have to name the bot
	long     int  // pieces of an answer that do not fit into one message
	rate     bool // reactions reach the bot
	slow     int  // by how much longer people rest, since the platform takes few messages; 0: not
	r        *rand.Rand

	conv *conversation
}

// conversation is what shares a memory.
type conversation struct {
	spot      *spot
	thread    string // "" outside threads, and before the first question
	questions []*question
}

// crowd is how many people and rooms a platform has.
const crowdPeople, crowdRooms = 3, 3

// spots are the places on a platform. The options must have been made with the same crowd.
func spots(p sim.Platform, r *rand.Rand) []*spot {
	c := standins.Crowd{People: crowdPeople, Rooms: crowdRooms}
	var all []*spot
	add := func(s *spot) {
		s.platform, s.r = p, newRand(r.Uint64(), r.Uint64())
		all = append(all, s)
	}
	switch p.Name() {
	case "slack":
		opt := c.Slack(slack.Options{})
		var people []string
		for _, u := range opt.Users {
			people = append(people, u.ID)
			add(&spot{room: slack.DM(u.ID), people: []string{u.ID}, long: 1100, rate: true})
		}
		for _, ch := range opt.Channels {
			add(&spot{room: ch.ID, people: people, threads: true, mention: true, long: 1100, rate: true})
		}
	case "discord":
		opt := c.Discord(discord.Options{})
		var people []string
		for _, u := range opt.People {
			people = append(people, u.ID)
			add(&spot{room: u.DM, people: []string{u.ID}, long: 280, rate: true})
		}
		for _, ch := range opt.Channels {
			add(&spot{room: ch.ID, people: people, threads: true, mention: true, long: 280, rate: true})
		}
	case "telegram":
		opt := c.Telegram(telegram.Options{})
		for _, u := range opt.Users {
			id := strconv.FormatInt(u.ID, 10)
			add(&spot{room: id, people: []string{id}, long: 480, rate: true})
		}
		for _, g := range opt.Chats {
			// 20 messages a minute: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
			s := &spot{room: strconv.FormatInt(g.ID, 10), mention: true, long: 480, rate: true, slow: 4}
			for _, m := range g.Members {
				s.people = append(s.people, strconv.FormatInt(m, 10))
			}
			add(s)
		}
	}
	return all
}

// perConversation is about how many questions a thread gets before the next one is begun.
const perConversation = 4

// crowd asks at every spot until told to stop.
type crowd struct {
	streams bool // answers are streamed where that can be: some take long enough for what is added to a stream
	w       *watch
	spots   []*spot
	rest    time.Duration // the longest before the next question; 0: none

	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// ask lets every spot ask, one question after the other, until ctx ends. Wait for it with wait.
func (c *crowd) ask(ctx context.Context) {
	for _, s := range c.spots {
		c.wg.Go(func() {
			if err := c.askAt(ctx, s); err != nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.errs = append(c.errs, err)
			}
		})
	}
}

// askAt asks at one spot. Now and then two questions come at once.
func (c *crowd) askAt(ctx context.Context, s *spot) error {
	for ctx.Err() == nil {
		if s.conv == nil || s.threads && len(s.conv.questions) >= perConversation {
			s.conv = &conversation{spot: s}
		}
		batch := 1
		if s.r.IntN(4) == 0 && (!s.threads || s.conv.thread != "") {
			batch = 2
		}
		var asked []*question
		for i := range batch {
			if i > 0 && !pause(ctx, time.Duration(20+s.r.IntN(80))*time.Millisecond) {
				break
			}
			q, err := c.say(ctx, s)
			if err != nil {
				return err
			}
			asked = append(asked, q)
		}
		for _, q := range asked {
			select {
			case <-q.whole:
			case <-ctx.Done():
				return nil
			}
		}
		if len(asked) == 1 { // else they may have one answer
			// Nobody reads faster.
			_ = pause(ctx, time.Duration(100+s.r.IntN(400))*time.Millisecond)
			if err := c.rate(ctx, asked[0]); err != nil {
				return err
			}
		}
		if rest := c.rest * time.Duration(max(s.slow, 1)); rest > 0 {
			_ = pause(ctx, time.Duration(s.r.Int64N(int64(rest))))
		}
	}
	return nil
}

// pause waits; it is false when ctx has ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// say asks one question.
func (c *crowd) say(ctx context.Context, s *spot) (*question, error) {
	conv := s.conv
	q := c.w.add(func(id int) *question {
		q := shape(s.r, id, s.long)
		if q.conv = conv; c.streams && s.r.IntN(3) == 0 {
			q.slow(60)
		}
		return q
	})
	in := sim.Say{
		Room: s.room, Thread: conv.thread, User: s.people[s.r.IntN(len(s.people))], Text: q.text(),
		Mention: s.mention && conv.thread == "", Files: q.uploads,
	}
	m, err := s.platform.Say(context.WithoutCancel(ctx), in)
	if err != nil {
		return nil, fmt.Errorf("ask on %s: %w", s.platform.Name(), err)
	}
	if s.threads && conv.thread == "" {
		conv.thread = m.ID // of the question on Slack and of the message that the thread hangs under on Discord
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	q.asked, q.ref, q.room, q.thread = m.At, m.Ref, s.room, conv.thread
	conv.questions = append(conv.questions, q)
	return q, nil
}

// rate reacts to an answer that stands.
func (c *crowd) rate(ctx context.Context, q *question) error {
	if q.rating == "" || !q.conv.spot.rate {
		return nil
	}
	states := c.w.states(q)
	at := states[len(states)-1].ref
	p, user := q.conv.spot.platform, q.conv.spot.people[0]
	ctx = context.WithoutCancel(ctx)
	q.reacted, q.ratedRef = time.Now(), at
	if err := p.React(ctx, at, user, q.rating); err != nil {
		return fmt.Errorf("react on %s: %w", p.Name(), err)
	}
	q.rated = map[string]string{"👍": "like", "👎": "dislike"}[q.rating]
	if q.withdraw {
		if err := p.Unreact(ctx, at, user, q.rating); err != nil {
			return fmt.Errorf("take a reaction back on %s: %w", p.Name(), err)
		}
		q.rated = ""
	}
	return nil
}

// wait returns when all have stopped asking.
func (c *crowd) wait() error {
	c.wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errs) > 0 {
		return c.errs[0]
	}
	return nil
}
