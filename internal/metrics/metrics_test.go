package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/metrics"
)

// TestConventions wants no complaint of Prometheus' own linter about any name or help text.
func TestConventions(t *testing.T) {
	t.Parallel()
	families := gather(t, used(t))
	var all []*dto.MetricFamily
	for name, f := range families {
		if strings.HasPrefix(name, "bridge_") {
			all = append(all, f)
		}
	}
	if len(all) < 30 {
		t.Fatalf("%d metrics are there", len(all))
	}
	problems, err := promlint.NewWithMetricFamilies(all).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestDocuments compares docs/metrics.md with what is there: names, kinds and labels.
func TestDocuments(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	type doc struct {
		kind   string
		labels []string
	}
	documented := map[string]doc{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(bridge_\\w+)` \\| (\\w+) \\|([^|]*)\\| \\S").FindAllStringSubmatch(string(page), -1) {
		var labels []string
		for _, l := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[3], -1) {
			labels = append(labels, l[1])
		}
		slices.Sort(labels)
		documented[m[1]] = doc{m[2], labels}
	}
	families := gather(t, used(t))
	for name, f := range families {
		if !strings.HasPrefix(name, "bridge_") {
			continue
		}
		d, ok := documented[name]
		if !ok {
			t.Errorf("docs/metrics.md does not have %s", name)
			continue
		}
		if kind := strings.ToLower(f.GetType().String()); kind != d.kind {
			t.Errorf("%s is a %s, docs/metrics.md says %s", name, kind, d.kind)
		}
		if labels := labelsOf(f); !slices.Equal(labels, d.labels) {
			t.Errorf("%s has the labels %v, docs/metrics.md says %v", name, labels, d.labels)
		}
	}
	for name := range documented {
		if families[name] == nil {
			t.Errorf("docs/metrics.md has %s, which is not there", name)
		}
	}
}

// labelsOf are the names of a metric's labels.
func labelsOf(f *dto.MetricFamily) []string {
	var labels []string
	for _, l := range f.GetMetric()[0].GetLabel() {
		labels = append(labels, l.GetName())
	}
	slices.Sort(labels)
	return labels
}

// value is that of the one series with these labels, or the count of a histogram.
func value(t *testing.T, m *metrics.Metrics, name string, labels ...string) float64 {
	t.Helper()
	f := gather(t, m)[name]
	for _, s := range f.GetMetric() {
		var got []string
		for _, l := range s.GetLabel() {
			got = append(got, l.GetName()+"="+l.GetValue())
		}
		slices.Sort(got)
		slices.Sort(labels)
		if !slices.Equal(got, labels) {
			continue
		}
		switch f.GetType() {
		case dto.MetricType_HISTOGRAM:
			return float64(s.GetHistogram().GetSampleCount())
		case dto.MetricType_COUNTER:
			return s.GetCounter().GetValue()
		default:
			return s.GetGauge().GetValue()
		}
	}
	return -1
}

func TestTurns(t *testing.T) {
	t.Parallel()
	m := metrics.New("x")
	start := core.TurnStart{Bot: "b", App: "a", Accepted: time.Now()}
	one := m.TurnBegan(start)
	one.Asked()
	one.Answering()
	one.FirstText()
	one.Ended(core.TurnEnd{Outcome: core.TurnAnswered})
	start.Resumed = true
	two := m.TurnBegan(start)
	two.Asked()
	two.FirstText()
	two.Ended(core.TurnEnd{Outcome: core.TurnFailed, Reason: core.NoticeSetup})
	m.TurnBegan(core.TurnStart{Bot: "b", App: "a"}).Ended(core.TurnEnd{Outcome: core.TurnLeft})
	for _, tt := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"bridge_turns_total", []string{"bot=b", "app=a", "outcome=answered"}, 1},
		{"bridge_turns_total", []string{"bot=b", "app=a", "outcome=failed"}, 1},
		{"bridge_turns_total", []string{"bot=b", "app=a", "outcome=left"}, 1},
		{"bridge_turn_failures_total", []string{"bot=b", "app=a", "reason=setup"}, 1},
		{"bridge_turn_ask_delay_seconds", []string{"bot=b"}, 1},
		{"bridge_turn_first_text_seconds", []string{"bot=b"}, 1},
		{"bridge_turn_duration_seconds", []string{"bot=b"}, 1},
		{"bridge_app_first_text_seconds", []string{"app=a"}, 1},
	} {
		if got := value(t, m, tt.name, tt.labels...); got != tt.want {
			t.Errorf("%s%v = %v, want %v", tt.name, tt.labels, got, tt.want)
		}
	}
}

// TestCodesAreBounded sends more codes than there may be, and such as are none.
func TestCodesAreBounded(t *testing.T) {
	t.Parallel()
	m := metrics.New("x")
	for i := range 200 {
		m.Requested("a", clickai.RequestInfo{Kind: clickai.KindStatus, Code: fmt.Sprint("code_", i), Late: true})
	}
	for _, code := range []string{"Not A Code", "<html>", strings.Repeat("x", 100), "người"} {
		m.Requested("a", clickai.RequestInfo{Kind: clickai.KindStatus, Code: code, Late: true})
	}
	f := gather(t, m)["bridge_clickai_errors_total"]
	if n := len(f.GetMetric()); n > 61 {
		t.Errorf("%d series", n)
	}
	if got := value(t, m, "bridge_clickai_errors_total", "app=a", "code=other"); got != 144 {
		t.Errorf("%v errors are counted as other, want 144", got)
	}
}

// TestLive reads what cannot be read: one thing that fails does not hide the others.
func TestLive(t *testing.T) {
	t.Parallel()
	m := metrics.New("x")
	m.Watch(metrics.Live{
		Load:      func() (int, int) { return 3, 0 },
		Healthy:   func() error { return errors.New("disk is full") },
		Depth:     func(context.Context) (int, time.Time, error) { return 0, time.Time{}, errors.New("closed") },
		StorePath: "not/there",
	})
	srv := httptest.NewServer(m.Handler())
	defer srv.Close()
	res, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"bridge_turns_running 3", "bridge_store_healthy 0", "go_goroutines "} {
		if !strings.Contains(string(body), "\n"+want) {
			t.Errorf("%d: there is no %s\n%.2000s", res.StatusCode, want, body)
		}
	}
	if strings.Contains(string(body), "bridge_questions_unanswered") {
		t.Error("a number is told that is not known")
	}
}
