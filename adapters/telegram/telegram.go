package telegram

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	tgbot "github.com/go-telegram/bot"

	"github.com/clickai/bridge/adapters/telegram/telegramfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// Platform is one Telegram bot. Make it with [New].
type Platform struct {
	name  string
	log   *slog.Logger
	base  string // api_url without a slash at its end
	token core.Secret

	bot     *tgbot.Bot
	client  *client
	pool    *http.Transport
	pacer   *pace.Pacer
	drafts  drafts
	rooms   rooms
	menu    menu
	answers *answers
	hook    *hook // nil where updates are polled
	times   timing
	running atomic.Bool

	unreadable atomic.Uint64 // updates that could not be read whole

	mu     sync.Mutex
	me     user
	host   core.Host                // while Run runs; else nil
	typing map[core.Place]time.Time // since when a sign of typing shows; at most maxTyping
}

var (
	_ core.Platform         = (*Platform)(nil)
	_ core.Renderer         = (*Platform)(nil)
	_ core.Editor           = (*Platform)(nil)
	_ core.Deleter          = (*Platform)(nil)
	_ core.Typist           = (*Platform)(nil)
	_ core.AttachmentOpener = (*Platform)(nil)
	_ core.Uploader         = (*Platform)(nil)
	_ core.Checker          = (*Platform)(nil)
	_ core.Ceiling          = (*Platform)(nil)
	_ core.Pacer            = (*Platform)(nil)
	_ core.Drafter          = (*Platform)(nil)
	_ core.Receiver         = (*Platform)(nil)
	_ core.Answerer         = (*Platform)(nil)
	_ core.Commander        = (*Platform)(nil)
	_ core.Directory        = (*Platform)(nil)
)

// timing are the periods of the poll and of the webhook, in one place so that tests can shorten them.
type timing struct {
	hold        time.Duration // how long the server holds a poll that has nothing to say
	pause       time.Duration // least time between two polls that brought nothing new
	conflict    time.Duration // how long another poller is left alone: polling at once only throws each other out
	backoff     time.Duration // before the second try; grows
	maxBackoff  time.Duration
	hookCheck   time.Duration // between two looks at whether Telegram can deliver to the webhook
	acknowledge time.Duration // after which a press is acknowledged that nobody has answered
}

func defaultTiming() timing {
	return timing{
		hold: pollTimeout, pause: time.Second, conflict: 10 * time.Second,
		backoff: 500 * time.Millisecond, maxBackoff: 30 * time.Second, hookCheck: time.Minute,
		acknowledge: acknowledgeTime,
	}
}

// New makes the bot with the given name in the configuration. It does no I/O.
func New(name string, c Config, log *slog.Logger) (*Platform, error) {
	base, wrong := parseBase(c.APIURL)
	if wrong != "" {
		return nil, invalid("New", errors.New("api_url "+wrong))
	}
	httpClient, pool := newHTTP()
	p := &Platform{
		name: name, log: log, base: base, token: core.Secret(c.token()),
		client: &client{http: httpClient}, pool: pool, pacer: newPacer(), times: defaultTiming(),
		typing: map[core.Place]time.Time{}, answers: newAnswers(),
	}
	if c.WebhookURL != "" {
		p.hook = newHook(p, c)
	}
	bot, err := tgbot.New(p.token.Reveal(),
		tgbot.WithSkipGetMe(), // New would call getMe
		tgbot.WithServerURL(base),
		tgbot.WithHTTPClient(pollTimeout, p.client), // the library's own cuts everything after 60 s, uploads too
		// Otherwise it logs to the process's own logger, and addresses hold the token. WithDebug, which logs bodies, is
		// never set.
		tgbot.WithErrorsHandler(func(err error) { log.Debug("library", slog.Any("err", p.mask(err))) }))
	if err != nil {
		return nil, invalid("New", p.mask(err))
	}
	p.bot = bot
	return p, nil
}

// Name is the bot's name in the configuration.
func (p *Platform) Name() string { return p.name }

// Render splits CommonMark into messages in Telegram's HTML.
func (p *Platform) Render(markdown string, final bool) []core.Part {
	return telegramfmt.Render(markdown, final)
}

// NewRender is core.Renderer.
func (p *Platform) NewRender() func(markdown string, final bool, stands int) (from int, parts []core.Part) {
	return telegramfmt.NewRenderer().RenderFrom
}

// Run polls for updates, or takes them from the webhook, and feeds host until ctx ends; it goes on by itself after every
// failure. It returns nil after ctx has ended, and an error of class [core.Auth] when Telegram refuses the token.
func (p *Platform) Run(ctx context.Context, host core.Host) error {
	if !p.running.CompareAndSwap(false, true) {
		return invalid("Run", errRunning)
	}
	defer p.running.Store(false)
	defer p.pool.CloseIdleConnections()
	p.setHost(host)
	defer p.setHost(nil)
	run := newPoller(p, host).run
	if p.hook != nil {
		run = newRegistrar(p, host).run
	}
	working, cancel := context.WithCancel(ctx)
	var presses sync.WaitGroup
	defer presses.Wait()
	defer cancel()
	presses.Go(func() { p.acknowledge(working) })
	if err := run(ctx); err != nil {
		return err
	}
	return nil
}

// Unreadable is how many updates could not be read whole since the process began. They were logged and passed over.
func (p *Platform) Unreadable() uint64 { return p.unreadable.Load() }

func (p *Platform) setHost(host core.Host) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host = host
}

// mover is who is to be told that a room has another id; nil if there is nobody.
func (p *Platform) mover() core.Mover {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, _ := p.host.(core.Mover)
	return m
}

// self is the bot's own account; zero before the first connection.
func (p *Platform) self() user {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.me
}

func (p *Platform) setSelf(me user) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.me = me
}

// pause waits for d or for ctx, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err() //nolint:wrapcheck // the caller adds the operation
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the caller adds the operation
	}
}
