package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// api makes the requests of one bot.
type api struct {
	session *discordgo.Session
	limits  *limiter

	doubt chan struct{} // capacity 1: the token was refused

	mu      sync.Mutex
	refused map[string]refusal // by operation and channel
}

// refusal is remembered, so that a bot without a permission does not earn a ban: 10,000 answers of 401, 403 or 429 in ten
// minutes block the address.
// Source: https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
type refusal struct {
	err   *core.Error
	until time.Time
}

// version of the program in the User-Agent. Source of the form: https://docs.discord.com/developers/reference#user-agent
const userAgent = "DiscordBot (https://github.com/clickai/bridge, 1)"

func newAPI(token string, base *url.URL, next http.RoundTripper) (*api, error) {
	s, err := discordgo.New("Bot " + token)
	if err != nil {
		return nil, fmt.Errorf("build the session: %w", err)
	}
	s.Client = &http.Client{
		Transport: &transport{next: next, base: base},
		// A redirect would carry the token along.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.UserAgent = userAgent
	s.ShouldRetryOnRateLimit = false // it sleeps deaf to ctx
	s.MaxRestRetries = 0             // it repeats a POST after a 502
	s.LogLevel = discordgo.LogError - 1
	return &api{session: s, limits: newLimiter(), doubt: make(chan struct{}, 1), refused: map[string]refusal{}}, nil
}

// call is one request.
type call struct {
	op     string // of errors and logs: "discord.Post"
	method string
	url    string // one of discordgo's endpoints
	route  string // what it counts against: "messages"; the method belongs to it
	major  string // the channel or server in url, which has limits of its own; "" for none
	body   any    // as JSON; nil for none
	// stream replaces the body.
	stream   func(*http.Request)
	paced    bool          // its caller has waited for its turn
	aside    bool          // nobody waits for it: it goes after what a reply needs
	wait     time.Duration // the longest that it may be held back otherwise
	timeout  time.Duration // 0: callTimeout
	inThread bool
	apart    bool // see route
}

// do makes the request and decodes the answer into out, if it is not nil. The error is a *core.Error.
func (a *api) do(ctx context.Context, c call, out any) error {
	if c.timeout == 0 {
		c.timeout = callTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	at := route{name: c.method + " " + c.route, major: c.major, apart: c.apart}
	key := c.op + " " + at.String()
	if err := a.remembered(key); err != nil {
		return err
	}
	under, err := a.begin(ctx, c, at)
	if err != nil {
		return notSent(c.op, err)
	}
	ex := &exchange{}
	if !c.apart {
		if err := a.limits.leave(ctx); err != nil {
			under.done(ex)
			return notSent(c.op, err)
		}
	}
	body, err := a.send(ctx, c, ex)
	under.done(ex)
	if err != nil {
		failed := failure(c.op, ex, err, c.inThread)
		if failed.Class == core.RateLimited && ex.status != http.StatusTooManyRequests {
			a.limits.refused(at, codeOf(failed), failed.RetryAfter)
		}
		a.remember(key, failed)
		return failed
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		// A page of a proxy with status 200 looks like this: a temporary failure, and what was asked may be done.
		return &core.Error{Op: c.op, Class: core.Transient, Maybe: true, Err: fmt.Errorf("decode the answer: %w", err)}
	}
	return nil
}

// begin waits for the request's turn, if that has not been done.
func (a *api) begin(ctx context.Context, c call, at route) (*flight, error) {
	if c.paced {
		return a.limits.begin(at)
	}
	p := pace.Urgent
	if c.aside {
		p = pace.Refresh
	}
	return a.limits.take(ctx, at, p, c.wait)
}

func (a *api) send(ctx context.Context, c call, ex *exchange) ([]byte, error) {
	var raw []byte
	if c.body != nil {
		var err error
		if raw, err = json.Marshal(c.body); err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
	}
	opts := []discordgo.RequestOption{discordgo.WithContext(context.WithValue(ctx, exchangeKey{}, ex))}
	if c.stream != nil {
		opts = append(opts, func(cfg *discordgo.RequestConfig) { c.stream(cfg.Request) })
	}
	// A limiter of its own for each request: discordgo's common one keeps every bucket for ever. limits has waited already.
	lock := discordgo.NewRatelimiter().LockBucket(c.route)
	body, err := a.session.RequestWithLockedBucket(c.method, c.url, "application/json", raw, lock, 0, opts...)
	if err == nil && (ex.status < 200 || ex.status > 299) {
		err = errNotOwn
	}
	return body, err //nolint:wrapcheck // failure does
}

func (a *api) remembered(key string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range []string{key, allRefused} {
		r, ok := a.refused[k]
		if !ok {
			continue
		}
		if time.Now().Before(r.until) {
			return r.err
		}
		delete(a.refused, k)
	}
	return nil
}

const allRefused = "*" // key of a refused token

func (a *api) remember(key string, err *core.Error) {
	switch {
	case err.Class == core.Auth:
		key = allRefused
		select {
		case a.doubt <- struct{}{}:
		default:
		}
	case codeOf(err) == discordgo.ErrCodeMissingAccess, codeOf(err) == discordgo.ErrCodeMissingPermissions,
		codeOf(err) == discordgo.ErrCodeCannotSendMessagesToThisUser:
	default:
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if len(a.refused) >= maxRefusals {
		for k, r := range a.refused {
			if !now.Before(r.until) {
				delete(a.refused, k)
			}
		}
		if len(a.refused) >= maxRefusals {
			clear(a.refused) // asking anew is all that it costs
		}
	}
	a.refused[key] = refusal{err: err, until: now.Add(refusedFor)}
}

// permit lets what was refused for a missing permission be tried again.
func (a *api) permit() {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.refused, func(key string, _ refusal) bool { return key != allRefused })
}

// trust lets requests go out again after the token was refused, until it is refused again.
func (a *api) trust() {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.refused, allRefused)
}

// forget lets a refused token be tried again, as a new start of the bot or a check wants it.
func (a *api) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.refused)
	select {
	case <-a.doubt:
	default:
	}
}

// asError is err as the *core.Error that every method of the package returns; nil for nil.
func asError(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*core.Error](err); ok {
		return err
	}
	return &core.Error{Op: op, Class: core.Transient, Err: err}
}
