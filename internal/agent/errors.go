package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

// verdict is what is done about a generation call that failed before ClickAI had begun to answer.
type verdict struct {
	again  bool
	once   string        // not "": again only the first time for this reason
	after  time.Duration // not before this; 0: backoff
	look   bool          // ClickAI may know the question already: look at the history before asking again
	reset  bool          // ask again without the conversation id
	stream bool          // ask again with streaming, now and from now on
	notice core.Notice   // what the person is told when it is not asked again
	level  slog.Level
	final  slog.Level // … once it is not asked again although it might have been
	msg    string     // for the log: what it means and what to do
	body   int        // bytes of the answer's body for the log
}

// pauses tells whether the next attempt comes after a pause: not where it is another request.
func (v verdict) pauses() bool { return v.again && !v.reset && !v.stream }

const (
	excerptOther  = 200 // bytes of a body that is not ClickAI's, for the log
	excerptBroken = 500 // bytes of an error body that says nothing
)

// judge decides by HTTP status first, then by code, last by message.
func judge(err error, stored bool) verdict {
	e, ok := errors.AsType[*clickai.Error](err)
	if !ok {
		return verdict{notice: retryLine, level: slog.LevelError, msg: "call failed"}
	}
	switch e.Kind {
	case clickai.KindInvalid:
		return verdict{notice: setupLine, level: slog.LevelError, msg: "request refused before it was sent"}
	case clickai.KindLimited:
		if _, day := errors.AsType[*clickai.QuotaError](err); day {
			return verdict{notice: quotaLine, level: slog.LevelError, msg: "the plan's requests for the day are used up"}
		}
		return verdict{notice: quotaLine, level: slog.LevelWarn, msg: "no room in the plan's requests before the deadline"}
	case clickai.KindUnsent:
		return verdict{again: true, notice: retryLine, level: slog.LevelWarn, final: slog.LevelError, msg: "ClickAI cannot be reached"}
	case clickai.KindBroken:
		return verdict{again: true, look: true, notice: retryLine, level: slog.LevelWarn, msg: "connection to ClickAI broke"}
	case clickai.KindTimeout:
		if errors.Is(err, clickai.ErrCallTimeout) {
			return slowAnswer
		}
		return verdict{again: true, once: "timeout", look: true, notice: retryLine, level: slog.LevelWarn, msg: "ClickAI was silent for too long"}
	case clickai.KindContent:
		return judgeContent(e)
	case clickai.KindStatus:
	}
	return judgeStatus(e, stored)
}

// slowAnswer is what is done about an answer in one piece that takes longer than the way to ClickAI allows.
var slowAnswer = verdict{
	again: true, once: "gateway timeout", look: true, notice: retryLine, level: slog.LevelWarn, msg: "ClickAI took too long: prefer response_mode: streaming",
}

// judgeContent decides about a body that is no answer although its status says so. JSON is ClickAI's own, and would be the
// same the next time; what is torn, or of another type, comes from something on the way.
func judgeContent(e *clickai.Error) verdict {
	if errors.Is(e, clickai.ErrTooLong) || json.Valid(e.Body) {
		return verdict{notice: retryLine, level: slog.LevelWarn, msg: "what ClickAI sent is no answer", body: excerptOther}
	}
	return verdict{
		again: true, look: true, notice: retryLine, level: slog.LevelError, final: slog.LevelError, msg: "the answer is not ClickAI's: is base_url right?",
		body: excerptOther,
	}
}

func judgeStatus(e *clickai.Error, stored bool) verdict {
	switch e.Status {
	case http.StatusBadRequest:
		return judgeBadRequest(e, stored)
	case http.StatusUnauthorized:
		return verdict{notice: setupLine, level: slog.LevelError, msg: "the app's API key is refused: make a new one in ClickAI Studio"}
	case http.StatusForbidden:
		return verdict{notice: setupLine, level: slog.LevelError, msg: "no right to this app: is its API switched on?"}
	case http.StatusNotFound:
		if stored && e.Code == "not_found" {
			return verdict{again: true, once: "not found", reset: true, notice: setupLine, level: slog.LevelWarn, msg: "conversation not found, starting a new one"}
		}
		return verdict{notice: setupLine, level: slog.LevelError, msg: "route not found: is base_url right, and does the app's mode fit its key?"}
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return verdict{again: true, after: e.RetryAfter, look: true, notice: retryLine, level: slog.LevelWarn, msg: "ClickAI asks to try again"}
	case http.StatusRequestEntityTooLarge:
		return verdict{notice: core.Notice{Kind: core.NoticeTooLong}, level: slog.LevelWarn, msg: "question too long"}
	case http.StatusTooManyRequests:
		if e.Code == "rate_limit_error" {
			return verdict{notice: quotaLine, level: slog.LevelError, msg: "the plan's quota is used up"}
		}
		return verdict{again: true, after: e.RetryAfter, notice: retryLine, level: slog.LevelWarn, msg: "too many requests"}
	case http.StatusGatewayTimeout, 524:
		return slowAnswer
	}
	switch {
	case e.Status >= 500:
		return verdict{
			again: true, after: e.RetryAfter, look: true, notice: retryLine, level: slog.LevelWarn, final: slog.LevelError, msg: "ClickAI failed",
		}
	case e.Status >= 300 && e.Status < 400, e.Status == http.StatusMethodNotAllowed:
		return verdict{notice: setupLine, level: slog.LevelError, msg: "redirected or not allowed: base_url is wrong (https, path)"}
	case e.Status == http.StatusUnsupportedMediaType:
		return verdict{notice: setupLine, level: slog.LevelError, msg: "request refused"}
	}
	return refusal(e)
}

