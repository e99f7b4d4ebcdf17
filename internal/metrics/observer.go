package metrics

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

var (
	_ core.Observer     = (*Metrics)(nil)
	_ core.TurnObserver = (*turn)(nil)
)

// Expect makes the series of a bot at zero, so that the first failure is seen as a change. apps are those that it may ask.
func (m *Metrics) Expect(bot string, apps []string) {
	for _, o := range []core.MessageOutcome{
		core.MessageAccepted, core.MessageDuplicate, core.MessageDenied, core.MessageOverLimit, core.MessageQueueFull, core.MessageUnstored,
	} {
		m.messages.WithLabelValues(bot, string(o))
	}
	for _, app := range apps {
		for _, o := range []core.TurnOutcome{
			core.TurnAnswered, core.TurnStopped, core.TurnFailed, core.TurnUnshown, core.TurnLeft, core.TurnRepeated,
		} {
			m.turns.WithLabelValues(bot, app, string(o))
		}
		m.failures.WithLabelValues(bot, app, string(core.NoticeSetup))
		m.failures.WithLabelValues(bot, app, string(core.NoticeQuota))
	}
	m.caughtUp.WithLabelValues(bot)
	m.connects.WithLabelValues(bot)
	m.disconnects.WithLabelValues(bot)
	for _, call := range []core.CallKind{core.CallPost, core.CallEdit} {
		for _, result := range []string{resultOK, string(core.RateLimited), string(core.Transient)} {
			m.calls.WithLabelValues(bot, string(call), result)
		}
	}
}

// Messaged is core.Observer.
func (m *Metrics) Messaged(bot string, o core.MessageOutcome, late bool) {
	m.messages.WithLabelValues(bot, string(o)).Inc()
	if late && o == core.MessageAccepted {
		m.caughtUp.WithLabelValues(bot).Inc()
	}
}

const resultOK = "ok"

// Called is core.Observer.
func (m *Metrics) Called(bot string, c core.PlatformCall) {
	result := resultOK
	if c.Class != "" {
		result = string(c.Class)
	}
	m.calls.WithLabelValues(bot, string(c.Kind), result).Inc()
	m.callDuration.WithLabelValues(bot, string(c.Kind)).Observe(c.Took.Seconds())
}

// Paced is core.Observer.
func (m *Metrics) Paced(bot string, _ core.ShowKind, urgent bool, waited time.Duration) {
	priority := "refresh"
	if urgent {
		priority = "urgent"
	}
	m.paced.WithLabelValues(bot, priority).Observe(waited.Seconds())
}

// Shown is core.Observer.
func (m *Metrics) Shown(bot string, age time.Duration) {
	m.textAge.WithLabelValues(bot).Observe(age.Seconds())
}

// Connection is core.Observer.
func (m *Metrics) Connection(bot string, connected bool) {
	if connected {
		m.connects.WithLabelValues(bot).Inc()
	} else {
		m.disconnects.WithLabelValues(bot).Inc()
	}
}

// Noticed is core.Observer.
func (m *Metrics) Noticed(bot string, kind core.NoticeKind) {
	m.notices.WithLabelValues(bot, string(kind)).Inc()
}

// Rated is core.Observer.
func (m *Metrics) Rated(app string, r core.Rating, o core.RatingOutcome) {
	rating := string(r)
	if r == core.RatingNone {
		rating = "none"
	}
	m.ratings.WithLabelValues(app, rating, string(o)).Inc()
	if o == core.RatingAgain {
		m.retries.WithLabelValues(app, string(core.AppRate)).Inc()
	}
}

// RatingsWaiting is core.Observer.
func (m *Metrics) RatingsWaiting(n int) { m.ratingsWaiting.Set(float64(n)) }

// Retried is core.Observer.
func (m *Metrics) Retried(app string, call core.AppCall) {
	m.retries.WithLabelValues(app, string(call)).Inc()
}

// TurnBegan is core.Observer.
func (m *Metrics) TurnBegan(t core.TurnStart) core.TurnObserver {
	return &turn{m: m, bot: t.Bot, app: t.App, resumed: t.Resumed, accepted: t.Accepted}
}

// turn times one turn.
type turn struct {
	core.NopTurn
	m        *Metrics
	bot, app string
	resumed  bool // its times say more about the pause between two processes
	accepted time.Time
	asked    atomic.Int64 // Unix nanoseconds; 0: not yet
}

func (t *turn) Uploaded(bytes int64, took time.Duration, class core.Class) {
	outcome := "sent"
	if class != "" {
		outcome = "failed"
	} else if bytes > 0 {
		t.m.uploadBytes.WithLabelValues(t.app).Add(float64(bytes))
	}
	t.m.uploads.WithLabelValues(t.app, outcome).Inc()
	t.m.uploadDuration.WithLabelValues(t.app).Observe(took.Seconds())
}

func (t *turn) Asked() {
	t.asked.Store(time.Now().UnixNano())
	if !t.resumed {
		t.m.askDelay.WithLabelValues(t.bot).Observe(since(t.accepted))
	}
}

func (t *turn) Answering() {
	if at := t.asked.Load(); at != 0 {
		t.m.appFirst.WithLabelValues(t.app).Observe(since(time.Unix(0, at)))
	}
}

func (t *turn) FirstText() {
	if !t.resumed {
		t.m.first.WithLabelValues(t.bot).Observe(since(t.accepted))
	}
}

func (t *turn) Ended(e core.TurnEnd) {
	t.m.turns.WithLabelValues(t.bot, t.app, string(e.Outcome)).Inc()
	if e.Reason != "" {
		t.m.failures.WithLabelValues(t.bot, t.app, string(e.Reason)).Inc()
	}
	if !t.resumed && e.Outcome != core.TurnLeft && e.Outcome != core.TurnRepeated {
		t.m.duration.WithLabelValues(t.bot).Observe(since(t.accepted))
	}
}

// since is not below 0: the clock may have been put back.
func since(at time.Time) float64 { return max(time.Since(at), 0).Seconds() }

// Requested tells of a request to ClickAI for an app.
func (m *Metrics) Requested(app string, r clickai.RequestInfo) {
	if !r.Late {
		m.requests.WithLabelValues(app, r.Method, r.Endpoint, strconv.Itoa(r.Status)).Inc()
		if !r.Began.IsZero() {
			m.requestDuration.WithLabelValues(app, r.Method, r.Endpoint).Observe(r.Took.Seconds())
		}
	}
	if r.Kind == 0 {
		return
	}
	code := r.Code
	if code == "" {
		code = r.Kind.String()
	}
	m.clickaiErrors.WithLabelValues(app, m.codes.bound(code)).Inc()
}

// Committed tells of a commit of the store.
func (m *Metrics) Committed(took time.Duration, operations int, err error) {
	m.commits.Observe(took.Seconds())
	m.commitSize.Observe(float64(operations))
	if err != nil {
		m.commitFailure.Inc()
	}
}

// ClickAI returns what [clickai.Config].Observe is to call for an app: it counts the request, and tells the turn that it is for.
func (m *Metrics) ClickAI(app string) func(ctx context.Context, r clickai.RequestInfo) {
	return func(ctx context.Context, r clickai.RequestInfo) {
		m.Requested(app, r)
		core.TellRequest(ctx, core.AppRequest{Endpoint: r.Method + " " + r.Endpoint, Status: r.Status, Code: m.codes.bound(r.Code), Began: r.Began, Took: r.Took})
	}
}
