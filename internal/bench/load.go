package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

// wheelRate is how many pieces a second one wheel is left with: at some 10 µs each, a tenth of a processor.
const wheelRate = 10_000

// load is one run.
type load struct {
	cfg     Config
	epoch   time.Time
	set     *standins.Set
	groups  []*group // in the order of cfg.Platforms
	crowds  []crowd
	convs   []*conversation
	wheels  []*wheel
	again   chan *conversation // whose next question may be asked
	running atomic.Int64       // answers whose stream is open
	open    atomic.Int64       // answers that do not stand whole yet
	pieces  atomic.Int64       // sent, without those of the warm-up
	twice   atomic.Int64
	stated  atomic.Int64 // time of the latest state or notice
	warm    chan struct{}
	cold    atomic.Int64 // questions of the warm-up that are not answered yet

	mu      sync.RWMutex
	answers []*answer // by id
	end     time.Duration
}

// newLoad starts the stand-ins with their people.
func newLoad(cfg Config) (_ *load, err error) {
	l := &load{cfg: cfg, epoch: time.Now(), warm: make(chan struct{}, 1)}
	opt := standins.Options{
		Only: cfg.Platforms,
		ClickAI: clickai.Options{
			Agent: l.reply, PingInterval: -1, MaxRun: cfg.answerTime() + time.Hour,
			// A conversation that went because of the bound would be one that somebody has deleted.
			Keep: clickai.Keep{Conversations: 2*cfg.Conversations + 100, Messages: 4, Requests: 100, Turns: 100, TurnEvents: -1},
		},
		Slack:    slack.Options{MaxVersions: 2, MaxDeliveries: 2000},
		Discord:  discord.Options{MaxVersions: 2},
		Telegram: telegram.Options{MaxVersions: 2},
	}
	share, rest := cfg.Conversations/len(cfg.Platforms), cfg.Conversations%len(cfg.Platforms)
	for i, name := range cfg.Platforms {
		n := share
		if i < rest {
			n++
		}
		g, w := newGroup(l.since, l.answer, l.whole), cfg.crowdOn(name, n)
		observe := func(s sim.Seen) {
			l.stated.Store(int64(l.since(s.At)))
			g.observe(s)
		}
		switch name {
		case "slack":
			opt.Slack = w.people.Slack(opt.Slack)
			opt.Slack.Observe = observe
		case "discord":
			opt.Discord = w.people.Discord(opt.Discord)
			opt.Discord.Observe = observe
		case "telegram":
			opt.Telegram = w.people.Telegram(opt.Telegram)
			opt.Telegram.Observe = observe
		}
		l.groups, l.crowds = append(l.groups, g), append(l.crowds, w)
	}
	if l.set, err = standins.Start(opt); err != nil {
		return nil, err
	}
	for i, name := range cfg.Platforms {
		for _, p := range l.set.Platforms() {
			if p.Name() == name {
				l.groups[i].platform = p
			}
		}
	}
	l.line()
	every := time.Duration(float64(time.Second) / cfg.ChunksPerSecond)
	for range min(runtime.GOMAXPROCS(0), 1+int(cfg.ChunksPerSecond*float64(cfg.Conversations)/wheelRate)) {
		l.wheels = append(l.wheels, newWheel(every, l.clock))
	}
	return l, nil
}

// line puts the conversations of all platforms into one line, by turns.
func (l *load) line() {
	for i := 0; len(l.convs) < l.cfg.Conversations; i++ {
		for p := range l.crowds {
			if i < len(l.crowds[p].convs) {
				c := &l.crowds[p].convs[i]
				c.group = l.groups[p]
				l.convs = append(l.convs, c)
			}
		}
	}
	l.again = make(chan *conversation, len(l.convs))
}

func (l *load) since(t time.Time) time.Duration { return t.Sub(l.epoch) }

func (l *load) clock() time.Duration { return time.Since(l.epoch) }

// answer finds an answer by its number; nil if there is none.
func (l *load) answer(id int) *answer {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if id < 0 || id >= len(l.answers) {
		return nil
	}
	return l.answers[id]
}

// newAnswer gives the next answer its number.
func (l *load) newAnswer(c *conversation, warm bool) *answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := newAnswer(text{seed: l.cfg.Seed, id: len(l.answers), bytes: l.cfg.ChunkBytes}, c, c.group, warm)
	l.answers = append(l.answers, a)
	return a
}

// ask makes the person of a conversation write the next question.
func (l *load) ask(ctx context.Context, c *conversation, warm bool) error {
	a := l.newAnswer(c, warm)
	l.open.Add(1)
	say := c.say
	say.Text = question(a.text.id)
	m, err := c.group.platform.Say(ctx, say)
	if err != nil {
		return fmt.Errorf("ask on %s: %w", c.group.platform.Name(), err)
	}
	a.askedAt(l.since(m.At))
	if c.thread && c.answers == 0 { // what follows is asked in the thread of the first question
		c.say.Thread, c.say.Mention = m.ID, false
	}
	c.answers++
	return nil
}

// whole is called when an answer stands whole: its conversation may go on.
func (l *load) whole(a *answer) {
	l.open.Add(-1)
	if a.warm {
		if l.cold.Add(-1) == 0 {
			l.warm <- struct{}{}
		}
		return
	}
	l.again <- a.conv // has room for all
}

// reply is the agent of ClickAI's stand-in.
func (l *load) reply(q clickai.Ask) []clickai.Step {
	id, ok := answerOf(q.Question)
	a := l.answer(id)
	if !ok || a == nil {
		return []clickai.Step{clickai.Text("This question is none of the load's.")}
	}
	if !a.requestedAt(l.since(q.At)) {
		l.twice.Add(1)
		return []clickai.Step{clickai.Text("This question was asked already.")}
	}
	return []clickai.Step{clickai.Hand(func(live *clickai.Live) { l.stream(a, live) })}
}

// stream sends the first piece and puts the rest on a wheel.
func (l *load) stream(a *answer, live *clickai.Live) {
	now := l.clock()
	l.running.Add(1)
	end := now // of the warm-up's answers
	if !a.warm {
		l.mu.RLock()
		end = min(l.end, now+l.cfg.answerTime())
		l.mu.RUnlock()
	}
	var buf []byte
	turn := func(now time.Duration) bool {
		over := now >= end && a.pieces() > 0
		if !over {
			seq := a.next(l.clock())
			buf = a.text.appendPiece(buf[:0], seq)
			piece := string(buf)
			if l.cfg.Tamper != nil && !a.warm {
				piece = l.cfg.Tamper(seq, piece)
			}
			if !a.warm {
				l.pieces.Add(1)
			}
			if live.Send(piece) {
				return true
			}
		}
		l.running.Add(-1)
		if a.end(l.clock(), !over) {
			l.whole(a)
		}
		live.End()
		return false
	}
	switch {
	case !turn(now):
	case a.warm: // one piece is enough
		turn(now)
	default:
		l.wheels[a.text.id%len(l.wheels)].join(turn)
	}
}

// connected waits until every stand-in sees its bot.
func (l *load) connected(ctx context.Context, b *Bridge) error {
	for _, g := range l.groups {
		for {
			changed := g.platform.Changed()
			if g.platform.Connected() {
				break
			}
			select {
			case <-changed:
			case <-b.Ended:
				return errors.New("the bridge ended before it was connected")
			case <-ctx.Done():
				return fmt.Errorf("the bot on %s did not connect: %w", g.platform.Name(), context.Cause(ctx))
			}
		}
	}
	return nil
}
