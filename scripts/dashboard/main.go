// Command dashboard draws the panels of deploy/grafana/bridge.json from a running bridge, without Prometheus and Grafana: it
// reads /metrics every second for a while and evaluates the panels' queries over what it has read. With a load on stand-ins:
//
//	go build -o /tmp/bridge ./cmd/bridge
//	sh -c 'until [ -f load.yaml ]; do sleep 0.1; done; exec /tmp/bridge run --config load.yaml 2>bridge.log' &
//	/tmp/bridge bench --attach $! --config-out load.yaml --conversations 100 --duration 60s &
//	go run ./scripts/dashboard --log bridge.log --for 60s --out docs/dashboard.svg
//
// It knows as much of PromQL as the dashboard uses.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	scrapeEvery   = time.Second
	scrapeTimeout = 5 * time.Second
	startTimeout  = time.Minute // for the bridge to say where it serves
	maxBody       = 16 << 20
)

// dashboard is the part of Grafana's format that is drawn.
type dashboard struct {
	Title  string
	Panels []panel
}

type panel struct {
	Type, Title string
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct{ Expr, LegendFormat string }
	FieldConfig struct {
		Defaults struct {
			Unit   string
			Custom struct {
				Stacking *struct{ Mode string }
			}
			Mappings []struct {
				Options map[string]struct{ Text, Color string }
			}
		}
	}
}

func main() {
	var o options
	flag.StringVar(&o.board, "dashboard", "deploy/grafana/bridge.json", "Grafana dashboard")
	flag.StringVar(&o.url, "metrics", "", "address of /metrics")
	flag.StringVar(&o.log, "log", "", "log of the bridge as JSON, which says where it serves, in place of --metrics")
	flag.DurationVar(&o.during, "for", time.Minute, "how long to read")
	flag.StringVar(&o.out, "out", "dashboard.svg", "picture to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1) //nolint:gocritic // stop does nothing that counts
	}
}

type options struct {
	board, url, log, out string
	during               time.Duration
}

func (o options) run(ctx context.Context) error {
	raw, err := os.ReadFile(o.board)
	if err != nil {
		return err
	}
	var d dashboard
	if err := json.Unmarshal(raw, &d); err != nil {
		return fmt.Errorf("read %s: %w", o.board, err)
	}
	if o.url == "" {
		if o.url, err = addressIn(ctx, o.log); err != nil {
			return err
		}
	}
	h, err := watch(ctx, o.url, o.during)
	if err != nil {
		return err
	}
	picture, err := draw(d, h)
	if err != nil {
		return err
	}
	return os.WriteFile(o.out, picture, 0o600)
}

// addressIn waits until the log says where the bridge serves.
func addressIn(ctx context.Context, log string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		raw, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		for line := range strings.Lines(string(raw)) {
			var l struct{ Msg, HTTP string }
			if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "started" && l.HTTP != "" {
				return "http://" + l.HTTP + "/metrics", nil
			}
		}
		if !pause(ctx, scrapeEvery/10) {
			return "", fmt.Errorf("%s does not say where the bridge serves: %w", log, ctx.Err())
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// watch reads for a while, or until the bridge has gone.
func watch(ctx context.Context, url string, during time.Duration) (*history, error) {
	h := &history{}
	began := time.Now()
	for time.Since(began) < during {
		all, err := scrape(ctx, url)
		switch {
		case err == nil:
			h.add(time.Since(began), all)
		case len(h.times) > 1:
			return h, nil
		default:
			return nil, err
		}
		if !pause(ctx, scrapeEvery) {
			break
		}
	}
	return h, nil
}

func scrape(ctx context.Context, url string) ([]sample, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, res.Status)
	}
	return parse(io.LimitReader(res.Body, maxBody))
}

// parse reads Prometheus' text format.
func parse(r io.Reader) ([]sample, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	var all []sample
	for name, f := range families {
		for _, m := range f.GetMetric() {
			s := sample{labels: map[string]string{nameLabel: name}}
			for _, l := range m.GetLabel() {
				s.labels[l.GetName()] = l.GetValue()
			}
			h := m.GetHistogram()
			if h == nil {
				s.value = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
				all = append(all, s)
				continue
			}
			all = append(all, s.as(name+"_sum", h.GetSampleSum()), s.as(name+"_count", float64(h.GetSampleCount())))
			for _, b := range h.GetBucket() {
				one := s.as(name+"_bucket", float64(b.GetCumulativeCount()))
				one.labels["le"] = fmt.Sprint(b.GetUpperBound())
				all = append(all, one)
			}
		}
	}
	return all, nil
}
