package telegram

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/clickai/bridge/core"
)

// Limits of the Bot API.
const (
	// Telegram allows about one message a second in a chat, with short bursts, 20 a minute in a group and 30 a second over
	// all chats. Edits count too in practice.
	// Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
	perSecondChat   = 1
	burstChat       = 2
	perMinuteGroup  = 20
	burstGroup      = 5
	perSecondAll    = 28 // of 30: the server's clock is not ours
	burstAll        = 10
	editGapPrivate  = 1500 * time.Millisecond
	editGapGroup    = 3500 * time.Millisecond
	typingEvery     = 4 * time.Second // the sign goes after 5 s: https://core.telegram.org/bots/api#sendchataction
	editWait        = 500 * time.Millisecond
	maxBudgetChats  = 4096
	maxDownload     = 20 << 20 // https://core.telegram.org/bots/api#getfile
	maxUpload       = 50 << 20 // https://core.telegram.org/bots/api#sending-files
	maxPhoto        = 10 << 20
	maxResponse     = 16 << 20 // a batch of 100 updates, each with all it may hold
	pollLimit       = 100
	pollTimeout     = 50 * time.Second
	pollPause       = time.Second // least time between two polls that bring nothing
	callTimeout     = 30 * time.Second
	transferTimeout = 10 * time.Minute
)

// isGroup tells groups and channels, whose ids are negative, from private chats.
func isGroup(chat string) bool { return strings.HasPrefix(chat, "-") || strings.HasPrefix(chat, "@") }

// Limits is core.Platform.
func (p *Platform) Limits(at core.Place) core.Limits {
	l := core.Limits{EditGap: editGapPrivate, TypingEvery: typingEvery}
	if isGroup(at.Room) {
		l.EditGap, l.ReplyToRoom = editGapGroup, true
	}
	return l
}

// budgets share out what Telegram allows among all that the bot does at once.
type budgets struct {
	all *rate.Limiter

	mu    sync.Mutex
	chats map[string]*chatBudget
}

// chatBudget is that of one chat. slots keeps the place of an edit that was given back, so that replies take turns.
type chatBudget struct {
	second *rate.Limiter
	minute *rate.Limiter // nil for private chats
	until  time.Time     // a 429 asked to wait until then
	used   time.Time
	slots  map[string]time.Time
}

func newBudgets() *budgets {
	return &budgets{all: rate.NewLimiter(perSecondAll, burstAll), chats: map[string]*chatBudget{}}
}

func (b *budgets) chatLocked(chat string, now time.Time) *chatBudget {
	c, ok := b.chats[chat]
	if !ok {
		if len(b.chats) >= maxBudgetChats {
			for k, old := range b.chats {
				if now.Sub(old.used) > time.Minute && now.After(old.until) {
					delete(b.chats, k)
				}
			}
		}
		c = &chatBudget{second: rate.NewLimiter(perSecondChat, burstChat), slots: map[string]time.Time{}}
		if isGroup(chat) {
			c.minute = rate.NewLimiter(rate.Limit(perMinuteGroup)/60, burstGroup)
		}
		b.chats[chat] = c
	}
	c.used = now
	return c
}

// slotLife is how long a place that was kept for an edit waits for it.
const slotLife = 10 * time.Second

// take reserves a call in a chat and returns when it may be made. For an edit, slot names the message: if it would have to
// wait longer than editWait, its place is kept for its next try and the wait is returned with ok false.
func (b *budgets) take(chat, slot string, now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.chatLocked(chat, now)
	if slot != "" {
		if at, kept := c.slots[slot]; kept {
			delete(c.slots, slot)
			if now.Before(at.Add(slotLife)) {
				return b.orKeepLocked(c, slot, max(0, at.Sub(now), c.until.Sub(now)), now)
			}
		}
		for k, at := range c.slots {
			if now.After(at.Add(slotLife)) {
				delete(c.slots, k)
			}
		}
	}
	start := now
	if c.until.After(start) {
		start = c.until
	}
	limits := []*rate.Limiter{c.second, b.all}
	if c.minute != nil {
		limits = append(limits, c.minute)
	}
	for _, l := range limits {
		wait = max(wait, start.Sub(now)+l.ReserveN(start, 1).DelayFrom(start))
	}
	return b.orKeepLocked(c, slot, wait, now)
}

func (b *budgets) orKeepLocked(c *chatBudget, slot string, wait time.Duration, now time.Time) (time.Duration, bool) {
	if slot == "" || wait <= editWait {
		return wait, true
	}
	c.slots[slot] = now.Add(wait)
	return wait, false
}

// hold stops a chat until a 429's time is over.
func (b *budgets) hold(chat string, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	c := b.chatLocked(chat, now)
	if until := now.Add(d); until.After(c.until) {
		c.until = until
	}
}

// SetCallsPerSecond replaces the ceiling over all chats, for an own Bot API server or a paid rate.
func (p *Platform) SetCallsPerSecond(n float64) {
	p.budgets.all.SetLimit(rate.Limit(n))
	p.budgets.all.SetBurst(max(1, int(n)))
}

// pause waits for d or ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
