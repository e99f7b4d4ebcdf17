package metrics

import (
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const namespace = "bridge"

// Limits of /metrics.
const (
	scrapesAtOnce = 3
	scrapeTimeout = 10 * time.Second // Prometheus gives up after as long (scrape_timeout's default)
)

// Buckets, in seconds. People notice a tenth of a second, and give up after minutes.
var (
	turnBuckets   = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300, 600}
	callBuckets   = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
	waitBuckets   = []float64{0.001, 0.01, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60}
	commitBuckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5}
	groupBuckets  = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}
)

// Metrics holds all metrics of one bridge. Make it with [New]. It may be used from many goroutines.
type Metrics struct {
	registry *prometheus.Registry
	codes    *codes

	messages *prometheus.CounterVec
	caughtUp *prometheus.CounterVec
	turns    *prometheus.CounterVec
	failures *prometheus.CounterVec
	askDelay *prometheus.HistogramVec
	appFirst *prometheus.HistogramVec
	first    *prometheus.HistogramVec
	duration *prometheus.HistogramVec
	textAge  *prometheus.HistogramVec

	calls        *prometheus.CounterVec
	callDuration *prometheus.HistogramVec
	paced        *prometheus.HistogramVec
	connects     *prometheus.CounterVec
	disconnects  *prometheus.CounterVec
	notices      *prometheus.CounterVec

	ratings        *prometheus.CounterVec
	ratingsWaiting prometheus.Gauge
	retries        *prometheus.CounterVec
	uploads        *prometheus.CounterVec
	uploadBytes    *prometheus.CounterVec
	uploadDuration *prometheus.HistogramVec

	requests        *prometheus.CounterVec
	requestDuration *prometheus.HistogramVec
	clickaiErrors   *prometheus.CounterVec

	commits       prometheus.Histogram
	commitSize    prometheus.Histogram
	commitFailure prometheus.Counter
}

// New makes all metrics, at zero. version is the program's.
func New(version string) *Metrics {
	r := prometheus.NewRegistry()
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
		r.MustRegister(h)
		return h
	}
	m := &Metrics{
		registry: r, codes: newCodes(),

		messages: counter("messages_total", "Messages for the bot that a platform delivered, by what became of them.", "bot", "outcome"),
		caughtUp: counter("messages_caught_up_total", "Accepted messages that were written while the bot was cut off.", "bot"),
		turns:    counter("turns_total", "Turns that ended in this process.", "bot", "app", "outcome"),
		failures: counter("turn_failures_total", "Turns that ended with a line of the bridge's own, by that line.", "bot", "app", "reason"),
		askDelay: histogram("turn_ask_delay_seconds", "From the acceptance of a message to its question going out.", turnBuckets, "bot"),
		appFirst: histogram("app_first_text_seconds", "From the question to the first text from ClickAI.", turnBuckets, "app"),
		first:    histogram("turn_first_text_seconds", "From the acceptance of a message to the first visible text of its answer.", turnBuckets, "bot"),
		duration: histogram("turn_duration_seconds", "From the acceptance of a message to the end of its turn.", turnBuckets, "bot"),
		textAge:  histogram("text_age_seconds", "Age of the oldest text that a call made visible: how far a running answer lags behind.", waitBuckets, "bot"),

		calls:        counter("platform_calls_total", "Calls to a platform by their result: ok, or the class of the error.", "bot", "call", "result"),
		callDuration: histogram("platform_call_duration_seconds", "Duration of calls to a platform.", callBuckets, "bot", "call"),
		paced:        histogram("platform_pace_wait_seconds", "Wait of calls for their turn within the platform's rate limits.", waitBuckets, "bot", "priority"),
		connects:     counter("bot_connects_total", "Connections to the platform that came about.", "bot"),
		disconnects:  counter("bot_disconnects_total", "Connections to the platform that ended.", "bot"),
		notices:      counter("notices_total", "Lines of the bridge's own that people were shown.", "bot", "kind"),

		ratings:        counter("ratings_total", "Tries to send a rating to ClickAI.", "app", "rating", "outcome"),
		retries:        counter("app_retries_total", "Calls to an app that failed and were tried again.", "app", "call"),
		uploads:        counter("uploads_total", "Attachments that were sent to ClickAI, or could not be.", "app", "outcome"),
		uploadBytes:    counter("upload_bytes_total", "Bytes of the attachments that were sent to ClickAI, as far as the platform told their size.", "app"),
		uploadDuration: histogram("upload_duration_seconds", "From the start of an attachment's download to the end of its upload.", turnBuckets, "app"),

		requests: counter("clickai_requests_total", "HTTP requests to ClickAI. status: 0 where there was no answer.", "app", "method", "endpoint", "status"),
		requestDuration: histogram("clickai_request_duration_seconds", "From a request to the headers of its response; streams go on after that.",
			turnBuckets, "app", "method", "endpoint"),
		clickaiErrors: counter("clickai_errors_total", "Failed requests to ClickAI and errors within answers, by ClickAI's code or else by how it failed.", "app", "code"),
	}
	m.ratingsWaiting = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "ratings_waiting", Help: "Ratings still to be sent to ClickAI when the bridge last looked.",
	})
	m.commits = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "store_commit_duration_seconds", Help: "Duration of the store's commits, sync to disk included.", Buckets: commitBuckets,
	})
	m.commitSize = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "store_commit_operations", Help: "Operations that one commit of the store carried.", Buckets: groupBuckets,
	})
	m.commitFailure = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "store_commit_failures_total", Help: "Commits of the store that failed; what they carried was not stored.",
	})
	info, rev := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the labels tell the version of the program.",
	}, []string{"version", "revision", "go_version"}), build()
	info.WithLabelValues(version, rev.revision, rev.goVersion).Set(1)
	r.MustRegister(m.ratingsWaiting, m.commits, m.commitSize, m.commitFailure, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

type buildInfo struct{ revision, goVersion string }

func build() buildInfo {
	b := buildInfo{revision: "unknown", goVersion: "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.goVersion = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.revision = s.Value
			}
		}
	}
	return b
}

// Gatherer is what a test or a server reads the metrics from.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Handler serves the metrics. At most three requests are answered at once, each for at most 10 seconds; others get 503.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesAtOnce, Timeout: scrapeTimeout, EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError,
	})
}
