package metrics_test

import (
	"context"
	"errors"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/metrics"
)

var (
	outcomes = []core.TurnOutcome{core.TurnAnswered, core.TurnStopped, core.TurnFailed, core.TurnUnshown, core.TurnLeft, core.TurnRepeated}
	calls    = []core.CallKind{
		core.CallPost, core.CallEdit, core.CallDelete, core.CallDraft, core.CallStream, core.CallAppend, core.CallStop, core.CallTyping, core.CallThread,
		core.CallUpload, core.CallAnswer,
	}
	classes = []core.Class{
		"", core.Transient, core.RateLimited, core.Auth, core.Denied, core.MessageGone, core.ThreadGone, core.RoomGone, core.StreamOver, core.BadMarkup,
		core.TooLong, core.TooLarge, core.NotFound, core.Unsupported, core.Invalid,
	}
	kinds = []core.NoticeKind{
		core.NoticeSetup, core.NoticeRetry, core.NoticeBusy, core.NoticeError, core.NoticeErrorRetry, core.NoticeTooLong, core.NoticeQuota,
		core.NoticeStopped, core.NoticeEndedEarly, core.NoticeTimeout, core.NoticeNoAnswer, core.NoticePaused, core.NoticeCut, core.NoticeFile,
		core.NoticeQueueFull, core.NoticeTooMany, core.NoticeDenied,
	}
)

// used is a Metrics of a bridge on which everything has happened once.
func used(t testing.TB) *metrics.Metrics {
	t.Helper()
	m := metrics.New("1.2.3")
	const bot, app = "acme", "support"
	m.Expect(bot, []string{app})
	for _, o := range []core.MessageOutcome{
		core.MessageAccepted, core.MessageDuplicate, core.MessageDenied, core.MessageOverLimit, core.MessageQueueFull, core.MessageUnstored,
	} {
		m.Messaged(bot, o, true)
	}
	for _, o := range outcomes {
		for _, reason := range kinds {
			turn := m.TurnBegan(core.TurnStart{ID: "1", Bot: bot, Platform: "slack", App: app, Accepted: time.Now().Add(-time.Second)})
			turn.Uploaded(10, time.Second, "")
			turn.Uploaded(-1, time.Second, core.Transient)
			turn.Asked()
			turn.Requested(core.AppRequest{Endpoint: "POST /v1/chat-messages", Status: 200})
			turn.Answering()
			turn.Called(core.PlatformCall{Kind: core.CallPost})
			turn.FirstText()
			turn.Answered()
			turn.Ended(core.TurnEnd{Outcome: o, Reason: reason})
		}
	}
	for _, call := range calls {
		for _, class := range classes {
			m.Called(bot, core.PlatformCall{Kind: call, Class: class, Took: time.Millisecond})
		}
	}
	m.Paced(bot, core.ShowPost, true, 0)
	m.Paced(bot, core.ShowEdit, false, time.Second)
	m.Shown(bot, time.Second)
	m.Connection(bot, true)
	m.Connection(bot, false)
	for _, kind := range kinds {
		m.Noticed(bot, kind)
	}
	for _, r := range []core.Rating{core.RatingLike, core.RatingDislike, core.RatingNone} {
		for _, o := range []core.RatingOutcome{core.RatingSent, core.RatingAgain, core.RatingDropped} {
			m.Rated(app, r, o)
		}
	}
	m.RatingsWaiting(3)
	for _, call := range []core.AppCall{core.AppAsk, core.AppHistory, core.AppUpload, core.AppRate} {
		m.Retried(app, call)
	}
	m.Requested(app, clickai.RequestInfo{Method: "POST", Endpoint: "/v1/chat-messages", Status: 200, Began: time.Now(), Took: time.Second})
	m.Requested(app, clickai.RequestInfo{Method: "POST", Endpoint: "/v1/chat-messages", Status: 429, Kind: clickai.KindStatus, Code: "too_many_requests", Began: time.Now()})
	m.Requested(app, clickai.RequestInfo{Method: "POST", Endpoint: "/v1/chat-messages", Kind: clickai.KindBroken, Code: "canceled"})
	m.Committed(time.Millisecond, 3, nil)
	m.Committed(time.Millisecond, 3, errors.New("disk is full"))
	m.Watch(metrics.Live{
		Bots:      func() []core.BotStatus { return []core.BotStatus{{Name: bot, Platform: "slack", Connected: true}} },
		Load:      func() (int, int) { return 2, 1 },
		Healthy:   func() error { return nil },
		Depth:     func(context.Context) (int, time.Time, error) { return 4, time.Now().Add(-time.Minute), nil },
		StorePath: "doc.go",
		Plans: func() map[string]metrics.Plan {
			return map[string]metrics.Plan{app: {PerMinute: 100, PerDay: 1000, LeftMinute: 90, LeftDay: 900}, "unlimited": {LeftMinute: -1, LeftDay: -1}}
		},
	})
	return m
}

func gather(t testing.TB, m *metrics.Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	all, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*dto.MetricFamily{}
	for _, f := range all {
		found[f.GetName()] = f
	}
	return found
}
