package agent_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/internal/agent"
	"github.com/clickai/bridge/internal/memnet"
	faults "github.com/clickai/bridge/internal/sim"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

var (
	asHTML   = http.Header{"Content-Type": {"text/html"}}
	asJSON   = http.Header{"Content-Type": {"application/json"}}
	asStream = http.Header{"Content-Type": {"text/event-stream"}}
)

// refuse answers the question with an error of ClickAI's.
func refuse(status int, code, message string) [][]sim.Step {
	return [][]sim.Step{{sim.ReplyError(status, code, message)}}
}

func reply(status int, header http.Header, body string) [][]sim.Step {
	return [][]sim.Step{{sim.Reply(status, header, body)}}
}

// times is an answer that comes n times.
func times(n int, steps ...sim.Step) [][]sim.Step {
	var out [][]sim.Step
	for range n {
		out = append(out, steps)
	}
	return out
}

// failing has the first n connections fail; all of them if n is 0.
func failing(n int64, err error) func(*memnet.Listener) dialer {
	return func(l *memnet.Listener) dialer {
		var tried atomic.Int64
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			if tried.Add(1) <= n || n == 0 {
				return nil, err
			}
			return l.DialContext(ctx, network, address)
		}
	}
}

var (
	errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	errName    = &net.DNSError{Err: "no such host", Name: "api.clickai.example", IsNotFound: true}
)

func blocking(c *agent.Config) { c.Blocking = true }

