package discord

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// Hurry shortens the pauses of the connection, and returns p. How long it waits for an answer stays long: a busy machine must not
// make it begin anew.
func Hurry(p *Platform) *Platform {
	p.times = timing{
		hello: time.Minute, ready: time.Minute, resume: time.Minute, identifyGap: time.Millisecond,
		backoff: 5 * time.Millisecond, maxBackoff: 50 * time.Millisecond, stable: time.Hour,
		retryStore: 300 * time.Millisecond, flush: 20 * time.Millisecond, retryPage: 5 * time.Millisecond, ack: time.Minute, lookback: time.Hour,
	}
	return p
}

// Hello sets how long a connection may say nothing at first.
func Hello(p *Platform, d time.Duration) { p.times.hello = d }

// Unanswered sets how long a Resume may stay unanswered.
func Unanswered(p *Platform, d time.Duration) { p.times.resume = d }

// ErrNotStored is what the connection ends with when the host refuses an event.
var ErrNotStored = errNotStored

// ThreadName is threadName.
func ThreadName(s string) string { return threadName(s) }

// FileName is fileName.
func FileName(name, kind string) string { return fileName(name, kind) }

// PublicOnly is publicOnly for an address.
func PublicOnly(address string) error { return publicOnly(context.Background(), "tcp", address, nil) }

// Decoder turns gateway events into events of core, without a gateway.
type Decoder struct {
	r *runner
}

type nothing struct{ core.Host }

func (nothing) Cursor(string) (string, error)                   { return "", nil }
func (nothing) SetCursor(context.Context, string, string) error { return nil }

// NewDecoder knows the bot's id and one server as GUILD_CREATE tells it.
func NewDecoder(p *Platform, me string, guild []byte, take func(core.Event)) *Decoder {
	r := newRunner(p, nothing{})
	p.dir.identify(me, "")
	var w wireGuild
	if json.Unmarshal(guild, &w) == nil {
		p.dir.putGuild(&w)
	}
	r.host = taker{take: take}
	return &Decoder{r: r}
}

type taker struct {
	nothing
	take func(core.Event)
}

func (t taker) Accept(_ context.Context, ev core.Event) error {
	t.take(ev)
	return nil
}

// Dispatch hands one gateway event in.
func (d *Decoder) Dispatch(ctx context.Context, kind string, data []byte, seq int64) error {
	return d.r.dispatch(ctx, frame{Op: opDispatch, Type: kind, Data: data, Seq: seq}, session{ID: "session"})
}

// Missed lists the channels of a server that were behind when it was told, as READY and GUILD_CREATE come.
func Missed(d *Decoder, guild []byte) (map[string]string, error) {
	var w wireGuild
	if err := json.Unmarshal(guild, &w); err != nil {
		return nil, err
	}
	d.r.p.dir.putGuild(&w)
	found, err := d.r.positions.open(w.ID, d.r.p.dir.inGuild(w.ID))
	missed := map[string]string{}
	for _, b := range found {
		missed[b.channel.id] = b.after.String()
	}
	return missed, err
}

// Limiter is the rate limiter.
type Limiter struct{ l *limiter }

// NewLimiter makes one.
func NewLimiter() Limiter { return Limiter{newLimiter()} }

// Done takes in what a request brought back.
type Done func(status int, h http.Header, body string)

func doneOf(f *flight) Done {
	return func(status int, h http.Header, body string) {
		f.done(&exchange{sent: true, status: status, header: h, body: []byte(body)})
	}
}

func routeOf(at string) route {
	i := strings.LastIndexByte(at, ' ')
	return route{name: at[:i], major: at[i+1:]}
}

// Take waits for a turn of a route ("POST messages 1") and begins the request.
func (l Limiter) Take(ctx context.Context, at string, wait time.Duration) (Done, error) {
	f, err := l.l.take(ctx, routeOf(at), pace.Urgent, wait)
	if err != nil {
		return nil, err
	}
	return doneOf(f), nil
}

// Pace waits for a turn, as Platform.Pace does.
func (l Limiter) Pace(ctx context.Context, at string, c pace.Call) error {
	return l.l.pace(ctx, routeOf(at), c)
}

// Unpace gives one back.
func (l Limiter) Unpace(at string, p pace.Priority) { l.l.unpace(routeOf(at), p) }

// Begin begins the request that a turn was for.
func (l Limiter) Begin(at string) (Done, error) {
	f, err := l.l.begin(routeOf(at))
	if err != nil {
		return nil, err
	}
	return doneOf(f), nil
}

// Sizes are how much is remembered: route buckets, other knowledge of them, and budgets of the pacer.
func (l Limiter) Sizes() (buckets, known, budgets int) {
	l.l.mu.Lock()
	defer l.l.mu.Unlock()
	return len(l.l.buckets), len(l.l.other) + len(l.l.sizes) + len(l.l.old), l.l.pacer.Stats().Budgets
}

// Dial makes all connections of the bot by dial.
func Dial(p *Platform, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	for _, pool := range p.pools {
		pool.Proxy, pool.DialContext = nil, dial
	}
	p.dialer.Proxy, p.dialer.NetDialContext = nil, dial
}

// Failure is what an answer becomes.
func Failure(status int, header http.Header, body string, inThread bool) error {
	return failure("discord.Test", &exchange{sent: true, status: status, header: header, body: []byte(body)}, nil, inThread)
}

// Leave waits until a request that has had its turn may leave.
func (l Limiter) Leave(ctx context.Context) error { return l.l.leave(ctx) }

// IsGateway is isGateway of a bot.
func IsGateway(p *Platform, address string) bool { return p.isGateway(address) }
