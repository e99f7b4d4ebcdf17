package slack

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
	"github.com/clickai/bridge/core"
)

// Platform is one Slack bot. Make it with [New].
type Platform struct {
	name     string
	log      *slog.Logger
	base     *url.URL
	appToken core.Secret
	signing  core.Secret // "": no events over HTTP

	api     *slackgo.Client
	http    *transport
	budgets *budgets
	dir     *directory
	lists   lists
	files   *fileURLs
	dialer  *websocket.Dialer
	times   timing
	running atomic.Bool
	inbox   *inbox
	notes   *notes
	doubt   chan struct{} // capacity 1: Slack has refused the token in an answer

	silent   *refusals // where no status can be shown
	streams  *streams
	noStream *refusals // where no stream can be started
	halted   *halted   // streams that a person has stopped
	noTitle  *refusals // where threads have no titles
	noPrompt *refusals // where nothing can be suggested

	plainRating atomic.Bool // Slack refuses its own element for ratings

	mu   sync.Mutex
	self identity
}

var (
	_ core.Ceiling          = (*Platform)(nil)
	_ core.Platform         = (*Platform)(nil)
	_ core.Pacer            = (*Platform)(nil)
	_ core.Streamer         = (*Platform)(nil)
	_ core.Renderer         = (*Platform)(nil)
	_ core.Editor           = (*Platform)(nil)
	_ core.Deleter          = (*Platform)(nil)
	_ core.Typist           = (*Platform)(nil)
	_ core.AttachmentOpener = (*Platform)(nil)
	_ core.Uploader         = (*Platform)(nil)
	_ core.ThreadReader     = (*Platform)(nil)
	_ core.Checker          = (*Platform)(nil)
	_ core.Receiver         = (*Platform)(nil)
	_ core.Answerer         = (*Platform)(nil)
	_ core.FormOpener       = (*Platform)(nil)
	_ core.Prompter         = (*Platform)(nil)
	_ core.Titler           = (*Platform)(nil)
	_ core.Directory        = (*Platform)(nil)
)

// timing are the periods of the connection, in one place so that tests can shorten them.
type timing struct {
	backoff    time.Duration // before a failed start is tried again; grows
	maxBackoff time.Duration // also the longest pause of a socket: slack-go's own grows to five minutes
	spread     time.Duration // after which one of two sockets of one age is renewed; 0: half of what Slack says they live
	lookup     time.Duration // how long all names in one event may take to look up
	flush      time.Duration // between two writes of the positions
	retryPage  time.Duration // before a failed page of history is asked for again; grows
	retryStore time.Duration // before history is read for what the store has refused
	overlap    time.Duration // how far history is read back beyond the last time the bot was connected
	hold       time.Duration // after which what waits for a history makes do with the part that matters most
	lookback   time.Duration // how far back history is read when the host does not say
	ping       time.Duration // a socket without a sign of life for so long is given up
	quiet      time.Duration // without a request of Slack's, before history is read; grows
	maxQuiet   time.Duration
	webhook    time.Duration // until a request is answered: Slack takes it for lost after three seconds
	share      time.Duration // between two looks for the message that shows a file
}

func defaultTiming() timing {
	return timing{
		backoff: time.Second, maxBackoff: 30 * time.Second, lookup: 2 * time.Second, flush: 30 * time.Second,
		retryPage: time.Second, retryStore: 30 * time.Second, overlap: 2 * time.Minute, hold: 15 * time.Second, lookback: 7 * 24 * time.Hour,
		ping: 30 * time.Second, webhook: 2800 * time.Millisecond,
		quiet: 5 * time.Minute, maxQuiet: 30 * time.Minute, share: time.Second,
	}
}

