package slack

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/clickai/bridge/core"
)

// Hurry shortens the periods of the connection, and returns p.
func Hurry(p *Platform) *Platform {
	p.times = timing{
		backoff: 5 * time.Millisecond, maxBackoff: 50 * time.Millisecond, lookup: 2 * time.Second, flush: 20 * time.Millisecond,
		retryPage: 5 * time.Millisecond, retryStore: 100 * time.Millisecond, overlap: 2 * time.Minute, hold: 15 * time.Second, lookback: time.Hour,
		ping: 30 * time.Second, webhook: 2800 * time.Millisecond,
		quiet: time.Hour, maxQuiet: time.Hour, share: 5 * time.Millisecond,
	}
	return p
}

// Lookup sets how long names may be looked up.
func Lookup(p *Platform, d time.Duration) { p.times.lookup = d }

// Spread sets after which time one of two sockets of one age is renewed.
func Spread(p *Platform, d time.Duration) { p.times.spread = d }

// WebhookWait sets how long a request may wait for its event to be stored.
func WebhookWait(p *Platform, d time.Duration) { p.times.webhook = d }

// Ping sets after which silence a socket is given up, Quiet after which silence of Slack's requests history is read.
func Ping(p *Platform, d time.Duration)  { p.times.ping = d }
func Quiet(p *Platform, d time.Duration) { p.times.quiet, p.times.maxQuiet = d, d }

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

// Interaction and Command decode what a person did with a button, a form or a command.
func (d Decoder) Interaction(ctx context.Context, payload []byte) (core.Event, bool) {
	ctx, cancel := context.WithCancel(ctx)
	cancel() // no look-ups
	return d.d.interact(ctx, payload)
}

func (d Decoder) Command(ctx context.Context, payload []byte) (core.Event, bool) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return d.d.command(ctx, payload)
}

// SlashForm is slashForm.
func SlashForm(form url.Values) []byte { return slashForm(form) }

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

// Judge is what an answer becomes.
func Judge(status int, header http.Header, body []byte) error {
	if e := (&exchange{sent: true, status: status, header: header, body: body}).judge("slack.Test", nil); e != nil {
		return e
	}
	return nil
}

// TSOf and TimeOf are tsOf and timeOf.
func TSOf(t time.Time) string    { return tsOf(t) }
func TimeOf(ts string) time.Time { return timeOf(ts) }

// Budgets are budgets.
type Budgets struct{ b *budgets }

// BudgetsOf are those of a bot.
func BudgetsOf(p *Platform) Budgets { return Budgets{p.budgets} }

// Method waits for the turn of a method, for as long as such a call may.
func (b Budgets) Method(ctx context.Context, name string) error { return b.b.wait(ctx, method(name)) }

// History waits for a turn as reading what was missed does.
func (b Budgets) History(ctx context.Context) error {
	return b.b.wait(ctx, method("conversations.replies").patient())
}

// Upload waits for the turn of the message that shows a file.
func (b Budgets) Upload(ctx context.Context, room string) error {
	return b.b.wait(ctx, posting("files.completeUploadExternal", room))
}

// Limited takes a 429 for a post, UpdateLimited for an edit.
func (b Budgets) Limited(room string, wait time.Duration) { b.b.hold(posting(methodPost, room), wait) }
func (b Budgets) UpdateLimited(wait time.Duration)        { b.b.hold(method(methodUpdate), wait) }

// Size is how many budgets, turns and rooms are remembered.
func (b Budgets) Size() int { return b.b.Stats().Budgets + len(b.b.granted) + len(b.b.limited) }

// RetryAfter is how long a request that was held back is to wait; 0 if err is another.
func RetryAfter(err error) time.Duration { return core.RetryAfterOf(notSent("test", err)) }

// Streams is of how many streams something is remembered.
func Streams(p *Platform) int { return len(p.streams.m) }

// Forget forgets all streams, as a restart does.
func Forget(p *Platform) { p.streams = newStreams() }

// Dial lets all connections be made by dial.
func Dial(p *Platform, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	p.http.pool.Proxy, p.http.pool.DialContext = nil, dial
	p.dialer.Proxy, p.dialer.NetDialContext = nil, dial
}

// CloseIdle closes the connections that are kept for later.
func CloseIdle(p *Platform) { p.http.closeIdle() }

// Note writes n notes down, and tells how many are kept.
func Note(ctx context.Context, p *Platform, n int) int {
	for i := range n {
		_ = p.notes.put(ctx, "n"+strconv.Itoa(i), "F1")
	}
	return len(p.notes.list)
}

// Attach gives the bot the notes of a host without running it.
func Attach(p *Platform, host core.Host) error { return p.notes.attach(host) }

// Hold sets after which time what waits for a history makes do with a part of it.
func Hold(p *Platform, d time.Duration) { p.times.hold = d }

// MaxHeld is how many events of one room wait for its history.
const MaxHeld = maxHeld
