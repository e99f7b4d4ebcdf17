package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/clickai/bridge/core"
)

// wanted are the kinds of updates that are asked for. Each poll names them all: an omitted list keeps what an earlier
// client asked for, and the default leaves reactions out. Without membership updates nothing tells that the bot was
// blocked.
// Source: https://core.telegram.org/bots/api#getupdates
var wanted = []string{"message", "edited_message", "callback_query", "message_reaction", "my_chat_member"}

// poller is one Run of a bot. The library's loop is not used: it confirms updates to Telegram once they sit in memory, so
// that a crash loses up to a batch and whatever is queued; it decodes a batch as a whole, so that one update of an unknown
// shape stalls it for ever; it heeds neither retry_after nor 401; and it repeats a 409 as fast as it can
// (go-telegram/bot v1.23.0, get_updates.go).
type poller struct {
	intake
	wait *backoff.ExponentialBackOff

	known     bool          // getMe has told who the bot is
	hold      time.Duration // of the next poll
	limit     int           // how many updates it asks for
	offset    int64         // the next poll's: above every update that the host has accepted
	confirmed int64         // the last offset that Telegram has been told
	unhooked  time.Time     // when a webhook was taken away last
}

func newPoller(p *Platform, host core.Host) *poller {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = p.times.backoff, p.times.maxBackoff
	return &poller{intake: intake{p: p, host: host, log: p.log}, wait: wait, limit: pollLimit}
}

// run polls until ctx ends, or the token is refused.
func (r *poller) run(ctx context.Context) *core.Error {
	defer r.confirm(ctx)
	for ctx.Err() == nil {
		rest, fatal := r.round(ctx)
		if fatal != nil {
			r.host.State(false, fatal)
			return fatal
		}
		if pause(ctx, rest) != nil {
			break
		}
	}
	return nil
}

// round makes one poll and hands on what it brought. It returns how long to wait before the next one.
func (r *poller) round(ctx context.Context) (rest time.Duration, fatal *core.Error) {
	if !r.known {
		if err := r.hello(ctx); err != nil {
			return r.failed(ctx, "getMe", err)
		}
		r.known = true
	}
	began := time.Now()
	// The first poll, and one after a failure, is not held, so that it tells at once whether polling works.
	updates, err := r.poll(ctx, r.hold, r.limit)
	if err != nil {
		if errors.Is(err, errHuge) {
			r.limit = max(1, r.limit/4) // the same updates would come again and again
		}
		return r.failed(ctx, "getUpdates", err)
	}
	r.limit = pollLimit
	r.confirmed = r.offset
	r.wait.Reset()
	r.host.State(true, nil)
	before := r.offset
	for _, raw := range inOrder(updates) {
		if !r.take(ctx, raw) {
			return 0, nil // ctx has ended
		}
	}
	first := r.hold == 0
	r.hold = r.p.times.hold
	if r.offset == before && !first {
		// Some servers and proxies answer at once whatever they are asked, and one may repeat an update for ever.
		rest = max(0, r.p.times.pause-time.Since(began))
	}
	if len(updates) == 0 {
		// All that was offered is confirmed. After a week of silence Telegram may go on with lower ids, which an offset from
		// before would confirm unseen. Source: https://core.telegram.org/bots/api#update
		r.offset, r.confirmed = 0, 0
	}
	return rest, nil
}

// inOrder sorts a batch by its ids, if something between Telegram and here has mixed it up: the offset confirms all that is
// below it. What has no id is of no use, and stays where it is.
func inOrder(batch []json.RawMessage) []json.RawMessage {
	type numbered struct {
		id  int64
		raw json.RawMessage
	}
	list, last, mixed := make([]numbered, 0, len(batch)), int64(0), false
	for _, raw := range batch {
		var u struct {
			ID int64 `json:"update_id"`
		}
		if json.Unmarshal(raw, &u) != nil || u.ID <= 0 {
			u.ID = last
		}
		mixed = mixed || u.ID < last
		last = u.ID
		list = append(list, numbered{u.ID, raw})
	}
	if !mixed {
		return batch
	}
	slices.SortStableFunc(list, func(a, b numbered) int { return cmp.Compare(a.id, b.id) })
	sorted := make([]json.RawMessage, 0, len(list))
	for _, n := range list {
		sorted = append(sorted, n.raw)
	}
	return sorted
}

