package discord

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/clickai/bridge/core"
)

// Hurry shortens the periods of the connection, and returns p.
func Hurry(p *Platform) *Platform {
	p.times = timing{
		hello: 2 * time.Second, ready: 2 * time.Second, resume: 2 * time.Second, identifyGap: time.Millisecond,
		backoff: 5 * time.Millisecond, maxBackoff: 50 * time.Millisecond, stable: time.Hour,
		retryStore: 300 * time.Millisecond, flush: 20 * time.Millisecond, retryPage: 5 * time.Millisecond, lookback: time.Hour,
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

// Acquire waits for a request; done takes what it brought back.
func (l Limiter) Acquire(ctx context.Context, key string, wait time.Duration) (done func(status int, h http.Header, body string), err error) {
	f, err := l.l.acquire(ctx, key, wait)
	if err != nil {
		return nil, err
	}
	return func(status int, h http.Header, body string) {
		f(&exchange{sent: true, status: status, header: h, body: []byte(body)})
	}, nil
}

// Buckets is how many are remembered.
func (l Limiter) Buckets() int { return len(l.l.buckets) }

// Failure is what an answer becomes.
func Failure(status int, header http.Header, body string, inThread bool) error {
	return failure("discord.Test", &exchange{sent: true, status: status, header: header, body: []byte(body)}, nil, inThread)
}
