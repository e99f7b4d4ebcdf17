package crashtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// Trouble is something that the network, or the service behind it, did to the bridge.
type Trouble struct {
	Service string // "clickai", "slack", "discord" or "telegram"
	What    string
	From    time.Time
	Until   time.Time

	loses bool // requests may have taken effect without the bridge's knowing
	mixes bool // what arrives may arrive in another order
}

// String is the trouble in words.
func (t Trouble) String() string {
	return fmt.Sprintf("%s: %s for %v", t.Service, t.What, t.Until.Sub(t.From).Round(time.Millisecond))
}

// kind is a kind of trouble.
type kind struct {
	what  string
	loses bool
	mixes bool
	// late is what the bridge finds out only when it has heard nothing for long.
	late bool
	// happen returns when it is over.
	happen func(ctx context.Context, r *rand.Rand) error
}

const (
	// outage is the longest time for which connections are refused. The fewest tries are three within some two seconds, for
	// files; a longer outage is told to the people.
	outage = 1200 * time.Millisecond
	// burst is the most requests in a row that fail, for the same reason.
	burst = 2
)

// kinds are all kinds of trouble that a service can have.
func (s *scene) kinds(service string) []kind {
	all := s.wireKinds(service)
	all = append(all, s.answerKinds(service)...)
	switch service {
	case "slack":
		all = append(all, s.slackKinds()...)
	case "discord":
		all = append(all, s.discordKinds()...)
	case "telegram":
		all = append(all, s.telegramKinds()...)
	}
	return all
}

// within draws a time.
func within(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}

// wireKinds are what connections do.
func (s *scene) wireKinds(service string) []kind {
	l := s.links[service]
	open := func(ctx context.Context) error { return l.open(context.WithoutCancel(ctx)) }
	halfOpen := func(ctx context.Context, d time.Duration) error {
		l.stall()
		pause(ctx, d)
		l.cut() // what was forgotten on the way is refused in the end
		return nil
	}
	return []kind{
		{what: "connections cut", loses: true, happen: func(context.Context, *rand.Rand) error {
			l.cut()
			return nil
		}},
		{what: "new connections refused", happen: func(ctx context.Context, r *rand.Rand) error {
			l.refuse()
			pause(ctx, within(r, outage/4, outage))
			return open(ctx)
		}},
		{what: "gone: connections cut and refused", loses: true, happen: func(ctx context.Context, r *rand.Rand) error {
			l.refuse()
			l.cut()
			pause(ctx, within(r, outage/4, outage))
			return open(ctx)
		}},
		{what: "slow", happen: func(ctx context.Context, r *rand.Rand) error {
			l.delay(within(r, 10*time.Millisecond, 150*time.Millisecond))
			defer l.delay(0)
			pause(ctx, within(r, time.Second, 3*time.Second))
			return nil
		}},
		{what: "connections half-open", loses: true, happen: func(ctx context.Context, r *rand.Rand) error {
			return halfOpen(ctx, within(r, time.Second, 3*time.Second))
		}},
		{what: "connections half-open for long", loses: true, late: true, happen: func(ctx context.Context, r *rand.Rand) error {
			return halfOpen(ctx, within(r, 20*time.Second, 90*time.Second))
		}},
	}
}

// calls are what the rules of misbehaviour are about: parts of "METHOD /path".
var calls = map[string][]string{
	"clickai":  {"", "POST /v1/chat-messages", "POST /v1/files/upload", "/feedbacks", "GET /v1/messages", "GET /files/"},
	"slack":    {"", "/api/chat.", "/api/files.", "/upload/", "/api/conversations.", "/api/apps.connections.open", "/link/"},
	"discord":  {"", "POST /api/v9/channels/", "PATCH /api/v9/channels/", "/threads", "GET /api/v9/channels/", "GET /attachments/"},
	"telegram": {"", "/getUpdates", "/sendMessage", "/editMessageText", "/sendDocument", "GET /file/"},
}

// answerKinds are what requests get for an answer.
func (s *scene) answerKinds(service string) []kind {
	f := s.faultsOf(service)
	rule := func(draw func(match string, times int, r *rand.Rand) sim.Fault) func(context.Context, *rand.Rand) error {
		return func(ctx context.Context, r *rand.Rand) error {
			f.Add(draw(calls[service][r.IntN(len(calls[service]))], 1+r.IntN(burst), r))
			defer f.Clear()
			pause(ctx, within(r, time.Second, 2*time.Second))
			return nil
		}
	}
	return []kind{
		{what: "requests lost", loses: true, happen: rule(func(match string, times int, _ *rand.Rand) sim.Fault {
			return sim.Fault{Match: match, Times: times, Cut: true}
		})},
		{what: "answers lost", loses: true, happen: rule(func(match string, times int, _ *rand.Rand) sim.Fault {
			return sim.Fault{Match: match, Times: times, Cut: true, Handled: true}
		})},
		{what: "5xx", happen: rule(func(match string, times int, r *rand.Rand) sim.Fault {
			status := []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable}[r.IntN(3)]
			return sim.Fault{Match: match, Times: times, Status: status, Body: "<html>out of order</html>"}
		})},
		{what: "429", happen: rule(func(match string, times int, r *rand.Rand) sim.Fault {
			switch service {
			case "discord":
				return discord.RateLimited(match, time.Second, times, []string{"user", "shared", "global"}[r.IntN(3)])
			case "telegram":
				return telegram.TooManyRequests(match, 1, times)
			}
			return sim.TooManyRequests(match, time.Second, times)
		})},
	}
}

