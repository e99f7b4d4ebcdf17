package clickai_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/clickai"
)

// told collects what Config.Observe is told.
type told struct {
	mu  sync.Mutex
	all []clickai.RequestInfo
}

func (o *told) set(cfg *clickai.Config) {
	cfg.Observe = func(_ context.Context, r clickai.RequestInfo) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.all = append(o.all, r)
	}
}

// take returns what was told since the last time.
func (o *told) take() []clickai.RequestInfo {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.all
	o.all = nil
	return all
}

func TestObserve(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/feedbacks"):
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(http.StatusNotFound)
			_, _ = rw.Write([]byte(`{"code":"not_found","message":"no such message","status":404}`))
		case strings.HasSuffix(r.URL.Path, "/info"):
			rw.Header().Set("Content-Type", "application/json")
			_, _ = rw.Write([]byte(`{"code":"unauthorized","message":"wrong key"}`))
		case strings.HasSuffix(r.URL.Path, "/parameters"):
			_, _ = rw.Write([]byte(`{}`))
		case strings.HasSuffix(r.URL.Path, "/chat-messages"):
			rw.Header().Set("Content-Type", "text/event-stream")
			_, _ = rw.Write([]byte("data: {\"event\":\"message\",\"answer\":\"a\"}\n\ndata: {\"event\":\"error\",\"status\":400,\"code\":\"invalid_param\",\"message\":\"no\"}\n\n"))
		}
	})
	var o told
	c := newClient(t, srv.URL+"/v1", o.set)
	want := func(got []clickai.RequestInfo, want ...clickai.RequestInfo) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("told %+v, want %d", got, len(want))
		}
		for i, g := range got {
			if g.Began.IsZero() || !g.Late && g.Took <= 0 {
				t.Errorf("no time: %+v", g)
			}
			g.Began, g.Took = time.Time{}, 0
			if g != want[i] {
				t.Errorf("told %+v, want %+v", g, want[i])
			}
		}
	}
	if _, err := c.Parameters(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(o.take(), clickai.RequestInfo{Method: "GET", Endpoint: "/v1/parameters", Status: 200})
	_ = c.Feedback(t.Context(), clickai.FeedbackRequest{MessageID: "messages", User: "u", Rating: clickai.RatingLike})
	_ = c.Feedback(t.Context(), clickai.FeedbackRequest{MessageID: "0b1c/2", User: "u", Rating: clickai.RatingLike})
	got := o.take()
	want(got[1:], clickai.RequestInfo{Method: "POST", Endpoint: "/v1/messages/{id}/feedbacks", Status: 404, Kind: clickai.KindStatus, Code: "not_found"})
	if _, err := c.Info(t.Context()); err == nil {
		t.Error("an error under status 200 is none")
	}
	want(o.take(),
		clickai.RequestInfo{Method: "GET", Endpoint: "/v1/info", Status: 200},
		clickai.RequestInfo{Method: "GET", Endpoint: "/v1/info", Status: 401, Kind: clickai.KindStatus, Code: "unauthorized", Late: true})
	stream, err := c.ChatStream(t.Context(), clickai.ChatRequest{Query: "q", User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range stream.Events() {
		if err != nil {
			t.Error(err)
		}
	}
	want(o.take(),
		clickai.RequestInfo{Method: "POST", Endpoint: "/v1/chat-messages", Status: 200},
		clickai.RequestInfo{Method: "POST", Endpoint: "/v1/chat-messages", Status: 400, Kind: clickai.KindStatus, Code: "invalid_param", Late: true})
	srv.Close()
	c = newClient(t, srv.URL, o.set) // without a connection that was kept
	_, _ = c.Parameters(t.Context())
	want(o.take(), clickai.RequestInfo{Method: "GET", Endpoint: "/v1/parameters", Kind: clickai.KindUnsent})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = c.Parameters(ctx)
	if got := o.take(); len(got) != 1 || got[0].Code != "canceled" || !got[0].Began.IsZero() {
		t.Errorf("told %+v, want one that was canceled before it began", got)
	}
}

func TestRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var none *clickai.Limiter
		if minute, day := none.Room(); minute != -1 || day != -1 {
			t.Errorf("no limiter has room for %d and %d", minute, day)
		}
		l := clickai.NewLimiter(clickai.Plan{PerMinute: 3, PerDay: 5})
		want := func(minute, day int) {
			t.Helper()
			if m, d := l.Room(); m != minute || d != day {
				t.Errorf("room for %d in the minute and %d in the day, want %d and %d", m, d, minute, day)
			}
		}
		want(3, 5)
		for range 2 {
			if err := l.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want(1, 3)
		<-time.After(62 * time.Second)
		want(3, 3)
		<-time.After(25 * time.Hour)
		want(3, 5)
		l.SetPlan(clickai.Plan{PerMinute: 10})
		want(10, -1)
		if p := l.Plan(); p.PerMinute != 10 {
			t.Errorf("plan %+v", p)
		}
	})
}