// refusal is a request that ClickAI does not take. Of one that says nothing to people, the log has the start.
func refusal(e *clickai.Error) verdict {
	v := verdict{notice: errorLine(e.Message), level: slog.LevelError, msg: "request refused"}
	if e.Message == "" {
		v.body = excerptBroken
	}
	return v
}

func judgeBadRequest(e *clickai.Error, stored bool) verdict {
	text := strings.ToLower(e.Message)
	params := strings.ToLower(e.Params)
	refused := refusal(e)
	switch {
	case e.Code == "conversation_completed", stored && (strings.Contains(params, "conversation_id") || strings.Contains(text, "conversation_id")):
		if stored {
			return verdict{again: true, once: "conversation", reset: true, notice: errorLine(e.Message), level: slog.LevelWarn, msg: "conversation is closed, starting a new one"}
		}
	case strings.Contains(text, "not support blocking") || strings.Contains(text, "blocking mode"):
		return verdict{again: true, once: "blocking", stream: true, notice: errorLine(e.Message), level: slog.LevelWarn, msg: "this app does not answer in blocking mode: set response_mode: streaming"}
	}
	switch e.Code {
	case "not_chat_app", "not_workflow_app", "not_completion_app", "app_unavailable", "agent_not_published":
		refused.msg = "the app's mode and its key do not fit, or it is not published"
	case "provider_not_initialize", "provider_quota_exceeded", "model_currently_not_support":
		refused.msg = "the app's model is not usable: mend it in ClickAI Studio"
	case "completion_request_error":
		// Whatever the provider said, a rate limit of its own too: asking later may do.
		refused.msg, refused.notice.Kind = "the model's provider refused", core.NoticeErrorRetry
	case "invalid_param":
		refused.msg = "a parameter was refused: see inputs of the app"
		if aboutFiles(text) {
			refused.level, refused.msg = slog.LevelWarn, "a file was refused"
		}
	}
	return refused
}

var (
	setupLine = core.Notice{Kind: core.NoticeSetup}
	retryLine = core.Notice{Kind: core.NoticeRetry}
	quotaLine = core.Notice{Kind: core.NoticeQuota}
)

// aboutFiles tells whether a refusal, in lower case, is about the files of a question
// (https://docs.dify.ai/api-reference, errors of the chat calls).
func aboutFiles(text string) bool {
	for _, said := range []string{"file validation failed", "invalid upload file", "number of files"} {
		if strings.Contains(text, said) {
			return true
		}
	}
	return false
}

// errorLine tells what ClickAI said, if anything.
func errorLine(message string) core.Notice {
	return core.Notice{Kind: core.NoticeError, Detail: cleanMessage(message)}
}

// refusals are the codes of errors that asking again does not mend, for servers that tell no status
// (https://docs.dify.ai/api-reference, errors of the chat and workflow calls).
var refusals = []string{
	"invalid_param", "bad_request", "completion_request_error", "app_unavailable", "provider_not_initialize",
	"provider_quota_exceeded", "model_currently_not_support", "conversation_completed", "not_chat_app", "not_workflow_app",
	"workflow_not_found", "invalid_api_key",
}

// eventError is what an error event within a stream means. Its status is about the run, not about the bridge's own request.
func (a *App) eventError(ctx context.Context, ev *clickai.ErrorEvent) error {
	a.log.ErrorContext(ctx, "ClickAI reports an error in the answer", slog.String("code", ev.Code), slog.Int("status", ev.Status),
		slog.String("message", cleanMessage(ev.Message)), slog.String("message_id", ev.MessageID))
	n := retryLine
	if ev.Status >= 400 && ev.Status < 500 || ev.Status == 0 && slices.Contains(refusals, ev.Code) {
		n = errorLine(ev.Message)
	}
	return &core.AppError{Notice: n, Class: core.Invalid, Begun: true, Err: errors.New("error event " + ev.Code + ": " + cleanMessage(ev.Message))}
}

func (a *App) runFailed(message string) error {
	return &core.AppError{Notice: errorLine(message), Class: core.Invalid, Begun: true, Err: errors.New("workflow failed: " + cleanMessage(message))}
}

// callError maps a failure of a call that is not a generation.
func callError(err error) error {
	if err == nil {
		return nil
	}
	out := &core.AppError{Class: core.Invalid, Err: err, Notice: retryLine}
	if quota, day := errors.AsType[*clickai.QuotaError](err); day {
		out.Class, out.Notice, out.After = core.Transient, quotaLine, time.Until(quota.Until)
		return out
	}
	e, ok := errors.AsType[*clickai.Error](err)
	if !ok {
		out.Class = core.Transient
		return out
	}
	out.After = e.RetryAfter
	switch {
	case e.Kind == clickai.KindInvalid:
	case e.Kind != clickai.KindStatus:
		out.Class = core.Transient
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		out.Class, out.Notice = core.Auth, setupLine
	case e.Status == http.StatusNotFound:
		out.Class = core.NotFound
	case e.Status == http.StatusRequestEntityTooLarge:
		out.Class = core.TooLarge
	case e.Status == http.StatusUnsupportedMediaType:
		out.Class = core.Unsupported
	case e.Status == http.StatusTooManyRequests:
		out.Class = core.RateLimited
	case e.Status >= 500 || e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooEarly:
		out.Class = core.Transient
	}
	return out
}