// during has something for a while as it should not be.
func during(set func(on bool)) func(context.Context, *rand.Rand) error {
	return func(ctx context.Context, r *rand.Rand) error {
		set(true)
		defer set(false)
		pause(ctx, within(r, time.Second, 3*time.Second))
		return nil
	}
}

func once(do func()) func(context.Context, *rand.Rand) error {
	return func(context.Context, *rand.Rand) error {
		do()
		return nil
	}
}

// slackKinds are what Slack's sockets do besides.
func (s *scene) slackKinds() []kind {
	p := s.set.Slack
	return []kind{
		{what: "sockets cut", loses: true, happen: once(p.CutSockets)},
		{what: "all sockets refreshed", happen: once(p.Refresh)},
		{what: "one socket refreshed", happen: once(p.RefreshOne)},
		{what: "deliveries doubled", happen: during(p.Double)},
		{what: "deliveries reversed", mixes: true, happen: func(ctx context.Context, r *rand.Rand) error {
			p.Reorder(2 + r.IntN(2)) // what never gets company is delivered again
			pause(ctx, within(r, time.Second, 3*time.Second))
			return nil
		}},
		{what: "messages delivered again", happen: func(_ context.Context, r *rand.Rand) error {
			var errs []error
			for _, q := range s.recent("slack", 1+r.IntN(5)) {
				errs = append(errs, p.Redeliver(q.ref))
			}
			return errors.Join(errs...)
		}},
		{what: "sockets half-open", loses: true, late: true, happen: once(p.StallSockets)},
	}
}

// discordKinds are what Discord's gateway does besides.
func (s *scene) discordKinds() []kind {
	const unknown, timedOut = 4000, 4009 // https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway
	p := s.set.Discord
	return []kind{
		{what: "gateway cut", happen: once(p.Cut)},
		{what: "gateway closed", happen: once(func() { p.CloseGateway(unknown, "unknown error") })},
		{what: "session timed out", happen: once(func() { p.CloseGateway(timedOut, "session timed out") })},
		{what: "told to reconnect", happen: once(p.Reconnect)},
		{what: "told to resume", happen: once(func() { p.InvalidateSessions(true) })},
		{what: "session invalid", happen: once(func() { p.InvalidateSessions(false) })},
		{what: "gateway half-open", late: true, happen: once(p.Silence)},
		{what: "gateway open and silent", late: true, happen: once(func() {
			p.StallConnects(1)
			p.Cut()
		})},
		{what: "events delivered again", happen: func(_ context.Context, r *rand.Rand) error {
			p.RedeliverEvents(1 + r.IntN(8))
			return nil
		}},
		{what: "events reversed", mixes: true, happen: func(ctx context.Context, r *rand.Rand) error {
			p.Reorder(2 + r.IntN(3))
			defer p.Reorder(0)
			pause(ctx, within(r, time.Second, 2*time.Second))
			return nil
		}},
	}
}

// telegramKinds are what the Bot API does besides.
func (s *scene) telegramKinds() []kind {
	p := s.set.Telegram
	return []kind{
		{what: "updates delivered again", happen: func(_ context.Context, r *rand.Rand) error {
			p.Redeliver(1 + r.IntN(8))
			return nil
		}},
		{what: "updates reversed", mixes: true, happen: during(p.MixUp)},
		{what: "polls answered at once", happen: during(p.InstantPolls)},
	}
}

// faultsOf is the script of misbehaviour of a service.
func (s *scene) faultsOf(service string) *sim.Faults {
	if service == "clickai" {
		return s.set.ClickAI.Faults()
	}
	return s.platformOf(service).Faults()
}

// recent are the last questions on a platform that were asked.
func (s *scene) recent(platform string, n int) []*question {
	var all []*question
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for i := len(s.w.questions) - 1; i >= 0 && len(all) < n; i-- {
		if q := s.w.questions[i]; q.platform() == platform && q.ref.ID != "" {
			all = append(all, q)
		}
	}
	return all
}
