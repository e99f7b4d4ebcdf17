package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/clickai/bridge/core"
)

var (
	errRenew = errors.New("socket renewed so that both do not end at once")
	errEnded = errors.New("the socket was given up")
	errSlow  = errors.New("slack-go would wait too long before it tries again")
)

// connections keeps one socket open. It returns nil when ctx ends, and an error when Slack refuses for good.
func (r *runner) connections(ctx context.Context, n int) *core.Error {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = r.p.times.backoff, r.p.times.maxBackoff
	for {
		began := time.Now()
		err := r.session(ctx, n)
		if ctx.Err() != nil {
			r.disconnected(n, nil)
			return nil
		}
		if errors.Is(err, errRenew) {
			r.disconnected(n, nil)
			continue
		}
		e := connectError(err)
		r.disconnected(n, e)
		if e.Class == core.Auth || e.Class == core.Denied {
			return e
		}
		if time.Since(began) > time.Minute {
			b.Reset()
		}
		pause := max(b.NextBackOff(), e.RetryAfter)
		r.log.Info("socket ended", slog.Int("socket", n), slog.Int64("retry_after_ms", pause.Milliseconds()), logErr(e))
		if sleep(ctx, pause) != nil {
			return nil
		}
	}
}

// connectError is what can be done about a failure to open a socket. slack-go itself gives up on few errors, and tries
// again for ever on those that only a person can mend, such as missing_scope.
func connectError(err error) *core.Error {
	const op = "slack.Connect"
	if e, ok := errors.AsType[*core.Error](err); ok {
		return e
	}
	e := &core.Error{Op: op, Class: core.Transient, Err: err}
	if answered, ok := errors.AsType[slackgo.SlackErrorResponse](err); ok {
		fail := &apiError{Code: answered.Err, Needed: answered.Needed, Provided: answered.Provided, Messages: answered.ResponseMetadata.Messages}
		e.Class, e.Err = fail.class(), fail
		return e
	}
	if limited, ok := errors.AsType[*slackgo.RateLimitedError](err); ok {
		e.Class, e.RetryAfter = core.RateLimited, limited.RetryAfter
		return e
	}
	if status, ok := errors.AsType[slackgo.StatusCodeError](err); ok && status.Code == http.StatusNotFound {
		// slack-go takes this for a refused token. It is a wrong api_url, or a proxy that is not ready.
		e.Err = fmt.Errorf("apps.connections.open: HTTP 404: check api_url: %w", errNotOwn)
	}
	return e
}

// session is one client of slack-go, which opens its socket anew whenever Slack ends it. It returns when ctx ends, when
// slack-go gives up, or when handle says so; then slack-go has been waited for.
func (r *runner) session(ctx context.Context, n int) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	// Half of what a silent socket is given: networks that end idle connections do so earlier, and Slack sends again then.
	dialer := watch(r.p.dialer, r.p.times.ping/2, func(since time.Time) {
		if inner.Err() == nil { // else it is the bot that ends it
			r.silent(n, since)
		}
	})
	client := socketmode.New(r.p.api, socketmode.OptionDialer(dialer), socketmode.OptionReadLimit(maxFrame),
		socketmode.OptionPingInterval(r.p.times.ping))
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(inner) }()
	var why error
	renew := time.NewTimer(time.Hour)
	renew.Stop()
	defer renew.Stop()
	for {
		select {
		case ev := <-client.Events:
			if why != nil {
				continue // what is not acknowledged comes again
			}
			if ev.Type == socketmode.EventTypeHello && ev.Request != nil {
				if after := r.hello(n, ev.Request); after > 0 {
					renew.Reset(after)
				}
				continue
			}
			if why = r.handle(inner, n, client, ev); why != nil {
				cancel()
			}
		case <-renew.C:
			why = errRenew
			cancel()
		case err := <-ended:
			if why != nil {
				return why
			}
			return err //nolint:wrapcheck // connectError looks into it
		}
	}
}

// hello notes the new connection. after is when it is to be renewed, 0 for never: sockets of one age would end together,
// and leave a gap after all, so the later one is cut half-way through the time that Slack tells.
func (r *runner) hello(n int, req *socketmode.Request) (after time.Duration) {
	r.connected(n)
	life := time.Duration(min(max(req.DebugInfo.ApproximateConnectionTime, 0), 1<<20)) * time.Second
	switch {
	case life == 0 || !r.younger(n, life):
		return 0
	case r.p.times.spread > 0:
		return r.p.times.spread
	}
	return life / 2
}

