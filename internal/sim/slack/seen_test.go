package slack_test

import (
	"slices"
	"sync"
	"testing"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

// record is an observer that keeps what it is told.
type record struct {
	mu  sync.Mutex
	all []string
}

func (r *record) observe(s sim.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := string(s.Kind) + " " + s.Text
	if s.Kind != sim.Limited && (s.Ref.Room != slack.General || s.Ref.ID == "" || s.At.IsZero()) {
		line += " at no place or time"
	}
	r.all = append(r.all, line)
}

func (r *record) want(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.all, want) {
		t.Errorf("observed %q, want %q", r.all, want)
	}
}

func TestObserver(t *testing.T) {
	var r record
	s := start(t, slack.Options{Observe: r.observe, Limits: slack.Limits{Tier2: slack.Rate{PerMinute: 1, Burst: 1}}})
	api, ctx := client(s), t.Context()
	say(t, s, sim.Say{Text: "people are not observed"})
	_, ts, err := api.PostMessageContext(ctx, slack.General, slackgo.MsgOptionText("*one*", false))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := api.UpdateMessageContext(ctx, slack.General, ts, slackgo.MsgOptionText("f", false),
		slackgo.MsgOptionBlocks(slackgo.NewMarkdownBlock("", "**two**"))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := api.DeleteMessageContext(ctx, slack.General, ts); err != nil {
		t.Fatal(err)
	}
	_, grows := stream(t, s, slackgo.MsgOptionMarkdownText("a"))
	if _, _, err := api.AppendStreamContext(ctx, slack.General, grows, slackgo.MsgOptionMarkdownText("b")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := api.StartStreamContext(ctx, slack.General); err == nil {
		t.Error("a second stream within the minute was let through")
	}
	r.want(t, "posted *one*", "edited **two**", "deleted ", "posted a", "appended ab", "limited ")
	if l := s.Limits(); l.Tier2.PerMinute != 1 || l.Tier3 != slack.DefaultLimits().Tier3 {
		t.Errorf("limits = %+v", l)
	}
}
