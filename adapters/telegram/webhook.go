package telegram

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickai/bridge/core"
)

// secretHeader carries webhook_secret. Source: https://core.telegram.org/bots/api#setwebhook
const secretHeader = "X-Telegram-Bot-Api-Secret-Token"

// strangersEvery is how often the log tells of calls without the right secret.
const strangersEvery = time.Minute

// hook takes updates by HTTP. The library's handler is not used: it answers 200 to a wrong secret, and to a body that it
// then drops, before anything is stored, and reads bodies without a bound (go-telegram/bot v1.23.0, webhook_handler.go).
type hook struct {
	p      *Platform
	url    string
	secret core.Secret
	sum    [sha256.Size]byte // of the secret: what has one length can be compared in constant time

	mu        sync.Mutex
	run       *hookRun // nil while the bot does not run
	strangers int      // calls without the right secret since the log told of them
	told      time.Time
}

func newHook(p *Platform, c Config) *hook {
	return &hook{p: p, url: strings.TrimSpace(c.WebhookURL), secret: c.WebhookSecret, sum: sha256.Sum256([]byte(c.WebhookSecret.Reveal()))}
}

// Webhook implements [core.Receiver]. The handler answers
//
//   - 200 once all that an update holds is stored, or is known; and to one that cannot be read, which is logged and counted,
//   - 401 without the right secret, 405 to anything but POST, 413 to more than 4 MiB,
//   - 503 while nothing can be stored or the bot does not run: Telegram delivers again whatever is not answered with 2xx.
//
// One update is taken at a time. The time that a body may take is the server's business.
func (p *Platform) Webhook() http.Handler {
	if p.hook == nil {
		return nil
	}
	return p.hook
}

// ServeHTTP takes one update.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if !h.known(r) {
		h.stranger()
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpdate))
	if err != nil {
		status := http.StatusBadRequest
		if _, huge := errors.AsType[*http.MaxBytesError](err); huge {
			status = http.StatusRequestEntityTooLarge
		}
		h.p.log.Error("webhook: body not read", slog.Int("status", status), slog.Any("err", err))
		w.WriteHeader(status)
		return
	}
	w.WriteHeader(h.take(r.Context(), raw))
}

// known tells whether the call is Telegram's, in constant time.
func (h *hook) known(r *http.Request) bool {
	given := r.Header.Values(secretHeader)
	if len(given) != 1 {
		return false
	}
	sum := sha256.Sum256([]byte(given[0]))
	return subtle.ConstantTimeCompare(sum[:], h.sum[:]) == 1
}

// stranger notes a call without the right secret. The log tells of them once in a while, or they would fill it.
func (h *hook) stranger() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.strangers++
	if time.Since(h.told) < strangersEvery {
		return
	}
	h.p.log.Warn("webhook: calls without the right secret; if they are Telegram's, webhook_secret has been changed by another program",
		slog.Int("calls", h.strangers))
	h.strangers, h.told = 0, time.Now()
}

// take hands an update to the host, and returns the status to answer.
func (h *hook) take(ctx context.Context, raw []byte) int {
	run := h.enter()
	if run == nil {
		return http.StatusServiceUnavailable
	}
	defer run.calls.Done()
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	defer context.AfterFunc(run.ctx, cancel)() //nolint:contextcheck // the call ends with the caller and with the run
	select {
	case run.turn <- struct{}{}:
	case <-ctx.Done():
		return http.StatusServiceUnavailable
	}
	defer func() { <-run.turn }()
	_, todo := run.tasks(raw)
	for _, do := range todo {
		if err := do(ctx); err != nil {
			if run.ctx.Err() == nil {
				run.trouble(notStored("webhook", err))
			}
			return http.StatusServiceUnavailable
		}
	}
	run.took()
	return http.StatusOK
}

// hookRun is one Run of a bot with a webhook.
type hookRun struct {
	intake
	ctx   context.Context // of Run
	turn  chan struct{}   // capacity 1: whoever holds it may take an update
	calls sync.WaitGroup
	down  atomic.Bool  // the host was told that updates do not come
	last  atomic.Int64 // when an update was taken last, in Unix nanoseconds
}

// enter is the run that a call belongs to, which waits for it; nil if there is none.
func (h *hook) enter() *hookRun {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.run == nil || h.run.ctx.Err() != nil {
		return nil
	}
	h.run.calls.Add(1)
	return h.run
}

// open lets calls in.
func (h *hook) open(run *hookRun) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run = run
}

// close lets nobody in any more, and waits for those that are.
func (h *hook) close(run *hookRun) {
	h.mu.Lock()
	h.run = nil
	h.mu.Unlock()
	run.calls.Wait()
}

// trouble tells the host that updates do not come.
func (r *hookRun) trouble(err *core.Error) {
	r.down.Store(true)
	r.host.State(false, err)
}

// took notes that an update was taken.
func (r *hookRun) took() {
	r.last.Store(time.Now().UnixNano())
	r.well()
}

// well tells the host that updates come again, if it was told that they do not.
func (r *hookRun) well() {
	if r.down.Swap(false) {
		r.host.State(true, nil)
	}
}