// beforeItHasBegun are the failures of a question that ClickAI had not begun to answer.
func beforeItHasBegun() []failure {
	never := sim.NewGate
	const deadline = 10 * time.Minute
	return []failure{
		{name: "DNS fails for good", dial: failing(0, errName), sees: retryText, busy: true, took: 9 * time.Minute, within: deadline, conv: "kept", log: []string{"WARN ClickAI cannot be reached", "ERROR no such host"}},
		{name: "dial is refused for good", dial: failing(0, errRefused), sees: retryText, busy: true, took: 9 * time.Minute, within: deadline, conv: "kept", log: []string{"WARN host=127.0.0.1", "ERROR connection refused"}},
		{name: "dial is refused for a while", dial: failing(4, errRefused), asked: 1, sees: "fine", busy: true, took: 3 * time.Second, conv: "new", log: []string{"WARN again=true"}},
		{name: "dial is refused twice", dial: failing(2, errRefused), asked: 1, sees: "fine", within: 2 * time.Second, conv: "new", log: []string{"WARN ClickAI cannot be reached"}},
		{name: "TLS fails", client: func(c *clickai.Config) { c.BaseURL = strings.Replace(c.BaseURL, "http:", "https:", 1) }, sees: retryText, busy: true, conv: "kept", log: []string{"ERROR server gave HTTP response to HTTPS client"}},

		{name: "connection broken", plays: times(2, sim.Cut()), asked: 3, sees: "fine", conv: "new", log: []string{"WARN connection to ClickAI broke"}},
		{name: "connection broken, known conversation", first: true, faults: []faults.Fault{{Match: "POST /v1/chat-messages", Times: 2, Cut: true}}, asked: 3, looked: 2, sees: "fine", conv: "kept", log: []string{"WARN connection to ClickAI broke"}},
		{name: "connection broken, answered all the same", first: true, plays: [][]sim.Step{{sim.Store("from the history"), sim.Cut()}}, asked: 1, looked: 1, soon: true, sees: "from the history", conv: "kept", log: []string{"WARN connection to ClickAI broke"}},
		{
			name: "connection broken, history out of reach at first", first: true, plays: [][]sim.Step{{sim.Store("from the history"), sim.Cut()}}, asked: 1, looked: 3, soon: true, sees: "from the history", busy: true, conv: "kept",
			faults: []faults.Fault{{Match: "GET /v1/messages", Times: 2, Status: 503}}, log: []string{"WARN history could not be read"},
		},
		{name: "connection broken for good", plays: times(100, sim.Cut()), asked: many, sees: retryText, busy: true, took: 8 * time.Minute, within: deadline, conv: "kept", log: []string{"WARN again=false"}},
		{name: "header timeout", plays: times(1, sim.Silence(never())), asked: 2, sees: "fine", took: 100 * time.Second, conv: "new", log: []string{"WARN no response headers in time"}},
		{name: "header timeout, known conversation", first: true, plays: times(1, sim.Silence(never())), asked: 2, looked: 1, sees: "fine", took: 100 * time.Second, conv: "kept", log: []string{"WARN ClickAI was silent for too long"}},
		{name: "header timeout twice", plays: times(2, sim.Silence(never())), asked: 2, sees: retryText, took: 200 * time.Second, conv: "kept", log: []string{"WARN again=false"}},
		{name: "idle timeout", plays: times(1, sim.Ping(), sim.Silence(never())), asked: 2, sees: "fine", took: 60 * time.Second, conv: "new", log: []string{"WARN response went silent"}},

		{name: "400 conversation_completed", first: true, plays: refuse(400, "conversation_completed", "closed"), asked: 2, sees: "fine", conv: "new", log: []string{"WARN conversation is closed", "WARN new_conversation_id="}, check: inputsSentAnew},
		{name: "400 conversation_completed again", first: true, plays: times(2, sim.ReplyError(400, "conversation_completed", "closed")), asked: 2, sees: cannot("closed"), conv: "kept", log: []string{"WARN conversation is closed", "ERROR closed"}},
		{name: "400 names conversation_id", first: true, plays: refuse(400, "invalid_param", "conversation_id must be a valid UUID"), asked: 2, sees: "fine", conv: "new", log: []string{"WARN conversation is closed"}, check: inputsSentAnew},
		{name: "400 names conversation_id in params", first: true, plays: reply(400, asJSON, `{"code":"invalid_param","message":"not a UUID","params":"conversation_id"}`), asked: 2, sees: "fine", conv: "new", log: []string{"WARN conversation is closed"}},
		{name: "400 invalid_param of inputs", first: true, plays: refuse(400, "invalid_param", "profile_url is required in input form"), asked: 1, sees: cannot("profile_url is required in input form"), conv: "kept", log: []string{"ERROR 400 invalid_param"}},
		{name: "400 file validation", plays: refuse(400, "invalid_param", "File validation failed for file: a.zip"), asked: 1, sees: cannot("File validation failed for file: a.zip"), conv: "kept", log: []string{"WARN a file was refused"}},
		{name: "400 upload file", plays: refuse(400, "invalid_param", "Invalid upload file"), asked: 1, sees: cannot("Invalid upload file"), conv: "kept", log: []string{"WARN a file was refused"}},
		{name: "400 number of files", plays: refuse(400, "invalid_param", "Number of files exceeds the maximum limit of 3"), asked: 1, sees: cannot("Number of files exceeds the maximum limit of 3"), conv: "kept", log: []string{"WARN a file was refused"}},
		{name: "400 blocking not supported", mode: agent.ModeAgentChat, config: blocking, asked: 2, sees: "fine", conv: "new", log: []string{"WARN set response_mode: streaming"}, check: streamsFromNowOn},
		{name: "400 not_chat_app", plays: refuse(400, "not_chat_app", "Please check if your app mode matches the right API route."), asked: 1, sees: cannot("Please check if your app mode matches the right API route."), conv: "kept", log: []string{"ERROR the app's mode and its key do not fit"}},
		{name: "400 not_workflow_app", mode: agent.ModeWorkflow, plays: refuse(400, "not_workflow_app", "no"), asked: 1, sees: cannot("no"), conv: "kept", log: []string{"ERROR the app's mode and its key do not fit"}},
		{name: "400 not_completion_app", mode: agent.ModeCompletion, plays: refuse(400, "not_completion_app", "no"), asked: 1, sees: cannot("no"), conv: "kept", log: []string{"ERROR the app's mode and its key do not fit"}},
		{name: "400 app_unavailable", plays: refuse(400, "app_unavailable", "App unavailable"), asked: 1, sees: cannot("App unavailable"), conv: "kept", log: []string{"ERROR the app's mode and its key do not fit"}},
		{name: "400 agent_not_published", plays: refuse(400, "agent_not_published", "no"), asked: 1, sees: cannot("no"), conv: "kept", log: []string{"ERROR the app's mode and its key do not fit"}},
		{name: "400 provider_not_initialize", plays: refuse(400, "provider_not_initialize", "No model credentials"), asked: 1, sees: cannot("No model credentials"), conv: "kept", log: []string{"ERROR mend it in ClickAI Studio"}},
		{name: "400 provider_quota_exceeded", plays: refuse(400, "provider_quota_exceeded", "no credit"), asked: 1, sees: cannot("no credit"), conv: "kept", log: []string{"ERROR mend it in ClickAI Studio"}},
		{name: "400 model_currently_not_support", plays: refuse(400, "model_currently_not_support", "no"), asked: 1, sees: cannot("no"), conv: "kept", log: []string{"ERROR mend it in ClickAI Studio"}},
		{
			name: "400 completion_request_error, with a key in it", plays: refuse(400, "completion_request_error", "Incorrect API key provided: sk-abcdef1234567890abcdef"), asked: 1,
			sees: cannot("Incorrect API key provided: … (`!retry` asks again)"), conv: "kept", log: []string{"ERROR the model's provider refused"},
		},
		{name: "400 in HTML", plays: reply(400, asHTML, "<p>tell nobody</p>"), asked: 1, sees: "⚠️ I could not answer (ref …)", conv: "kept", log: []string{"ERROR tell nobody"}},
		{name: "400 without message", plays: reply(400, asJSON, `{"code":"odd","hint":"look here"}`), asked: 1, sees: "⚠️ I could not answer (ref …)", conv: "kept", log: []string{"ERROR look here"}},
		{name: "400 other", plays: refuse(400, "bad_request", "draft workflow"), asked: 1, sees: cannot("draft workflow"), conv: "kept", log: []string{"ERROR 400 bad_request"}},

		{name: "401", first: true, plays: refuse(401, "unauthorized", "Access token is invalid"), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR the app's API key is refused"}},
		{name: "403", first: true, plays: refuse(403, "forbidden", "app is disabled"), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR 403 forbidden: app is disabled"}},
		{name: "404 of a conversation", first: true, do: func(w *whole) { w.server.Forget(w.conversation()) }, asked: 2, sees: "fine", conv: "new", log: []string{"WARN conversation not found, starting a new one", "WARN new_conversation_id="}, check: inputsSentAnew},
		{name: "404 of a conversation, and again", first: true, plays: times(2, sim.ReplyError(404, "not_found", "Conversation Not Exists.")), asked: 2, sees: setupText, conv: "kept", log: []string{"WARN conversation not found", "ERROR route not found"}},
		{name: "404 with no conversation", plays: refuse(404, "not_found", "Not Found. You have requested this URI"), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR route not found"}},
		{name: "404 in HTML", first: true, plays: reply(404, asHTML, "<h1>no</h1>"), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR route not found"}},
		{name: "404 of a workflow", mode: agent.ModeWorkflow, plays: refuse(404, "not_found", "no"), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR route not found"}},
		{name: "404 of a completion", mode: agent.ModeCompletion, plays: refuse(404, "not_found", "no"), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR route not found"}},
		{name: "405", first: true, plays: reply(405, nil, ""), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR base_url is wrong"}},
		{name: "301", plays: reply(301, http.Header{"Location": {"/v1/chat-messages/"}}, ""), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR base_url is wrong"}},
		{name: "302", plays: reply(302, http.Header{"Location": {"/v1/chat-messages/"}}, ""), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR base_url is wrong"}},
		{name: "307", plays: reply(307, http.Header{"Location": {"/v1/chat-messages/"}}, ""), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR base_url is wrong"}},
		{name: "308", plays: reply(308, http.Header{"Location": {"/v1/chat-messages/"}}, ""), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR base_url is wrong"}},
		{name: "408", first: true, plays: reply(408, nil, ""), asked: 2, looked: 1, sees: "fine", conv: "kept", log: []string{"WARN ClickAI asks to try again"}},
		{name: "425", first: true, plays: reply(425, nil, ""), asked: 2, looked: 1, sees: "fine", conv: "kept", log: []string{"WARN ClickAI asks to try again"}},
		{name: "413", plays: reply(413, asHTML, "<h1>too large</h1>"), asked: 1, sees: tooLongText, conv: "kept", log: []string{"WARN question too long"}},
		{name: "415", plays: refuse(415, "unsupported_media_type", "no"), asked: 1, sees: setupText, conv: "kept", log: []string{"ERROR request refused"}},

		{name: "429 with Retry-After", first: true, plays: reply(429, http.Header{"Retry-After": {"20"}}, ""), asked: 2, sees: "fine", busy: true, took: 20 * time.Second, within: 25 * time.Second, conv: "kept", log: []string{"WARN wait_ms=20000"}},
		{name: "429 with a short Retry-After", plays: reply(429, http.Header{"Retry-After": {"2"}}, ""), asked: 2, sees: "fine", took: 2 * time.Second, within: 4 * time.Second, conv: "new", log: []string{"WARN too many requests"}},
		{name: "429 with Retry-After over the deadline", plays: reply(429, http.Header{"Retry-After": {"3600"}}, ""), asked: 1, sees: retryText, within: 3 * time.Second, conv: "kept", log: []string{"WARN again=false"}},
		{name: "429 with an unreadable Retry-After", plays: reply(429, http.Header{"Retry-After": {"soon"}}, ""), asked: 2, sees: "fine", within: 4 * time.Second, conv: "new", log: []string{"WARN too many requests"}},
		{name: "429 without", plays: times(4, sim.ReplyError(429, "too_many_requests", "busy")), asked: 5, sees: "fine", busy: true, took: 7 * time.Second, conv: "new", log: []string{"WARN too many requests"}},
		{name: "429 of the plan", first: true, plays: refuse(429, "rate_limit_error", "quota"), asked: 1, sees: quotaText, conv: "kept", log: []string{"ERROR the plan's quota is used up"}},
		{name: "the day's requests are used up", first: true, client: func(c *clickai.Config) { c.Limiter = clickai.NewLimiter(clickai.Plan{PerDay: 1}) }, sees: quotaText, conv: "kept", log: []string{"ERROR the plan's requests for the day are used up"}},

		{name: "500", first: true, plays: refuse(500, "internal_server_error", "boom"), asked: 2, looked: 1, sees: "fine", conv: "kept", log: []string{"WARN ClickAI failed"}},
		{name: "500 for good", plays: times(100, sim.ReplyError(500, "unknown", "boom")), asked: many, sees: retryText, busy: true, took: 8 * time.Minute, within: deadline, conv: "kept", log: []string{"WARN ClickAI failed", "ERROR again=false"}},
		{name: "502", first: true, plays: reply(502, asHTML, "<h1>bad gateway</h1>"), asked: 2, looked: 1, sees: "fine", conv: "kept", log: []string{"WARN ClickAI failed"}},
		{name: "503 with Retry-After", plays: reply(503, http.Header{"Retry-After": {"10"}}, ""), asked: 2, sees: "fine", busy: true, took: 10 * time.Second, conv: "new", log: []string{"WARN ClickAI failed"}},
		{name: "520", plays: reply(520, asHTML, ""), asked: 2, sees: "fine", conv: "new", log: []string{"WARN ClickAI failed"}},
		{name: "523", plays: reply(523, asHTML, ""), asked: 2, sees: "fine", conv: "new", log: []string{"WARN ClickAI failed"}},
		{name: "504", first: true, plays: reply(504, asHTML, ""), asked: 2, looked: 1, sees: "fine", conv: "kept", log: []string{"WARN prefer response_mode: streaming"}},
		{name: "504 twice", plays: times(2, sim.Reply(504, asHTML, "")), asked: 2, sees: retryText, conv: "kept", log: []string{"WARN prefer response_mode: streaming"}},
		{name: "524", plays: reply(524, asHTML, ""), asked: 2, sees: "fine", conv: "new", log: []string{"WARN prefer response_mode: streaming"}},
		{
			name: "blocking over 60 s, done a little later", first: true, config: blocking, plays: [][]sim.Step{{sim.Text("late"), sim.Pause(68 * time.Second)}},
			asked: 1, looked: 5, sees: "late", busy: true, took: 68 * time.Second, within: 80 * time.Second, conv: "kept", log: []string{"WARN prefer response_mode: streaming"},
		},
		{
			name: "blocking over the client's own bound", config: blocking, options: func(o *sim.Options) { o.BlockingTimeout = time.Hour }, plays: [][]sim.Step{{sim.Pause(20 * time.Minute)}},
			asked: 2, sees: "fine", took: 90 * time.Second, conv: "new", log: []string{"WARN prefer response_mode: streaming"},
		},

		{name: "200 in JSON, an answer", plays: [][]sim.Step{{sim.AsJSON(), sim.Text("whole")}}, asked: 1, sees: "whole", conv: "new", log: []string{"WARN answered in one piece"}},
		{name: "200 in JSON, outputs", mode: agent.ModeWorkflow, plays: [][]sim.Step{{sim.AsJSON(), sim.Text("whole")}}, asked: 1, sees: "whole", conv: "kept", log: []string{"WARN answered in one piece"}},
		{name: "200 in JSON, an error", plays: reply(200, asJSON, `{"code":"app_unavailable","message":"App unavailable","status":400}`), asked: 1, sees: cannot("App unavailable"), conv: "kept", log: []string{"ERROR status=400 code=app_unavailable"}},
		{name: "200 in JSON, neither", plays: reply(200, asJSON, `{"ok":true}`), asked: 1, sees: retryText, conv: "kept", log: []string{"WARN what ClickAI sent is no answer"}},
		{name: "200 in JSON over the bound", client: func(c *clickai.Config) { c.MaxLine = 10_000 }, plays: [][]sim.Step{{sim.AsJSON(), sim.Text(strings.Repeat("long ", 4000))}}, asked: 1, sees: retryText, conv: "kept", log: []string{"WARN what ClickAI sent is no answer"}},
		{name: "200 in HTML", first: true, plays: reply(200, asHTML, "<h1>log in</h1>"), asked: 2, looked: 1, sees: "fine", conv: "kept", log: []string{"ERROR <h1>log in</h1>"}},
		{name: "200 in text", plays: reply(200, http.Header{"Content-Type": {"text/plain"}}, "upstream is down"), asked: 2, sees: "fine", conv: "new", log: []string{"ERROR upstream is down"}},
		{name: "200, a stream of nothing", first: true, plays: reply(200, asStream, ": hi\n\n"), asked: 2, looked: 1, sees: "fine", conv: "kept", log: []string{"WARN connection to ClickAI broke"}},
	}
}