// New makes the bot with the given name in the configuration. It does no I/O.
func New(name string, cfg Config, log *slog.Logger) (*Platform, error) {
	base, wrong := parseBase(cfg.APIURL)
	if wrong != "" {
		return nil, invalid("slack.New", errors.New("api_url "+wrong))
	}
	bot := strings.TrimSpace(cfg.BotToken.Reveal())
	app := strings.TrimSpace(cfg.AppToken.Reveal())
	p := &Platform{
		name: name, log: log, base: base, appToken: core.Secret(app), signing: core.Secret(strings.TrimSpace(cfg.SigningSecret.Reveal())),
		http: newTransport(base, core.Secret(bot)), budgets: newBudgets(), dir: newDirectory(), files: newFileURLs(),
		// slack-go's own dialer has a write buffer of this size too: Slack does not join continuation frames.
		dialer: &websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 15 * time.Second, WriteBufferSize: 32 << 10},
		times:  defaultTiming(), silent: newRefusals(), streams: newStreams(), noStream: newRefusals(),
		inbox: newInbox(), notes: newNotes(), doubt: make(chan struct{}, 1), halted: newHalted(),
		noTitle: newRefusals(), noPrompt: newRefusals(),
	}
	p.api = slackgo.New(bot,
		slackgo.OptionAppLevelToken(app),
		slackgo.OptionAPIURL(strings.TrimRight(base.String(), "/")+"/"), // plain concatenation: the slash must be there
		slackgo.OptionHTTPClient(p.http),
	)
	return p, nil
}

// Name is the bot's name in the configuration.
func (p *Platform) Name() string { return p.name }

// Render splits CommonMark into Slack messages of blocks.
func (p *Platform) Render(markdown string, final bool) []core.Part {
	return slackfmt.Render(markdown, final)
}

// NewRender is core.Renderer.
func (p *Platform) NewRender() func(markdown string, final bool, stands int) (from int, parts []core.Part) {
	return slackfmt.NewRenderer().RenderFrom
}

var (
	errRunning  = errors.New("the bot runs already")
	errSettings = errors.New("settings are not those of Slack")
	errNoEvents = errors.New("neither app_token nor signing_secret is set")
)

// Run connects two sockets, which connect again by themselves, and takes what [Platform.Webhook] receives, and feeds host
// until ctx ends. Without an app token there are no sockets, without a signing secret no webhook. It returns nil after ctx
// has ended, and an error of class [core.Auth] or [core.Denied], which says what to do, when Slack refuses a token or lacks
// a scope, and when Socket Mode is switched off.
func (p *Platform) Run(ctx context.Context, host core.Host) error {
	if p.appToken == "" && p.signing == "" {
		return &core.Error{Op: "slack.Run", Class: core.Denied, Err: errNoEvents}
	}
	if !p.running.CompareAndSwap(false, true) {
		return invalid("slack.Run", errRunning)
	}
	defer p.running.Store(false)
	defer p.http.closeIdle()
	return newRunner(p, host).run(ctx)
}

// identity is who the bot is.
type identity struct {
	team, teamName string
	user, userName string
	bot            string
}

// me is who the bot is, asked for once.
func (p *Platform) me(ctx context.Context) (identity, error) {
	p.mu.Lock()
	me := p.self
	p.mu.Unlock()
	if me.user != "" {
		return me, nil
	}
	me, _, err := p.authTest(ctx, method("auth.test"))
	return me, err
}

// authTest asks who the token belongs to. Slack tells the token's scopes in a header.
// Source: https://docs.slack.dev/reference/methods/auth.test
func (p *Platform) authTest(ctx context.Context, use turn) (me identity, scopes string, err error) {
	var out struct {
		Team   string `json:"team"`
		TeamID string `json:"team_id"`
		User   string `json:"user"`
		UserID string `json:"user_id"`
		BotID  string `json:"bot_id"`
	}
	header, err := p.call(ctx, "slack.AuthTest", use, func(ctx context.Context) error {
		_, err := p.api.AuthTestContext(ctx)
		return err //nolint:wrapcheck // call classifies it
	}, &out)
	if err != nil {
		return identity{}, "", err
	}
	me = identity{team: out.TeamID, teamName: out.Team, user: out.UserID, userName: out.User, bot: out.BotID}
	if me.user == "" {
		return identity{}, "", &core.Error{Op: "slack.AuthTest", Class: core.Transient, Err: errNotOwn}
	}
	p.mu.Lock()
	p.self = me
	p.mu.Unlock()
	return me, header.Get("X-Oauth-Scopes"), nil
}
