package telegram

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// Hurry shortens the periods of the poll, and returns p.
func Hurry(p *Platform) *Platform {
	p.times = timing{
		hold: pollTimeout, pause: 30 * time.Millisecond, conflict: 20 * time.Millisecond,
		backoff: 5 * time.Millisecond, maxBackoff: 50 * time.Millisecond,
	}
	return p
}

// Unhurried are the periods as they are in use.
func Unhurried() (hold, pause, conflict time.Duration) {
	t := defaultTiming()
	return t.hold, t.pause, t.conflict
}

// Unlimited lifts all limits.
func Unlimited(p *Platform) *Platform {
	p.pacer = pace.New(nil)
	return p
}

// The texts of the fixtures name this account.
var Me = user{ID: 7000000001, IsBot: true, FirstName: "Acme Support", Username: "acme_support_bot"}

// Events reads an update as a poll does.
func Events(raw []byte) (id int64, events []core.Event) {
	p, err := New("acme", Config{Token: "7000000001:x", APIURL: DefaultAPIURL}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	p.setSelf(Me)
	return newPoller(p, nil).decode(raw)
}

// Plain is plain, with entities as JSON.
func Plain(text, entities string) (string, bool, error) {
	var list []entity
	err := json.Unmarshal([]byte(entities), &list)
	out, mentioned := plain(text, list, &Me)
	return out, mentioned, err
}

// FileName is fileName.
func FileName(name, kind string) string { return fileName(name, kind) }

// KindOf is kindOf.
func KindOf(f core.File) string { return string(kindOf(f)) }

// Call is call.
func Call(ctx context.Context, p *Platform, method string, params, out any) error {
	return p.call(ctx, method, params, out)
}

// Transport replaces what carries p's requests.
func Transport(p *Platform, rt http.RoundTripper) { p.client.http.Transport = rt }

// Dial replaces what connects to the server.
func Dial(p *Platform, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	p.pool.DialContext, p.pool.Proxy = dial, nil
}

// PacerStats are the sizes of the budgets.
func PacerStats(p *Platform) pace.Stats { return p.pacer.Stats() }

// DraftID is draftID.
func DraftID(nonce string) string { return draftID(nonce) }

// The bounds of what is remembered.
const (
	MaxDraftless = maxDraftless
	MaxTyping    = maxTyping
)

// Remembered is how many places are known to refuse drafts, and to show a sign of typing.
func Remembered(p *Platform) (draftless, typing int) {
	p.drafts.mu.Lock()
	defer p.drafts.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.drafts.refused), len(p.typing)
}

// Types notes a sign of typing.
func Types(p *Platform, at core.Place) { p.types(at) }

// RefuseDrafts notes that a place has none.
func RefuseDrafts(p *Platform, at core.Place) { p.drafts.refuse(at, draftHere) }

// CloseIdle closes the connections that are kept for later calls.
func CloseIdle(p *Platform) { p.pool.CloseIdleConnections() }
