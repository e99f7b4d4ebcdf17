package telegram

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/clickai/bridge/core"
)

// registrar is one Run of a bot with a webhook: it has Telegram call it, and looks from time to time whether it can. When
// the bot stops the webhook stays, so that Telegram keeps what comes meanwhile.
type registrar struct {
	taking *hookRun
	p      *Platform
	host   core.Host
	wait   *backoff.ExponentialBackOff

	known      bool      // getMe has told who the bot is
	registered bool      // Telegram has the address and the secret
	replaced   time.Time // when another program's address was replaced last
	errorAt    int64     // when a delivery failed last, by Telegram's clock
	failing    time.Time // since when deliveries fail; zero if they do not
}

// hookInfo is what Telegram knows of the webhook.
// Source: https://core.telegram.org/bots/api#webhookinfo
type hookInfo struct {
	URL       string   `json:"url"`
	Pending   int      `json:"pending_update_count"`
	LastError string   `json:"last_error_message"`
	ErrorAt   int64    `json:"last_error_date"` // seconds
	Allowed   []string `json:"allowed_updates"` // none: the default, which leaves reactions out
}

// unwanted are the kinds of updates that the bot needs and Telegram does not send it.
func (h *hookInfo) unwanted() []string {
	sent := h.Allowed
	if len(sent) == 0 {
		sent = slices.DeleteFunc(slices.Clone(wanted), func(kind string) bool { return kind == "message_reaction" })
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(kind string) bool { return slices.Contains(sent, kind) })
}

func newRegistrar(p *Platform, host core.Host) *registrar {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = p.times.backoff, p.times.maxBackoff
	return &registrar{p: p, host: host, wait: wait}
}

// run lets updates in until ctx ends, or the token is refused.
func (r *registrar) run(ctx context.Context) *core.Error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.taking = &hookRun{intake: intake{p: r.p, host: r.host, log: r.p.log}, ctx: ctx, turn: make(chan struct{}, 1)}
	defer func() {
		cancel()
		r.p.hook.close(r.taking)
	}()
	for ctx.Err() == nil {
		op, err := r.round(ctx)
		rest := r.p.times.hookCheck
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			r.wait.Reset()
		default:
			if fatal := r.p.refusedToken(op, err); fatal != nil {
				r.host.State(false, fatal)
				return fatal
			}
			if api, ok := errors.AsType[*apiError](err); ok && api.Code == http.StatusNotFound {
				r.known = false // getMe tells whether it is the token
			}
			err = r.p.fail(op, err, false)
			r.host.State(false, err)
			rest = max(core.RetryAfterOf(err), r.wait.NextBackOff())
		}
		if pause(ctx, rest) != nil {
			break
		}
	}
	return nil
}

// round does what is to be done next, and returns the method that failed.
func (r *registrar) round(ctx context.Context) (op string, err error) {
	if !r.known {
		if err := r.taking.hello(ctx); err != nil {
			return "getMe", err
		}
		r.known = true
		r.p.hook.open(r.taking) // not before: without its own name the bot knows no mention
	}
	if !r.registered {
		if err := r.register(ctx); err != nil {
			return "setWebhook", err
		}
		r.registered = true
		info, err := r.look(ctx)
		if err != nil {
			return "getWebhookInfo", err
		}
		r.errorAt = info.ErrorAt // failures from before say nothing
		r.taking.down.Store(false)
		r.host.State(true, nil)
		return "", nil
	}
	info, err := r.look(ctx)
	if err != nil {
		return "getWebhookInfo", err
	}
	if info.URL != r.p.hook.url {
		return "setWebhook", r.takeBack(ctx, info.URL)
	}
	r.judge(info)
	return "", nil
}

// register has Telegram call the webhook. What waits is kept.
// Source: https://core.telegram.org/bots/api#setwebhook
func (r *registrar) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	params := struct {
		URL     string   `json:"url"`
		Secret  string   `json:"secret_token"`
		Most    int      `json:"max_connections"`
		Allowed []string `json:"allowed_updates"`
		Drop    bool     `json:"drop_pending_updates"`
	}{r.p.hook.url, r.p.hook.secret.Reveal(), hookConnections, wanted, false}
	if err := r.p.call(ctx, "setWebhook", params, nil); err != nil {
		return err
	}
	r.p.log.Info("webhook registered", slog.String("host", hostOf(r.p.hook.url)))
	return nil
}

func (r *registrar) look(ctx context.Context) (hookInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.p.webhookInfo(ctx)
}

// judge tells the host whether updates come.
func (r *registrar) judge(info hookInfo) {
	if info.ErrorAt != r.errorAt && info.LastError != "" {
		r.errorAt, r.failing = info.ErrorAt, time.Now()
		r.p.log.Warn("Telegram could not deliver to the webhook", slog.String("reason", r.p.said(info.LastError)),
			slog.Time("at", time.Unix(info.ErrorAt, 0).UTC()), slog.Int("waiting", info.Pending))
	}
	switch {
	case r.failing.IsZero():
		if !r.taking.down.Load() { // else the store takes nothing, and only the next update tells that it does again
			r.host.State(true, nil)
		}
		return
	case info.Pending == 0 || r.taking.last.Load() > r.failing.UnixNano():
		r.failing = time.Time{}
		r.taking.down.Store(false)
		r.host.State(true, nil)
		return
	}
	r.taking.trouble(&core.Error{Op: "telegram.webhook", Class: core.Transient, Err: fmt.Errorf(
		"webhook_url is out of Telegram's reach, %d updates wait: %s", info.Pending, r.p.said(info.LastError))})
}

// takeBack sets the webhook again after another program has changed it.
func (r *registrar) takeBack(ctx context.Context, other string) error {
	by := "taken away"
	if other != "" {
		by = "set to " + hostOf(other)
	}
	r.p.log.Warn("another program has changed the webhook: setting it again", slog.String("change", by))
	again := time.Since(r.replaced) < 10*r.p.times.hookCheck
	r.replaced = time.Now()
	if err := r.register(ctx); err != nil {
		return err
	}
	if again {
		return fmt.Errorf("another program changes the webhook of this token again and again (it was %s): stop it, or make a new token with @BotFather (/revoke)", by)
	}
	return nil
}

// said is a line from Telegram that is fit for logs.
func (p *Platform) said(text string) string {
	return oneLine(p.mask(errors.New(text)).Error(), 200)
}

// webhookInfo is what Telegram knows of the webhook; its URL is "" if none is set.
func (p *Platform) webhookInfo(ctx context.Context) (hookInfo, error) {
	var info hookInfo
	err := p.call(ctx, "getWebhookInfo", struct{}{}, &info)
	return info, err
}
