package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// Hurry shortens the periods of the poll, and returns p.
func Hurry(p *Platform) *Platform {
	p.times = timing{
		hold: pollTimeout, pause: 30 * time.Millisecond, conflict: 20 * time.Millisecond,
		backoff: 5 * time.Millisecond, maxBackoff: 50 * time.Millisecond, hookCheck: 20 * time.Millisecond,
		acknowledge: time.Hour,
	}
	return p
}

// AcknowledgeAfter has p acknowledge presses after d.
func AcknowledgeAfter(p *Platform, d time.Duration) { p.times.acknowledge = d }

// AcknowledgeUnhurried is after how long it does in use.
func AcknowledgeUnhurried() time.Duration { return defaultTiming().acknowledge }

// Pressed notes a press that waits for its answer.
func Pressed(p *Platform, id string) { p.answers.add(id, time.Now().Add(p.times.acknowledge)) }

// Waiting is how many presses wait for their answers, and how many are remembered for that.
func Waiting(p *Platform) (open, queued int) {
	p.answers.mu.Lock()
	defer p.answers.mu.Unlock()
	return len(p.answers.open), len(p.answers.queue)
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
	id, _, _, events = newPoller(p, nil).decode(raw)
	return id, events
}

// Deliver hands a body to the webhook of a bot that runs, and returns the status of the answer.
func Deliver(host core.Host, body []byte) int {
	p, err := New("acme", Config{Token: "7000000001:x", APIURL: DefaultAPIURL, WebhookURL: "https://x.example/", WebhookSecret: "s"}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	p.setSelf(Me)
	p.setHost(host)
	run := &hookRun{intake: intake{p: p, host: host, log: p.log}, ctx: context.Background(), turn: make(chan struct{}, 1)}
	p.hook.open(run)
	defer p.hook.close(run)
	r := httptest.NewRequest(http.MethodPost, "/webhooks/acme", bytes.NewReader(body))
	r.Header.Set(secretHeader, "s")
	w := httptest.NewRecorder()
	p.Webhook().ServeHTTP(w, r)
	return w.Code
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

// Answer is what an answer becomes: an error as core is told of it.
func Answer(p *Platform, status int, header http.Header, body []byte) (json.RawMessage, error) {
	result, err := answer(&http.Response{StatusCode: status, Header: header}, body)
	if err != nil {
		return nil, p.fail("Test", err, true)
	}
	return onlyIDs(result), nil
}

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
	MaxQueries   = maxQueries
	MaxAlbums    = maxAlbums
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

// Open has the next call to a room made, whatever was learnt of it.
func Open(p *Platform, room string) { p.rooms.open(room) }

// CloseIdle closes the connections that are kept for later calls.
func CloseIdle(p *Platform) { p.pool.CloseIdleConnections() }
