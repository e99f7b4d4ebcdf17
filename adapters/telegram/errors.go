package telegram

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	tgbot "github.com/go-telegram/bot"

	"github.com/clickai/bridge/core"
)

// apiError is an answer with ok false to one of the package's own calls.
type apiError struct {
	Code        int
	Description string
	RetryAfter  int
	MigrateTo   int64
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Description) }

// foreignError is an answer that is not the Bot API's: a proxy's page, a gateway's error.
type foreignError struct{ status string }

func (e *foreignError) Error() string { return "the server answered " + e.status + ", not the Bot API" }

// fail maps an error to core's classes. maybe says that the call may have taken effect. The token, which is part of every
// address, is taken out of the text.
func (p *Platform) fail(op string, err error, maybe bool) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*core.Error](err); ok {
		return known
	}
	out := &core.Error{Op: "telegram." + op, Class: core.Transient, Err: p.mask(err)}
	if e, ok := errors.AsType[*tgbot.TooManyRequestsError](err); ok { // errors.Is with the sentinel does not match
		out.Class, out.RetryAfter = core.RateLimited, time.Duration(e.RetryAfter)*time.Second
		return out
	}
	code, text := 0, err.Error()
	own, isOwn := errors.AsType[*apiError](err)
	switch {
	case isOwn:
		code, text = own.Code, own.Description
		out.RetryAfter = time.Duration(own.RetryAfter) * time.Second
	case errors.Is(err, tgbot.ErrorBadRequest):
		code = 400
	case errors.Is(err, tgbot.ErrorUnauthorized):
		code = 401
	case errors.Is(err, tgbot.ErrorForbidden):
		code = 403
	case errors.Is(err, tgbot.ErrorNotFound):
		code = 404
	case errors.Is(err, tgbot.ErrorConflict):
		code = 409
	}
	switch code {
	case 400:
		out.Class = classOf400(strings.ToLower(text))
	case 401:
		out.Class = core.Auth
	case 403:
		out.Class = core.RoomGone
	case 404:
		out.Class = core.Unsupported // a method that the server does not know; a wrong token is told at the start
	case 429:
		out.Class = core.RateLimited
	case 409:
		out.Class = core.Transient
	case 0:
		// Network, 5xx, or a page that is not Telegram's.
		_, network := errors.AsType[*url.Error](err)
		out.Maybe = maybe && (network || !errors.Is(err, context.Canceled))
	}
	return out
}

// reasons of a 400 are told in words only.
func classOf400(text string) core.Class {
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	}
	switch {
	case has("can't parse entities", "unsupported start tag", "can't find end"):
		return core.BadMarkup
	case has("message to edit not found", "message can't be edited", "message_id_invalid", "message to delete not found"):
		return core.MessageGone
	case has("message thread not found", "topic_closed", "topic_deleted", "topic_id_invalid"):
		return core.ThreadGone
	case has("message is too long", "message_too_long", "caption is too long"):
		return core.TooLong
	case has("file is too big", "request entity too large"):
		return core.TooLarge
	case has("chat not found", "bot was blocked", "bot was kicked", "user is deactivated", "not enough rights", "have no rights",
		"chat_write_forbidden", "peer_id_invalid", "group chat was deactivated", "chat_restricted"):
		return core.RoomGone
	case has("wrong file", "file_id", "invalid file", "file is temporarily unavailable"):
		return core.NotFound
	}
	return core.Invalid
}

// maskedError keeps the chain of an error and hides the token in its text.
type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string { return e.text }
func (e *maskedError) Unwrap() error { return e.err }

func (p *Platform) mask(err error) error {
	text := strings.ReplaceAll(err.Error(), p.token, "***")
	if len(text) > 500 { // the library repeats a whole body that it could not decode
		text = text[:500] + "…"
	}
	return &maskedError{text: strings.ToValidUTF8(text, ""), err: err}
}
