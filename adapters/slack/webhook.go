package slack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
)

// inbox takes Slack's requests while the bot runs.
type inbox struct {
	slots chan struct{} // one for each request at once

	mu      sync.Mutex
	r       *runner         // nil: the bot does not run
	ctx     context.Context //nolint:containedctx // that of the running bot, under which requests are taken
	taking  sync.WaitGroup
	came    time.Time // when a request last came
	heard   time.Time // when one last came at its first try
	refused time.Time // when a refusal was last logged
}

func newInbox() *inbox { return &inbox{slots: make(chan struct{}, maxRequests)} }

// open lets requests in until ctx ends.
func (b *inbox) open(ctx context.Context, r *runner) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.r, b.ctx = r, ctx
	b.came, b.heard = time.Now(), time.Now()
}

// close keeps requests out and waits for those that are under way.
func (b *inbox) close() {
	b.mu.Lock()
	b.r, b.ctx = nil, nil
	b.mu.Unlock()
	b.taking.Wait()
}

// enter is the running bot with its context, for one request; nil if it does not run. leave ends the request.
func (b *inbox) enter() (r *runner, ctx context.Context, leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.r == nil || b.ctx.Err() != nil {
		return nil, nil, nil
	}
	b.came = time.Now()
	b.taking.Add(1)
	return b.r, b.ctx, b.taking.Done
}

// last is when a request last came.
func (b *inbox) last() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.came
}

// firstTry notes that a request came at its first try. A later one tells since when none has.
func (b *inbox) firstTry(first bool) (last time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	last = b.heard
	if first {
		b.heard = time.Now()
	}
	return last
}

// quiet tells whether a refusal was logged so lately that another one says nothing new: anyone can cause them.
func (b *inbox) quiet() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.refused) < time.Minute {
		return true
	}
	b.refused = time.Now()
	return false
}

// Webhook takes events, slash commands and interactions, all at one address, once their signature is verified; nil without
// a signing secret. An event is answered with 200 after [core.Sink] has taken it, within three seconds; with 503 when it is
// not stored by then, or the bot does not run: Slack sends it again, at once, after a minute and after five. What is not
// known is answered with 200. Bodies hold up to 1 MiB and are not compressed.
// Source: https://docs.slack.dev/apis/events-api/using-http-request-urls
func (p *Platform) Webhook() http.Handler {
	if p.signing == "" {
		return nil
	}
	return http.HandlerFunc(p.receive)
}

func (p *Platform) receive(w http.ResponseWriter, q *http.Request) {
	select {
	case p.inbox.slots <- struct{}{}:
		defer func() { <-p.inbox.slots }()
	default:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, status, err := p.verified(w, q)
	if err != nil {
		if !p.inbox.quiet() {
			p.log.Warn("request refused", slog.Int("status", status), logErr(err))
		}
		w.WriteHeader(status)
		return
	}
	kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		p.receiveForm(w, q, body)
		return
	}
	var c struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if err := lenient(body, &c); err == nil && c.Type == "url_verification" {
		// It is asked when someone enters the address, which may be before the bot runs.
		// Source: https://docs.slack.dev/reference/events/url_verification
		answerJSON(w, map[string]string{"challenge": c.Challenge})
		return
	}
	if err := p.deliver(q, ofEvents, body); err != nil {
		p.log.Info("event not taken, Slack will send it again", logErr(err))
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

var (
	errMethod   = errors.New("method is not POST")
	errEncoding = errors.New("body is compressed")
	errStopped  = errors.New("the bot does not run")
)

// verified reads the body of a request that bears Slack's signature, which is no older than five minutes. What can be said
// from the header alone is said before the body is read. slack-go compares in constant time.
// Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
func (p *Platform) verified(w http.ResponseWriter, q *http.Request) (body []byte, status int, err error) {
	if q.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, http.StatusMethodNotAllowed, errMethod
	}
	signed, err := slackgo.NewSecretsVerifier(q.Header, p.signing.Reveal())
	if err != nil {
		return nil, http.StatusUnauthorized, err //nolint:wrapcheck // it says all
	}
	if e := q.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, http.StatusUnsupportedMediaType, errEncoding
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(webhookRead)) // the server has a deadline besides
	body, err = io.ReadAll(http.MaxBytesReader(w, q.Body, maxWebhook))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, http.StatusRequestEntityTooLarge, err //nolint:wrapcheck // it says all
		}
		return nil, http.StatusBadRequest, err //nolint:wrapcheck // it is logged only
	}
	_, _ = signed.Write(body)
	if err := signed.Ensure(); err != nil {
		return nil, http.StatusUnauthorized, err //nolint:wrapcheck // it says all
	}
	return body, http.StatusOK, nil
}

// receiveForm takes commands and interactions. Slack does not send them again: who gave one is told that it failed when it
// is not stored in time.
func (p *Platform) receiveForm(w http.ResponseWriter, q *http.Request, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		p.log.Warn("form cannot be read", logErr(err))
	}
	switch {
	case form.Has("payload"):
		err = p.deliver(q, ofInteraction, []byte(form.Get("payload")))
	case form.Has("command"):
		err = p.deliver(q, ofCommand, slashForm(form))
	default: // a check of the certificate (ssl_check), or nothing that is known
		err = nil
	}
	if err != nil {
		p.log.Warn("command or press not taken", logErr(err))
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func answerJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the other side is gone, if anything
}

// deliver hands an event to the lane of its room, as sockets do, and waits until it is durable.
func (p *Platform) deliver(q *http.Request, kind payloadKind, payload []byte) error {
	r, running, leave := p.inbox.enter()
	if r == nil {
		return errStopped
	}
	defer leave()
	ctx, cancel := context.WithTimeout(q.Context(), p.times.webhook)
	defer cancel()
	defer context.AfterFunc(running, cancel)() //nolint:contextcheck // it ends with either of the two
	if kind == ofEvents {
		r.tried(q.Header)
	}
	result := make(chan error, 1)
	d := delivery{kind, payload, func(_ context.Context, err error) { result <- err }}
	select {
	case r.lanes[r.laneOf(kind, payload)] <- d:
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // it is logged only
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // it is logged only
	}
}

// tried looks at how often Slack has tried. The second retry comes a minute after the event, so for that long no request
// came through; what was sent before may have had its last retry in vain, and stands in the history only. It is not so
// when this side has refused: then Slack tells of an HTTP error.
// Source: https://docs.slack.dev/apis/events-api/#retries
func (r *runner) tried(h http.Header) {
	n, _ := strconv.Atoi(h.Get("X-Slack-Retry-Num"))
	last := r.p.inbox.firstTry(n == 0)
	if n >= 2 && h.Get("X-Slack-Retry-Reason") != "http_error" {
		r.positions.missed(last)
		r.catchup.after(r.p.times.retryStore)
	}
}

// watchQuiet reads the history now and then while Slack is silent, until ctx ends: whether nobody says anything or requests
// do not find their way here cannot be told apart, and Slack repeats an event for some six minutes only.
func (r *runner) watchQuiet(ctx context.Context) {
	since, pause := time.Now(), r.p.times.quiet
	for sleep(ctx, pause) == nil {
		if came := r.p.inbox.last(); came.After(since) {
			since, pause = came, r.p.times.quiet
			continue
		}
		r.positions.missed(since)
		r.catchup.start()
		since, pause = time.Now(), min(2*pause, r.p.times.maxQuiet)
	}
}
