package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path"
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"

	"github.com/clickai/bridge/core"
)

// intents are what the bot asks for.
// Source: https://docs.discord.com/developers/events/gateway#list-of-intents
const intents = discordgo.IntentGuilds | discordgo.IntentGuildMessages | discordgo.IntentGuildMessageReactions |
	discordgo.IntentDirectMessages | discordgo.IntentDirectMessageReactions | discordgo.IntentMessageContent

// session is what a connection can be resumed with, also by the next process.
type session struct {
	ID  string `json:"id"`
	URL string `json:"url"`
	Seq int64  `json:"seq"` // of the last event that the host has taken
	Bot string `json:"bot"` // the bot's user id
	App string `json:"app"`
}

// gateway keeps one connection and its session. Its methods are called by Run's goroutine, but for current.
type gateway struct {
	p      *Platform
	handle func(ctx context.Context, f frame, s session) error // takes a dispatch; after nil the event is safe
	state  func(connected bool, err error)

	mu         sync.Mutex
	session    session
	identified time.Time // when Identify was sent last
	seq        atomic.Int64
}

// current is the session as it could be resumed now.
func (g *gateway) current() session {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.session
	s.Seq = g.seq.Load()
	return s
}

func (g *gateway) set(s session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.session = s
	g.seq.Store(s.Seq)
}

// sessionError says that the session cannot be resumed, or not on this connection.
type sessionError struct{ resumable bool }

func (e *sessionError) Error() string {
	return fmt.Sprintf("session is invalid (resumable: %t)", e.resumable)
}

var errNotStored = errors.New("an event could not be stored")

// serve makes one connection, and handles its events until it ends. up is when it was ready or resumed; zero if never.
func (g *gateway) serve(ctx context.Context) (up time.Time, err error) {
	s := g.current()
	address, err := g.address(ctx, s)
	if err != nil {
		return up, err
	}
	l, err := dial(ctx, g.p.dialer, address)
	if err != nil {
		if s.URL != "" { // the host for resuming is out of reach: the common one can resume too
			s.URL = ""
			g.set(s)
		}
		return up, err
	}
	stop := context.AfterFunc(ctx, func() { l.close(closeKeep) })
	beatCtx, stopBeat := context.WithCancel(ctx)
	var beat sync.WaitGroup
	defer func() {
		stop()
		stopBeat()
		l.close(closeKeep)
		beat.Wait()
	}()

	every, err := g.hello(l)
	if err != nil {
		return up, err
	}
	// Heartbeats begin with Hello, and run on while a READY is slow to come.
	beat.Go(func() { l.beat(beatCtx, every, g.seq.Load) })
	deadline, err := g.begin(l, s)
	if err != nil {
		return up, err
	}
	for {
		// Acknowledgements come at least every interval: longer silence is a dead connection, which TCP may not notice.
		until := time.Now().Add(2*every + 5*time.Second)
		if up.IsZero() && deadline.Before(until) {
			until = deadline
		}
		f, err := l.read(until)
		if err != nil {
			if s.ID != "" && up.IsZero() && !time.Now().Before(deadline) {
				// Neither resumed nor refused: a server that knows no Resume.
				err = errors.Join(&sessionError{}, err)
			}
			return up, err
		}
		switch f.Op {
		case opDispatch:
			l.busy.Store(true)
			err := g.dispatch(ctx, f)
			l.busy.Store(false)
			if err != nil {
				return up, err
			}
			if up.IsZero() && (f.Type == "READY" || f.Type == "RESUMED") {
				up = time.Now()
				g.state(true, nil)
			}
			deadline = time.Now().Add(g.p.times.resume) // a resume replays first
		case opHeartbeat:
			if err := l.heartbeat(g.seq.Load()); err != nil {
				return up, err
			}
		case opHeartbeatACK:
			l.acked.Store(true)
		case opReconnect:
			// It may be the first packet of all: discordgo's Open locks itself up on that.
			return up, errReconnect
		case opInvalidSession:
			var resumable bool
			_ = json.Unmarshal(f.Data, &resumable) // anything else is false
			return up, &sessionError{resumable: resumable}
		}
	}
}