func (r *poller) poll(ctx context.Context, hold time.Duration, limit int) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, hold+pollSlack)
	defer cancel()
	params := struct {
		Offset  int64    `json:"offset,omitempty"`
		Limit   int      `json:"limit"`
		Timeout int      `json:"timeout"`
		Allowed []string `json:"allowed_updates"`
	}{r.offset, limit, int(hold.Seconds()), wanted}
	var updates []json.RawMessage
	err := r.p.call(ctx, "getUpdates", params, &updates)
	return updates, err
}

// failed tells the host what went wrong, and returns how long to wait, or why there is no use in going on.
func (r *poller) failed(ctx context.Context, op string, err error) (time.Duration, *core.Error) {
	if ctx.Err() != nil {
		return 0, nil
	}
	if fatal := r.p.refusedToken(op, err); fatal != nil {
		return 0, fatal
	}
	if api, ok := errors.AsType[*apiError](err); ok {
		switch api.Code {
		case http.StatusNotFound:
			r.known = false // getMe tells whether it is the token
		case http.StatusConflict:
			return r.conflict(ctx, api), nil
		}
	}
	r.hold = 0 // so that the next poll tells at once whether polling works again
	err = r.p.fail(op, err, false)
	r.host.State(false, err)
	return max(core.RetryAfterOf(err), r.wait.NextBackOff()), nil
}

// conflict deals with 409: a webhook is set, or another process polls with the same token. It returns how long to wait.
func (r *poller) conflict(ctx context.Context, cause *apiError) time.Duration {
	one, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	info, err := r.p.webhookInfo(one)
	hook := info.URL
	switch {
	case ctx.Err() != nil:
		return 0 // being stopped is no failure of the connection
	case err != nil:
		r.host.State(false, r.p.fail("getWebhookInfo", err, false))
	case hook == "":
		// One that is not held would succeed, since it throws the other one out, and say that all is well.
		r.hold = min(r.p.times.hold, r.p.times.conflict)
		r.host.State(false, r.p.fail("getUpdates", fmt.Errorf(
			"another program polls with this token: stop it, or make a new token with @BotFather (/revoke) (%w)", cause), false))
	default:
		r.log.Warn("a webhook is set: taking it away, since this bot polls", slog.String("host", hostOf(hook)))
		// What waits is kept: the library's default would be the same, but it is too important to leave to one.
		err := r.p.call(one, "deleteWebhook", map[string]bool{"drop_pending_updates": false}, nil)
		again := time.Since(r.unhooked) < time.Minute
		r.unhooked = time.Now()
		switch {
		case ctx.Err() != nil:
			return 0
		case err != nil:
			r.host.State(false, r.p.fail("deleteWebhook", err, false))
		case again:
			r.host.State(false, r.p.fail("getUpdates", fmt.Errorf(
				"another program sets a webhook with this token again and again: stop it, or make a new token with @BotFather (/revoke) (%w)", cause), false))
		default:
			return 0
		}
	}
	return r.p.times.conflict
}

// take hands one update on until the host has it. It returns false when ctx has ended before.
func (r *poller) take(ctx context.Context, raw json.RawMessage) bool {
	id, todo := r.tasks(raw)
	for _, do := range todo {
		if !r.carryOut(ctx, do) {
			return false
		}
	}
	r.offset = max(r.offset, id+1)
	return true
}

// carryOut tries until the host has taken it. What comes after it waits: the offset confirms all that is below it.
func (r *poller) carryOut(ctx context.Context, do task) bool {
	defer r.wait.Reset()
	for refused := false; ; refused = true {
		err := do(ctx)
		switch {
		case err == nil:
			if refused {
				r.host.State(true, nil)
			}
			return true
		case ctx.Err() != nil:
			return false
		}
		r.host.State(false, notStored("getUpdates", err))
		if pause(ctx, r.wait.NextBackOff()) != nil {
			return false
		}
	}
}

// confirm tells Telegram what was taken last, so that it does not come again after a restart.
func (r *poller) confirm(ctx context.Context) {
	if r.offset == r.confirmed {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmTimeout)
	defer cancel()
	if _, err := r.poll(ctx, 0, 1); err != nil {
		r.log.Debug("last updates not confirmed; they come again", slog.Any("err", r.p.mask(err)))
	}
}
