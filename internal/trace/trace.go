package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
)

const (
	// maxEvents is how many events a span keeps. An answer of ten minutes with an edit each second has more; which of them
	// are dropped does not matter, their number is told.
	maxEvents    = 100
	closeTimeout = 5 * time.Second
	complainOnly = time.Minute // between two lines about a collector that does not take spans
)

// Config says where traces go.
type Config struct {
	// Env reads the environment; see the package comment.
	Env     func(name string) (string, bool)
	Version string
	Log     *slog.Logger
}

// Tracer traces turns, see [Beside]. nil traces nothing.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   oteltrace.Tracer
}

// New begins to trace, or returns nil if the environment names no collector. It sends nothing before the first turn. The
// error says which variable is wrong.
func New(ctx context.Context, c Config) (*Tracer, error) {
	endpoint, err := endpoint(c.Env)
	if endpoint == nil || err != nil {
		return nil, err
	}
	complain(c.Log)
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint.String()))
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w", endpoint.Host, err)
	}
	// The attributes of the environment come last: they are the operator's.
	res, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "clickai-bridge"), attribute.String("service.version", c.Version)), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("attributes of traces: is OTEL_RESOURCE_ATTRIBUTES right? %w", err)
	}
	limits := sdktrace.NewSpanLimits()
	limits.EventCountLimit = maxEvents
	t := &Tracer{provider: sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res), sdktrace.WithRawSpanLimits(limits))}
	t.tracer = t.provider.Tracer("github.com/clickai/bridge")
	c.Log.Info("turns are traced", slog.String("collector", endpoint.Host))
	return t, nil
}

// endpoint is where traces go; nil for nowhere.
func endpoint(env func(string) (string, bool)) (*url.URL, error) {
	get := func(name string) string {
		v, _ := env(name)
		return strings.TrimSpace(v)
	}
	if strings.EqualFold(get("OTEL_SDK_DISABLED"), "true") || strings.EqualFold(get("OTEL_TRACES_EXPORTER"), "none") {
		return nil, nil //nolint:nilnil // nowhere is no error
	}
	name, suffix := "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""
	if get(name) == "" {
		name, suffix = "OTEL_EXPORTER_OTLP_ENDPOINT", "v1/traces"
	}
	v := get(name)
	if v == "" {
		return nil, nil //nolint:nilnil // nowhere is no error
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s: want the URL of a collector that takes OTLP over HTTP, like http://127.0.0.1:4318", name)
	}
	if suffix != "" {
		u = u.JoinPath(suffix)
	}
	return u, nil
}

// complaints logs what goes wrong on the way to the collector: OpenTelemetry tells it to one function of the process.
var complaints struct {
	sync.Mutex
	log  *slog.Logger
	last time.Time
}

func complain(log *slog.Logger) {
	complaints.Lock()
	complaints.log, complaints.last = log, time.Time{}
	complaints.Unlock()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		complaints.Lock()
		defer complaints.Unlock()
		if time.Since(complaints.last) < complainOnly {
			return
		}
		complaints.last = time.Now()
		complaints.log.Warn("traces are lost", slog.Any("err", err))
	}))
}

// Close sends what waits, for at most 5 seconds. Nothing may be traced after it.
func (t *Tracer) Close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	return nil
}