// hello waits for the first frame, which says how often heartbeats are wanted.
func (g *gateway) hello(l *link) (time.Duration, error) {
	f, err := l.read(time.Now().Add(g.p.times.hello))
	if err != nil {
		return 0, err
	}
	if f.Op == opReconnect {
		return 0, errReconnect
	}
	var d struct {
		Interval float64 `json:"heartbeat_interval"` // ms
	}
	if f.Op != opHello || json.Unmarshal(f.Data, &d) != nil || d.Interval < 1 || d.Interval > 3.6e6 {
		return 0, fmt.Errorf("gateway began with op %d instead of Hello: %w", f.Op, errNotOwn)
	}
	return time.Duration(d.Interval * float64(time.Millisecond)), nil
}

// begin resumes the session, or identifies. It returns until when the first event must have come.
func (g *gateway) begin(l *link, s session) (time.Time, error) {
	auth := g.p.auth.Reveal()
	if s.ID != "" {
		return time.Now().Add(g.p.times.resume), l.send(opResume, map[string]any{
			"token": auth, "session_id": s.ID, "seq": s.Seq,
		})
	}
	g.identified = time.Now()
	return time.Now().Add(g.p.times.ready), l.send(opIdentify, map[string]any{
		"token":           auth,
		"intents":         int(intents),
		"compress":        false, // so that no frame has to be inflated
		"large_threshold": 50,
		"properties":      map[string]string{"os": runtime.GOOS, "browser": "clickai-bridge", "device": "clickai-bridge"},
	})
}

// dispatch hands an event on, and counts it as received once it is safe.
func (g *gateway) dispatch(ctx context.Context, f frame) error {
	s := g.current()
	if f.Type == "READY" {
		var r wireReady
		if err := json.Unmarshal(f.Data, &r); err != nil || !isID(r.User.ID) {
			return fmt.Errorf("decode READY: %w", errors.Join(err, errNotOwn))
		}
		if !g.p.isGateway(r.ResumeURL) {
			r.ResumeURL = "" // not every server has one
		}
		s = session{ID: r.SessionID, URL: r.ResumeURL, Seq: f.Seq, Bot: r.User.ID, App: r.App.ID}
	}
	if err := g.handle(ctx, f, s); err != nil {
		return err
	}
	if f.Seq != 0 {
		s.Seq = f.Seq
	}
	g.set(s)
	return nil
}

// address is where to connect to: where the session wants to be resumed, or where the API says. An Identify waits until
// the last one is long enough ago, and until Discord allows one more: too many in a day reset the token.
// Source: https://docs.discord.com/developers/events/gateway#session-start-limit-object
func (g *gateway) address(ctx context.Context, s session) (string, error) {
	if s.ID != "" && s.URL != "" {
		return g.withQuery(s.URL)
	}
	if s.ID == "" {
		if err := sleep(ctx, time.Until(g.identified.Add(g.p.times.identifyGap))); err != nil {
			return "", err
		}
	}
	var bot struct {
		URL   string `json:"url"`
		Limit *struct {
			Remaining  int     `json:"remaining"`
			ResetAfter float64 `json:"reset_after"` // ms
		} `json:"session_start_limit"`
	}
	err := g.p.read(ctx, "discord.Gateway", discordgo.EndpointGatewayBot, "gateway bot", "", &bot)
	if core.ClassOf(err) == core.Unsupported || core.ClassOf(err) == core.NotFound {
		err = g.p.read(ctx, "discord.Gateway", discordgo.EndpointGateway, "gateway", "", &bot)
	}
	if err != nil {
		return "", err
	}
	if s.ID == "" && bot.Limit != nil && bot.Limit.Remaining <= 0 && bot.Limit.ResetAfter > 0 {
		return "", &core.Error{
			Op: "discord.Gateway", Class: core.RateLimited, RetryAfter: secondsOf(bot.Limit.ResetAfter / 1000),
			Err: errors.New("all starts of a session that Discord allows in a day are used up"),
		}
	}
	return g.withQuery(bot.URL)
}