// handle takes one event of slack-go's. An error ends the session, whose context is ctx.
func (r *runner) handle(ctx context.Context, n int, client *socketmode.Client, ev socketmode.Event) error {
	switch ev.Type {
	case socketmode.EventTypeConnecting:
		r.disconnected(n, nil)
	case socketmode.EventTypeConnectionError:
		failed, ok := ev.Data.(*slackgo.ConnectionErrorEvent)
		if !ok {
			return nil
		}
		e := connectError(failed.ErrorObj)
		r.log.Info("socket not opened", slog.Int("socket", n), slog.Int64("retry_after_ms", failed.Backoff.Milliseconds()), logErr(e))
		r.disconnected(n, e)
		switch {
		case e.Class == core.Auth || e.Class == core.Denied:
			return e
		case e.Class != core.RateLimited && failed.Backoff > r.p.times.maxBackoff:
			return fmt.Errorf("%w: %w", errSlow, e)
		}
	case socketmode.EventTypeErrorBadMessage:
		// slack-go refuses whole events for one type in them that it does not know, and nothing acknowledges those.
		bad, ok := ev.Data.(*socketmode.ErrorBadMessage)
		if !ok {
			return nil
		}
		var req socketmode.Request
		if err := lenient(bad.Message, &req); err != nil {
			r.log.Warn("frame cannot be read", logErr(err))
			return nil
		}
		r.route(ctx, envelope{client, ctx.Done(), &req, r.log})
	case socketmode.EventTypeEventsAPI, socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive:
		if ev.Request != nil {
			r.route(ctx, envelope{client, ctx.Done(), ev.Request, r.log})
		}
	case socketmode.EventTypeErrorWriteFailed:
		r.log.Info("acknowledgement not sent, Slack will send the event again", slog.Int("socket", n))
	default: // other steps of connecting, which say nothing new
	}
	return nil
}

// envelope is what came over a socket and is to be acknowledged there.
type envelope struct {
	client *socketmode.Client
	ended  <-chan struct{} // closed when client is given up
	req    *socketmode.Request
	log    *slog.Logger
}

// done acknowledges an event that is durable. One that is not is left to Slack, which sends it again: at once, after a
// minute and after five.
func (e envelope) done(ctx context.Context, err error) {
	if err != nil {
		return
	}
	if err := e.ack(ctx); err != nil && ctx.Err() == nil {
		e.log.Info("acknowledgement not sent, Slack will send the event again", logErr(err))
	}
}

// ack acknowledges. Without a context it would block for ever on a client that is not connected. That it goes well does
// not mean that Slack has it: an acknowledgement that is lost brings the event again, and its key is known.
func (e envelope) ack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	select {
	case <-e.ended:
		return errEnded
	default:
	}
	return e.client.AckCtx(ctx, e.req.EnvelopeID, nil) //nolint:wrapcheck // it is logged only
}

// route sends an envelope on its way. slack-go's own handler would start a goroutine for each, in no order. When a lane is
// full the socket is not read on until there is room.
func (r *runner) route(ctx context.Context, e envelope) {
	kind := payloadKind(e.req.Type)
	if e.req.EnvelopeID == "" || kind != ofEvents && kind != ofCommand && kind != ofInteraction {
		return
	}
	select {
	case r.lanes[r.laneOf(kind, e.req.Payload)] <- delivery{kind, e.req.Payload, e.done}:
	case <-ctx.Done():
	}
}

// delivery is an event on its way to the host. done is told what became of it, once: nil, if it is durable.
type delivery struct {
	kind    payloadKind
	payload json.RawMessage
	done    func(ctx context.Context, err error)
}

// laneOf picks the lane of the room that an event is about.
func (r *runner) laneOf(kind payloadKind, payload json.RawMessage) int {
	if kind != ofEvents {
		var i struct {
			interaction
			ChannelID string `json:"channel_id"` // of a command
		}
		if lenient(payload, &i) != nil {
			return 0
		}
		room := i.ChannelID
		if room == "" {
			room = i.room()
		}
		return r.lane([]byte(`"` + room + `"`))
	}
	var c struct {
		Event struct {
			Channel json.RawMessage `json:"channel"` // an object in events about the channel itself
			Item    struct {
				Channel json.RawMessage `json:"channel"`
			} `json:"item"`
		} `json:"event"`
	}
	if lenient(payload, &c) != nil {
		return 0
	}
	room := c.Event.Channel
	if len(room) == 0 {
		room = c.Event.Item.Channel
	}
	return r.lane(room)
}

func (r *runner) lane(room []byte) int { return int(maphash.Bytes(r.seed, room) % lanes) }

// work takes the events of one lane until ctx ends, and tells of each when it is durable. Retries are taken like all
// others: what Slack raised while no socket was open comes as a retry only. What is left in a lane comes again.
func (r *runner) work(ctx context.Context, lane <-chan delivery) {
	for {
		select {
		case d := <-lane:
			if ev, ok := r.decode(ctx, &d); ok {
				r.hold(ctx, &ev, d.done)
			} else {
				d.done(ctx, nil)
			}
		case <-ctx.Done():
			return
		}
	}
}

// decode reads a payload; ok is false for what needs no more than to be acknowledged.
func (r *runner) decode(ctx context.Context, d *delivery) (ev core.Event, ok bool) {
	var panicked error
	defer r.passOver(&panicked)
	switch d.kind {
	case ofCommand:
		return r.decoder.command(ctx, d.payload)
	case ofInteraction:
		return r.decoder.interact(ctx, d.payload)
	case ofEvents:
	}
	var c callback
	if err := lenient(d.payload, &c); err != nil {
		r.log.Warn("event cannot be read", logErr(err))
		return core.Event{}, false
	}
	switch c.Type {
	case "event_callback":
		return r.decoder.event(ctx, &c)
	case "app_rate_limited":
		r.log.Warn("Slack held events back: more than 30,000 an hour")
		r.positions.missed(time.Now().Add(-time.Minute))
		r.catchup.after(time.Minute)
	}
	return core.Event{}, false
}
