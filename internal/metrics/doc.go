// Package metrics counts what the bridge does, in the format of Prometheus.
//
// A [Metrics] is the [core.Observer] of a bridge, is told of requests to ClickAI and of the store's commits, and reads what
// is a matter of the moment (connections, queues, the plan's budget) when it is scraped. Names and labels follow
// https://prometheus.io/docs/practices/naming/; docs/metrics.md describes each of them for operators, which a test checks.
//
// Guarantees: labels are names of the configuration and words of the code, never a room, a person or a conversation, so the
// number of series is bounded by bots and apps; what a server makes up (the codes of its errors) is bounded by [maxCodes].
// Telling costs a lookup and an atomic addition and never waits for a scrape.
//
// Non-goals: texts, ids and single turns; those are in the log and in traces (package trace).
package metrics
