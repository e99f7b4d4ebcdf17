// Package trace sends a trace of each turn to a collector of OpenTelemetry, over OTLP with HTTP. It is off unless the
// environment names a collector, in OpenTelemetry's own variables
// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/): OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, a whole URL, or
// OTEL_EXPORTER_OTLP_ENDPOINT, to which /v1/traces is added. OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER,
// OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and OTEL_SDK_DISABLED have their usual meanings.
//
// A trace has a span "turn", from the acceptance of the first message to the end of the turn, and within it "queue" (until
// the turn begins), one "upload" for each attachment, "ask" (from the question to the end of the answer, with the requests to
// ClickAI and its first text as events) and "show" (the calls to the platform as events, at most [maxEvents]). The attribute
// bridge.turn_id is the reference that stands in the log and in the line that a person sees on an error.
//
// Guarantees: no text, name or id of people, rooms and conversations goes into a span, and no text of an error, which may
// quote them. Spans wait in a queue of fixed size and are dropped when it is full: a collector that is slow or gone holds up
// no answer. Close waits for a few seconds at most.
package trace
