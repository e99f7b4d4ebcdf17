package telegram

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/clickai/bridge/core"
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

// PollTimes sets how long a poll is held and how long one that brought nothing is followed by none.
func PollTimes(p *Platform, hold, pause time.Duration) { p.times.hold, p.times.pause = hold, pause }

// Unlimited lifts the limits of single chats.
func Unlimited(p *Platform) *Platform {
	p.budgets.all = newBucket(1e6, 1e6)
	p.budgets.newChat = func(string) *chatBudget { return &chatBudget{second: newBucket(1e6, 1e6)} }
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

// Budgets are budgets.
type Budgets struct{ b *budgets }

// NewBudgets is newBudgets.
func NewBudgets() Budgets { return Budgets{newBudgets()} }

// Post waits for a new message's turn.
func (b Budgets) Post(ctx context.Context, chat, slot string, most time.Duration) error {
	return b.b.acquire(ctx, chat, slot, true, most)
}

// Edit asks for an edit's turn; wait is not 0 if it is given back.
func (b Budgets) Edit(ctx context.Context, chat, slot string) (wait time.Duration, err error) {
	err = b.b.acquire(ctx, chat, slot, false, waitEdit)
	if soon, ok := err.(*tooSoonError); ok { //nolint:errorlint // it is never wrapped
		return soon.wait, nil
	}
	return 0, err
}

// Hold is hold.
func (b Budgets) Hold(chat string, d time.Duration) { b.b.hold(chat, d) }

// Size is how much is remembered.
func (b Budgets) Size() (chats, tickets, slots int) {
	b.b.mu.Lock()
	defer b.b.mu.Unlock()
	b.b.forgetLocked(time.Now())
	return len(b.b.chats), len(b.b.urgent) + len(b.b.refresh), len(b.b.bySlot)
}

// The bounds of a budget.
const (
	MaxChats   = maxChats
	MaxTickets = maxTickets
)

// CloseIdle closes the connections that are kept for later calls.
func CloseIdle(p *Platform) { p.pool.CloseIdleConnections() }
