package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/clickai/bridge/core"
)

// wanted are the update types that are asked for, in each poll anew.
var wanted = []string{"message", "edited_message", "callback_query", "message_reaction", "my_chat_member"}

const (
	retryFirst = 500 * time.Millisecond
	retryMost  = time.Minute
	// conflictPause is how long another poller is given before the next try: polling at once only throws each other out.
	conflictPause = 10 * time.Second
)

// Run is core.Platform.
func (p *Platform) Run(ctx context.Context, host core.Host) error {
	offset, wait := int64(0), retryFirst
	known := false
	hold := time.Duration(0) // the first poll asks for what waits already, so that it tells at once whether polling works
	failed := func(op string, err error) error {
		err = p.fail(op, err, false)
		class := core.ClassOf(err)
		if class == core.Auth || class == core.Unsupported && !known {
			// A token that is not one of the server's gives 404 on every method.
			return &core.Error{Op: "telegram." + op, Class: core.Auth, Err: errors.New("the token is refused: get the right one from @BotFather with /token")}
		}
		if ctx.Err() != nil {
			return nil
		}
		host.State(false, err)
		pauseFor := max(core.RetryAfterOf(err), wait/2+rand.N(wait/2))
		wait = min(wait*2, retryMost)
		_ = pause(ctx, pauseFor)
		return nil
	}
	for ctx.Err() == nil {
		if !known {
			if err := p.start(ctx); err != nil {
				if err := failed("getMe", err); err != nil {
					return err
				}
				continue
			}
			known = true
		}
		began := time.Now()
		updates, err := p.poll(ctx, offset, hold, pollLimit)
		if err != nil {
			own, _ := errors.AsType[*apiError](err)
			if own != nil && own.Code == 409 {
				if err := p.conflict(ctx, host, own); err != nil {
					return err
				}
				continue
			}
			if err := failed("getUpdates", err); err != nil {
				return err
			}
			continue
		}
		wait = retryFirst
		host.State(true, nil)
		for _, raw := range updates {
			if offset, err = p.take(ctx, host, raw, offset); err != nil {
				return nil // ctx has ended; what was not accepted comes again
			}
		}
		if hold == 0 {
			hold = pollTimeout
			continue
		}
		if len(updates) == 0 && time.Since(began) < pollPause {
			_ = pause(ctx, pollPause-time.Since(began)) // a server that does not hold polls
		}
	}
	p.confirm(ctx, offset)
	return nil
}

// start learns who the bot is, and takes a webhook away: while one is set there are no polls.
func (p *Platform) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var me user
	if err := p.call(ctx, "getMe", struct{}{}, &me); err != nil {
		return err
	}
	p.mu.Lock()
	p.me = me
	p.mu.Unlock()
	return nil
}

func (p *Platform) poll(ctx context.Context, offset int64, timeout time.Duration, limit int) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout+25*time.Second)
	defer cancel()
	params := struct {
		Offset  int64    `json:"offset,omitempty"`
		Limit   int      `json:"limit"`
		Timeout int      `json:"timeout"`
		Allowed []string `json:"allowed_updates"`
	}{offset, limit, int(timeout.Seconds()), wanted}
	var updates []json.RawMessage
	return updates, p.call(ctx, "getUpdates", params, &updates)
}

// take passes one update on until the host has it, and returns the offset that confirms it.
func (p *Platform) take(ctx context.Context, host core.Host, raw json.RawMessage, offset int64) (int64, error) {
	id, events, err := p.decode(raw)
	if id == 0 {
		p.log.Error("update without an id", slog.Any("err", err))
		return offset, nil
	}
	if err != nil {
		p.log.Error("update passed over: it cannot be read", slog.Int64("update_id", id), slog.Any("err", err))
	}
	wait := retryFirst
	for i := 0; i < len(events); {
		if err := host.Accept(ctx, events[i]); err != nil {
			if ctx.Err() != nil {
				return offset, ctx.Err()
			}
			host.State(false, fmt.Errorf("events cannot be stored: %w", err))
			if err := pause(ctx, wait); err != nil {
				return offset, err
			}
			wait = min(wait*2, retryMost)
			continue
		}
		i++
	}
	return max(offset, id+1), nil
}

// conflict deals with 409: a webhook is set, or another process polls with the same token.
func (p *Platform) conflict(ctx context.Context, host core.Host, cause *apiError) error {
	one, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var hook struct {
		URL string `json:"url"`
	}
	if err := p.call(one, "getWebhookInfo", struct{}{}, &hook); err == nil && hook.URL != "" {
		p.log.Warn("a webhook is set: taking it away, since this bot polls")
		err := p.call(one, "deleteWebhook", map[string]bool{"drop_pending_updates": false}, nil)
		if err == nil {
			return nil
		}
		host.State(false, p.fail("deleteWebhook", err, false))
	} else {
		host.State(false, &core.Error{Op: "telegram.getUpdates", Class: core.Transient, Err: fmt.Errorf("another program polls with this token: stop it, or make a new token with @BotFather (%w)", cause)})
	}
	_ = pause(ctx, conflictPause)
	return nil
}

// confirm tells Telegram what has been taken, so that it need not come again after a restart.
func (p *Platform) confirm(ctx context.Context, offset int64) {
	if offset == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := p.poll(ctx, offset, 0, 1); err != nil {
		p.log.Debug("last updates not confirmed; they come again", slog.Any("err", p.mask(err)))
	}
}
