package discord

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/clickai/bridge/adapters/discord/discordfmt"
	"github.com/clickai/bridge/core"
)

// Platform is one Discord bot. Make it with [New].
type Platform struct {
	name string
	log  *slog.Logger
	base *url.URL
	auth core.Secret // the token

	api       *api
	dir       *directory
	lookups   lookups
	urls      urls
	bare      *bare
	inter     *interactions
	downloads *http.Client
	pools     []*http.Transport
	dialer    *websocket.Dialer
	times     timing
	running   atomic.Bool
}

var (
	_ core.Ceiling          = (*Platform)(nil)
	_ core.Pacer            = (*Platform)(nil)
	_ core.Platform         = (*Platform)(nil)
	_ core.Renderer         = (*Platform)(nil)
	_ core.Editor           = (*Platform)(nil)
	_ core.Deleter          = (*Platform)(nil)
	_ core.Typist           = (*Platform)(nil)
	_ core.ThreadOpener     = (*Platform)(nil)
	_ core.AttachmentOpener = (*Platform)(nil)
	_ core.Uploader         = (*Platform)(nil)
	_ core.ThreadReader     = (*Platform)(nil)
	_ core.Checker          = (*Platform)(nil)
	_ core.Answerer         = (*Platform)(nil)
	_ core.FormOpener       = (*Platform)(nil)
	_ core.Commander        = (*Platform)(nil)
	_ core.Directory        = (*Platform)(nil)
)

// timing are the periods of the connection, in one place so that tests can shorten them.
type timing struct {
	hello       time.Duration // until Hello
	ready       time.Duration // from Identify to READY
	resume      time.Duration // from Resume to the next event
	identifyGap time.Duration // between two Identify: https://docs.discord.com/developers/events/gateway#rate-limiting
	backoff     time.Duration // before the second try to connect; grows
	maxBackoff  time.Duration
	stable      time.Duration // a connection that held so long was a good one
	retryStore  time.Duration // how long an event that the store refuses is tried before the connection is dropped
	flush       time.Duration // between two writes of the positions
	retryPage   time.Duration // before a failed page of history is asked for again; grows
	ack         time.Duration // until an interaction that core has not answered is acknowledged
	lookback    time.Duration // how far back history is read when the host does not say
}

func defaultTiming() timing {
	return timing{
		hello: 20 * time.Second, ready: time.Minute, resume: 15 * time.Second, identifyGap: 5 * time.Second,
		backoff: time.Second, maxBackoff: 2 * time.Minute, stable: time.Minute,
		retryStore: 15 * time.Second, flush: 30 * time.Second, retryPage: time.Second, ack: ackAfter, lookback: 7 * 24 * time.Hour,
	}
}

// New makes the bot with the given name in the configuration. It does no I/O.
func New(name string, cfg Config, log *slog.Logger) (*Platform, error) {
	base, wrong := parseBase(cfg.APIURL)
	if wrong != "" {
		return nil, invalid("discord.New", errors.New("api_url "+wrong))
	}
	pool, downloads, downloadPool := newHTTP(base)
	api, err := newAPI(cfg.token(), base, pool)
	if err != nil {
		return nil, invalid("discord.New", err)
	}
	return &Platform{
		name: name, log: log, base: base, auth: core.Secret(cfg.token()),
		api: api, dir: newDirectory(), downloads: downloads, pools: []*http.Transport{pool, downloadPool},
		dialer: &websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 15 * time.Second},
		bare:   newBare(),
		inter:  newInteractions(),
		times:  defaultTiming(),
	}, nil
}

// Name is the bot's name in the configuration.
func (p *Platform) Name() string { return p.name }

// Render splits CommonMark into messages in Discord's Markdown.
func (p *Platform) Render(markdown string, final bool) []core.Part {
	return discordfmt.Render(markdown, final)
}

// NewRender is core.Renderer.
func (p *Platform) NewRender() func(markdown string, final bool, stands int) (from int, parts []core.Part) {
	return discordfmt.NewRenderer().RenderFrom
}

var errRunning = errors.New("the bot runs already")

// Run connects to the gateway and feeds host until ctx ends; it connects again by itself. It returns nil after ctx has
// ended, and an error of class [core.Auth] or [core.Denied] when Discord refuses the token, the intents or the bot itself:
// close codes 4004 and 4010 to 4014 (https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes).
func (p *Platform) Run(ctx context.Context, host core.Host) error {
	if !p.running.CompareAndSwap(false, true) {
		return invalid("discord.Run", errRunning)
	}
	defer p.running.Store(false)
	p.api.forget()
	defer func() {
		for _, pool := range p.pools {
			pool.CloseIdleConnections()
		}
	}()
	return newRunner(p, host).run(ctx)
}
