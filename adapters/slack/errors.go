package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/clickai/bridge/core"
)

var (
	errNotOwn  = errors.New("answer is not Slack's own")
	errBare404 = errors.New("no such method on this server")
)

// apiError is an error that Slack itself answered.
type apiError struct {
	Status   int
	Code     string
	Needed   string // scopes, for missing_scope
	Provided string
	Messages []string
}

func (e *apiError) Error() string {
	said := []string{clip(oneLine(e.Code), 100)}
	if e.Needed != "" {
		said = append(said, "the scope "+clip(oneLine(e.Needed), 200)+" is needed")
	}
	for _, m := range e.Messages[:min(len(e.Messages), 3)] {
		said = append(said, clip(oneLine(m), 200))
	}
	if mend := e.mend(); mend != "" {
		said = append(said, mend)
	}
	return strings.Join(said, ": ")
}

// mend says what an administrator can do about it; "" if that is not known.
func (e *apiError) mend() string {
	switch e.Code {
	case "invalid_auth", "not_authed":
		return "the token is wrong: copy it again from " + appsPage
	case "account_inactive", "token_revoked", "token_expired":
		return "the token is no longer valid: " + mendInstl
	case "missing_scope":
		return "add the scope at " + appsPage + ", page OAuth & Permissions, and install the app again; connections:write belongs to the app-level token"
	case "not_allowed_token_type":
		return "bot_token must begin with xoxb-, app_token with xapp-"
	case "socket_mode_disabled", "socket_mode_not_enabled", "app_not_socket_mode", "link_disabled":
		return "switch Socket Mode on at " + appsPage + ", page Socket Mode"
	}
	return ""
}

// classes are what can be done about the errors that Slack names.
// Source: the lists of errors at https://docs.slack.dev/reference/methods, page of each method.
var classes = map[string]core.Class{
	"internal_error": core.Transient, "fatal_error": core.Transient, "service_unavailable": core.Transient,
	"request_timeout": core.Transient, "team_added_to_org": core.Transient, "rollup_error": core.Transient,

	"ratelimited": core.RateLimited, "rate_limited": core.RateLimited, "message_limit_exceeded": core.RateLimited,

	"invalid_auth": core.Auth, "not_authed": core.Auth, "account_inactive": core.Auth, "token_revoked": core.Auth,
	"token_expired": core.Auth, "org_login_required": core.Auth, "two_factor_setup_required": core.Auth,

	"missing_scope": core.Denied, "not_allowed_token_type": core.Denied, "no_permission": core.Denied,
	"access_denied": core.Denied, "ekm_access_denied": core.Denied, "enterprise_is_restricted": core.Denied,
	"team_access_not_granted": core.Denied, "accesslimited": core.Denied, "socket_mode_disabled": core.Denied,
	"socket_mode_not_enabled": core.Denied, "app_not_socket_mode": core.Denied, "link_disabled": core.Denied,
	"metadata_must_be_sent_from_app": core.Denied,

	"message_not_found": core.MessageGone, "cant_update_message": core.MessageGone, "cant_delete_message": core.MessageGone,
	"edit_window_closed": core.MessageGone, "streaming_state_conflict": core.MessageGone,
	"message_not_in_streaming_state": core.MessageGone, "is_inactive": core.MessageGone,

	"thread_not_found": core.ThreadGone, "invalid_thread_ts": core.ThreadGone, "cannot_reply_to_message": core.ThreadGone,
	"restricted_action_thread_locked": core.ThreadGone,

	"channel_not_found": core.RoomGone, "not_in_channel": core.RoomGone, "is_archived": core.RoomGone,
	"restricted_action": core.RoomGone, "restricted_action_read_only_channel": core.RoomGone,
	"restricted_action_thread_only_channel": core.RoomGone, "restricted_action_non_threadable_channel": core.RoomGone,
	"cannot_dm_bot": core.RoomGone, "messages_tab_disabled": core.RoomGone, "user_is_bot": core.RoomGone,
	"user_is_restricted": core.RoomGone, "user_disabled": core.RoomGone, "posting_to_general_channel_denied": core.RoomGone,
	"slack_connect_file_upload_sharing_blocked": core.RoomGone, "slack_connect_blocked_file_type": core.Unsupported,

	"invalid_blocks": core.BadMarkup, "invalid_blocks_format": core.BadMarkup, "invalid_attachments": core.BadMarkup,
	"no_text": core.BadMarkup, "markdown_text_conflict": core.BadMarkup,
	"msg_too_long": core.TooLong, "msg_blocks_too_long": core.TooLong, "too_many_attachments": core.TooLong,

	"file_upload_size_restricted": core.TooLarge, "file_upload_size_exceeded": core.TooLarge, "storage_limit_reached": core.TooLarge,
	"request_too_large": core.TooLarge,

	"expired_url": core.NotFound, "used_url": core.NotFound, "expired_trigger_id": core.NotFound, "invalid_trigger_id": core.NotFound,
	"exchanged_trigger_id": core.NotFound, "trigger_expired": core.NotFound, "trigger_exchanged": core.NotFound,
	"invalid_payload": core.BadMarkup, "user_not_in_channel": core.RoomGone,

	"file_not_found": core.NotFound, "file_deleted": core.NotFound, "user_not_found": core.NotFound, "bot_not_found": core.NotFound,
	"user_not_visible": core.NotFound, "users_not_found": core.NotFound, "file_uploads_disabled": core.Unsupported,
	"file_uploads_except_images_disabled": core.Unsupported, "unknown_method": core.Unsupported, "method_deprecated": core.Unsupported,
	"deprecated_endpoint": core.Unsupported, "method_not_supported_for_channel_type": core.Unsupported,
	"channel_type_not_supported": core.Unsupported, "feature_not_enabled": core.Unsupported,
}

func (e *apiError) class() core.Class {
	if c, ok := classes[e.Code]; ok {
		return c
	}
	if strings.HasPrefix(e.Code, "restricted_action") {
		return core.RoomGone
	}
	if e.Status >= 500 {
		return core.Transient
	}
	return core.Invalid
}

// codeOf is Slack's own code in err's tree; "" if there is none.
func codeOf(err error) string {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.Code
	}
	return ""
}

// tooSoonError is the error of a request that its budget does not allow now.
type tooSoonError struct{ wait time.Duration }

func (e *tooSoonError) Error() string {
	return fmt.Sprintf("held back for %s to keep Slack's rate limit", e.wait.Round(time.Millisecond))
}

// notSent is the error of a request that was held back.
func notSent(op string, err error) *core.Error {
	if soon, ok := errors.AsType[*tooSoonError](err); ok {
		return &core.Error{Op: op, Class: core.RateLimited, RetryAfter: soon.wait, Err: err}
	}
	return &core.Error{Op: op, Class: core.Transient, Err: err}
}

func invalid(op string, err error) *core.Error {
	return &core.Error{Op: op, Class: core.Invalid, Err: err}
}

// ended tells whether err is that of a context.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// lasting tells whether the same request would fail again.
func lasting(err error) bool {
	switch core.ClassOf(err) {
	case "", core.Transient, core.RateLimited, core.Auth:
		return false
	default:
		return true
	}
}

// oneLine makes text from outside fit for a log.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

func clip(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

// fit cuts a text that is longer than limit characters.
func fit(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}

func logErr(err error) slog.Attr { return slog.Any("err", err) }
