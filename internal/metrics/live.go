package metrics

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clickai/bridge/core"
)

// depthTimeout bounds the look at what waits in the store, within the time of a scrape.
const depthTimeout = 5 * time.Second

// Live is what is read at each scrape. The functions may be called from several goroutines at once; those that are nil have
// no metrics.
type Live struct {
	// Bots tells how each bot is doing.
	Bots func() []core.BotStatus
	// Load is how many turns run and how many conversations wait for a place.
	Load func() (running, waiting int)
	// Healthy is nil as long as the store can be written.
	Healthy func() error
	// Depth is how many questions have not been answered to their end, and when the oldest was accepted.
	Depth func(ctx context.Context) (questions int, oldest time.Time, err error)
	// StorePath is the store's file.
	StorePath string
	// Plans is what is left of each app's requests, by the app's name.
	Plans func() map[string]Plan
}

// Plan is the budget of the requests of an app. -1: no limit.
type Plan struct {
	PerMinute, PerDay   int
	LeftMinute, LeftDay int
}

// live describes what is read at each scrape.
type live struct {
	Live
	connected, stopped, running, waiting, questions, oldest, healthy, size, left, limit *prometheus.Desc
}

// Watch adds what is a matter of the moment. It is to be called once.
func (m *Metrics) Watch(l Live) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	m.registry.MustRegister(&live{
		Live:      l,
		connected: desc("bot_connected", "1 while the bot is connected to its platform.", "bot", "platform"),
		stopped:   desc("bot_stopped", "1 when the bot has given up: its token is refused or a permission is missing.", "bot", "platform"),
		running:   desc("turns_running", "Turns that run."),
		waiting:   desc("conversations_waiting", "Conversations that wait for a place because too many turns run."),
		questions: desc("questions_unanswered", "Accepted messages whose turn has not ended."),
		oldest:    desc("question_oldest_age_seconds", "Age of the oldest accepted message whose turn has not ended; 0 if there is none."),
		healthy:   desc("store_healthy", "1 as long as the store can be written."),
		size:      desc("store_size_bytes", "Size of the store's file."),
		left:      desc("clickai_plan_left_requests", "Requests to ClickAI that the plan has room for now. Apps with one key share them.", "app", "window"),
		limit:     desc("clickai_plan_requests", "Requests to ClickAI that the plan allows in a window.", "app", "window"),
	})
}

// Describe is prometheus.Collector.
func (l *live) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{l.connected, l.stopped, l.running, l.waiting, l.questions, l.oldest, l.healthy, l.size, l.left, l.limit} {
		to <- d
	}
}

// Collect is prometheus.Collector.
func (l *live) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if l.Bots != nil {
		for _, b := range l.Bots() {
			gauge(l.connected, number(b.Connected), b.Name, b.Platform)
			gauge(l.stopped, number(b.Stopped), b.Name, b.Platform)
		}
	}
	if l.Load != nil {
		running, waiting := l.Load()
		gauge(l.running, float64(running))
		gauge(l.waiting, float64(waiting))
	}
	if l.Healthy != nil {
		gauge(l.healthy, number(l.Healthy() == nil))
	}
	if l.Depth != nil {
		ctx, cancel := context.WithTimeout(context.Background(), depthTimeout)
		questions, oldest, err := l.Depth(ctx)
		cancel()
		if err != nil {
			to <- prometheus.NewInvalidMetric(l.questions, err)
		} else {
			gauge(l.questions, float64(questions))
			age := 0.0
			if !oldest.IsZero() {
				age = since(oldest)
			}
			gauge(l.oldest, age)
		}
	}
	if l.StorePath != "" {
		if info, err := os.Stat(l.StorePath); err == nil {
			gauge(l.size, float64(info.Size()))
		} else if !errors.Is(err, fs.ErrNotExist) {
			to <- prometheus.NewInvalidMetric(l.size, err)
		}
	}
	if l.Plans != nil {
		for app, p := range l.Plans() {
			if p.PerMinute > 0 {
				gauge(l.limit, float64(p.PerMinute), app, "minute")
				gauge(l.left, float64(p.LeftMinute), app, "minute")
			}
			if p.PerDay > 0 {
				gauge(l.limit, float64(p.PerDay), app, "day")
				gauge(l.left, float64(p.LeftDay), app, "day")
			}
		}
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