var apiVersion = regexp.MustCompile(`^v(\d+)$`)

// withQuery adds the version of api_url to a gateway address, which may be ws:// too.
func (g *gateway) withQuery(address string) (string, error) {
	if !g.p.isGateway(address) {
		return "", fmt.Errorf("gateway address: %w", errNotOwn)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("gateway address: %w", errNotOwn)
	}
	version := discordgo.APIVersion
	if m := apiVersion.FindStringSubmatch(path.Base(g.p.base.Path)); m != nil {
		version = m[1]
	}
	if u.Path == "" {
		u.Path = "/"
	}
	q := u.Query()
	q.Set("v", version)
	q.Set("encoding", "json")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// isGateway tells whether the token may be sent to an address that the API has named: in the open only where api_url itself
// is, and from Discord's API to Discord's hosts only. Other servers choose the host of their gateway.
// Source: https://docs.discord.com/developers/events/gateway#connecting
func (p *Platform) isGateway(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return false
	}
	return (u.Scheme == "wss" || u.Scheme == "ws" && p.base.Scheme == "http") && (!isDiscordHost(p.base.Hostname()) || isDiscordHost(u.Hostname()))
}

// after judges why a connection ended. fatal is set when connecting again is of no use; pause is the least wait.
func (g *gateway) after(err error) (pause time.Duration, fatal *core.Error) {
	const op = "discord.Run"
	s := g.current()
	if bad, ok := errors.AsType[*sessionError](err); ok {
		if !bad.resumable {
			s = session{Bot: s.Bot, App: s.App}
			g.set(s)
		}
		// "wait a random amount of time between one and five seconds": https://docs.discord.com/developers/events/gateway
		return g.p.times.backoff + rand.N(4*g.p.times.backoff), nil
	}
	if c, ok := errors.AsType[*websocket.CloseError](err); ok {
		switch c.Code {
		case 4003, 4007, 4009: // not authenticated, wrong sequence number, session timed out: start anew
			g.set(session{Bot: s.Bot, App: s.App})
			return 0, nil
		}
		if class, mend := refusal4xxx(c.Code); mend != "" {
			return 0, &core.Error{Op: op, Class: class, Err: fmt.Errorf("gateway closed with %d: %s", c.Code, mend)}
		}
		return 0, nil
	}
	if e, ok := errors.AsType[*core.Error](err); ok {
		switch e.Class {
		case core.Auth:
			return 0, &core.Error{Op: op, Class: core.Auth, Err: fmt.Errorf("%s: %w", mendToken, e)}
		case core.RateLimited:
			return e.RetryAfter, nil
		default:
		}
	}
	return 0, nil
}

const (
	mendToken  = "the token is refused: copy it anew from https://discord.com/developers/applications, page Bot"
	mendIntent = "the intent MESSAGE CONTENT is off: switch it on at https://discord.com/developers/applications, page Bot, Privileged Gateway Intents"
)

// refusal4xxx are the close codes after which connecting again fails again; mend is "" for others.
// Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
func refusal4xxx(code int) (class core.Class, mend string) {
	switch code {
	case 4004:
		return core.Auth, mendToken
	case 4010:
		return core.Denied, "the shard is refused: the server behind api_url is not compatible"
	case 4011:
		return core.Denied, "the bot is in too many servers for one connection: remove it from some, sharding is not supported"
	case 4012:
		return core.Denied, "the API version is refused: set api_url to " + DefaultAPIURL
	case 4013:
		return core.Denied, "the intents are refused: the server behind api_url is not compatible"
	case 4014:
		return core.Denied, mendIntent
	}
	return "", ""
}
