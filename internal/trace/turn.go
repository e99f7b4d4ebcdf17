package trace

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/clickai/bridge/core"
)

var _ core.TurnObserver = (*turn)(nil)

// turn makes the spans of one turn. OpenTelemetry's spans may be used from many goroutines; mu guards which are there.
type turn struct {
	t     *Tracer
	ctx   context.Context // holds the turn's span, for its children
	whole oteltrace.Span

	mu   sync.Mutex
	ask  oteltrace.Span // nil before the question goes out
	show oteltrace.Span
}

// TurnBegan is that of core.Observer.
func (t *Tracer) TurnBegan(s core.TurnStart) core.TurnObserver {
	began := time.Now()
	accepted := s.Accepted
	if accepted.After(began) {
		accepted = began // the clock has been put back
	}
	ctx, whole := t.tracer.Start(context.Background(), "turn", oteltrace.WithTimestamp(accepted), oteltrace.WithSpanKind(oteltrace.SpanKindConsumer),
		oteltrace.WithAttributes(
			attribute.String("bridge.turn_id", s.ID), attribute.String("bridge.bot", s.Bot), attribute.String("bridge.platform", s.Platform),
			attribute.String("bridge.app", s.App), attribute.Int("bridge.messages", s.Messages), attribute.Int("bridge.attachments", s.Attachments),
			attribute.Bool("bridge.resumed", s.Resumed),
		))
	if !whole.IsRecording() {
		return core.NopTurn{}
	}
	_, queue := t.tracer.Start(ctx, "queue", oteltrace.WithTimestamp(accepted))
	queue.End(oteltrace.WithTimestamp(began))
	_, show := t.tracer.Start(ctx, "show", oteltrace.WithTimestamp(began))
	return &turn{t: t, ctx: ctx, whole: whole, show: show}
}

func (t *turn) Uploaded(bytes int64, took time.Duration, class core.Class) {
	now := time.Now()
	_, up := t.t.tracer.Start(t.ctx, "upload", oteltrace.WithTimestamp(now.Add(-took)), oteltrace.WithAttributes(attribute.Int64("bridge.bytes", bytes)))
	if class != "" {
		up.SetStatus(codes.Error, string(class))
	}
	up.End(oteltrace.WithTimestamp(now))
}

func (t *turn) Asked() {
	_, ask := t.t.tracer.Start(t.ctx, "ask", oteltrace.WithSpanKind(oteltrace.SpanKindClient))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ask != nil {
		t.ask.End()
	}
	t.ask = ask
}

// asking is the span of the question, or the whole turn's before it.
func (t *turn) asking() oteltrace.Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ask == nil {
		return t.whole
	}
	return t.ask
}

func (t *turn) Answering() { t.asking().AddEvent("first text from the app") }

func (t *turn) Answered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ask != nil {
		t.ask.End() // a second end does nothing
	}
}

func (t *turn) Requested(r core.AppRequest) {
	attrs := []attribute.KeyValue{
		attribute.String("bridge.endpoint", r.Endpoint), attribute.Int("http.response.status_code", r.Status),
		attribute.Int64("bridge.took_ms", r.Took.Milliseconds()),
	}
	if r.Code != "" {
		attrs = append(attrs, attribute.String("bridge.code", r.Code))
	}
	t.asking().AddEvent("request", oteltrace.WithAttributes(attrs...))
}

func (t *turn) Called(c core.PlatformCall) {
	attrs := []attribute.KeyValue{attribute.Int64("bridge.took_ms", c.Took.Milliseconds())}
	if c.Class != "" {
		attrs = append(attrs, attribute.String("bridge.class", string(c.Class)), attribute.Int64("bridge.retry_after_ms", c.RetryAfter.Milliseconds()))
	}
	t.show.AddEvent(string(c.Kind), oteltrace.WithAttributes(attrs...))
}

func (t *turn) FirstText() { t.whole.AddEvent("first text visible") }

func (t *turn) Ended(e core.TurnEnd) {
	t.whole.SetAttributes(
		attribute.String("bridge.outcome", string(e.Outcome)), attribute.String("bridge.reason", string(e.Reason)),
		attribute.Int("bridge.edits", e.Edits), attribute.Int("bridge.reply_messages", e.Messages), attribute.Int("bridge.bytes", e.Bytes),
	)
	if e.Outcome != core.TurnAnswered && e.Outcome != core.TurnStopped {
		t.whole.SetStatus(codes.Error, string(e.Outcome))
	}
	t.Answered()
	t.show.End()
	t.whole.End()
}

// Beside is an observer that tells o all, and has t trace the turns.
func Beside(o core.Observer, t *Tracer) core.Observer { return beside{o, t} }

type beside struct {
	core.Observer
	tracer *Tracer
}

func (b beside) TurnBegan(s core.TurnStart) core.TurnObserver {
	return both{b.Observer.TurnBegan(s), b.tracer.TurnBegan(s)}
}

type both [2]core.TurnObserver

func (b both) Uploaded(bytes int64, took time.Duration, class core.Class) {
	for _, o := range b {
		o.Uploaded(bytes, took, class)
	}
}

func (b both) Asked() {
	for _, o := range b {
		o.Asked()
	}
}

func (b both) Answering() {
	for _, o := range b {
		o.Answering()
	}
}

func (b both) Answered() {
	for _, o := range b {
		o.Answered()
	}
}

func (b both) Called(c core.PlatformCall) {
	for _, o := range b {
		o.Called(c)
	}
}

func (b both) FirstText() {
	for _, o := range b {
		o.FirstText()
	}
}

func (b both) Requested(r core.AppRequest) {
	for _, o := range b {
		o.Requested(r)
	}
}

func (b both) Ended(e core.TurnEnd) {
	for _, o := range b {
		o.Ended(e)
	}
}
