package slack

import (
	"context"
	"encoding/json"
	"time"

	"github.com/clickai/bridge/core"
)

// Hurry shortens the periods of the connection, and returns p.
func Hurry(p *Platform) *Platform {
	p.times = timing{
		backoff: 5 * time.Millisecond, maxBackoff: 50 * time.Millisecond, lookup: 2 * time.Second, flush: 20 * time.Millisecond,
		retryPage: 5 * time.Millisecond, retryStore: 100 * time.Millisecond, overlap: 2 * time.Minute, lookback: time.Hour,
	}
	return p
}

// Lookup sets how long names may be looked up.
func Lookup(p *Platform, d time.Duration) { p.times.lookup = d }

// Spread sets after which time one of two sockets of one age is renewed.
func Spread(p *Platform, d time.Duration) { p.times.spread = d }

// Decoder turns the payloads of envelopes into events of core, without a socket. It knows nothing but these names.
type Decoder struct{ d *decoder }

// NewDecoder makes one for the bot U0BOT in T0HOME.
func NewDecoder(p *Platform) Decoder {
	far := time.Now().Add(time.Hour)
	p.dir.putUser("U0MINH", person{name: "Minh", handle: "minh.nguyen", team: "T0HOME", known: true, until: far})
	p.dir.putUser("U0GUEST", person{name: "Grace", handle: "grace", team: "T0OTHER", known: true, until: far})
	p.dir.putRoom("C0ROOM", room{name: "support", known: true, until: far})
	return Decoder{&decoder{p: p, me: identity{team: "T0HOME", user: "U0BOT", bot: "B0BOT"}}}
}

// Payload decodes the payload of an envelope.
func (d Decoder) Payload(ctx context.Context, payload []byte) (core.Event, bool) {
	ctx, cancel := context.WithCancel(ctx)
	cancel() // no look-ups
	var c callback
	if lenient(payload, &c) != nil {
		return core.Event{}, false
	}
	return d.d.event(ctx, &c)
}

// Plain is plain with names that are known.
func Plain(text string) string {
	n := &names{
		self: "U0BOT",
		user: func(id string) string { return map[string]string{"U0MINH": "Minh"}[id] },
		room: func(id string) string { return map[string]string{"C0ROOM": "support"}[id] },
	}
	return n.plain(text)
}

// EmojiOf is emojiOf.
func EmojiOf(name string) string { return emojiOf(name) }

// Escape is escape.
func Escape(s string) string { return escape(s) }

// BlockText is blockText.
func BlockText(raw string) string { return blockText(json.RawMessage(raw)) }

// FileName is fileName.
func FileName(name, kind string) string { return fileName(name, kind) }

// TSOf and TimeOf are tsOf and timeOf.
func TSOf(t time.Time) string    { return tsOf(t) }
func TimeOf(ts string) time.Time { return timeOf(ts) }

// Budgets are budgets.
type Budgets struct{ b *budgets }

// NewBudgets makes them.
func NewBudgets() Budgets { return Budgets{newBudgets()} }

// Post waits for a post's place, Edit for an edit's.
func (b Budgets) Post(ctx context.Context, room string) error { return b.b.wait(ctx, posting(room)) }

// Edit is the same for an edit.
func (b Budgets) Edit(ctx context.Context, room, ts string) error {
	return b.b.wait(ctx, editing(room, ts))
}

// Limited takes a 429 for a post.
func (b Budgets) Limited(room string, wait time.Duration) { b.b.hold(posting(room), wait) }

// Size is how many buckets are remembered.
func (b Budgets) Size() int { return len(b.b.buckets) }

// RetryAfter is how long a request that was held back is to wait; 0 if err is another.
func RetryAfter(err error) time.Duration { return core.RetryAfterOf(notSent("test", err)) }
