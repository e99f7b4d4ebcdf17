package telegram

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/clickai/bridge/core"
)

var (
	errSettings = errors.New("settings are not those of Telegram")
	errRunning  = errors.New("the bot runs already")
	errBadID    = errors.New("not an id of Telegram")
	errToken    = errors.New("the token is refused: " + mendToken)
	errNoResult = errors.New("the answer does not hold what was asked for")
	errHuge     = fmt.Errorf("it is larger than %d bytes", maxAnswer)
)

// apiError is an answer with ok false. It is read from the answer itself and not from what the library makes of it: there
// the reason of most errors is text only, [errors.Is] with its sentinel for 429 is false, IsTooManyRequestsError does not
// look into wrapped errors, and 5xx has no type at all (go-telegram/bot v1.23.0, errors.go and raw_request.go).
// Source: https://core.telegram.org/bots/api#making-requests
type apiError struct {
	Code        int
	Description string
	RetryAfter  time.Duration
	MigrateTo   int64 // the supergroup that the group has become; 0 for other errors
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.Code, oneLine(e.Description, 200)) }

func (e *apiError) says(parts ...string) bool {
	text := strings.ToLower(e.Description)
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// foreignError is an answer that is not the Bot API's: the page of a proxy, of a gateway, of a captive portal. Its status
// says nothing about the bot. The library would put the whole page into its error.
type foreignError struct {
	status     int
	retryAfter time.Duration
}

func (e *foreignError) Error() string {
	return fmt.Sprintf("the server answered %d %s, which is not from the Bot API", e.status, http.StatusText(e.status))
}

// netError is a call without an answer.
type netError struct {
	sent bool // there was a connection, so the call may have arrived
	err  error
}

func (e *netError) Error() string { return e.err.Error() }
func (e *netError) Unwrap() error { return e.err }

// tooSoonError says that a call would have had to wait longer than it may.
type tooSoonError struct{ wait time.Duration }

func (e *tooSoonError) Error() string { return "own budget is used up for " + e.wait.String() }

// migratedTo is the id of the supergroup that a group has become, if that is what err says; else 0.
func migratedTo(err error) int64 {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.MigrateTo
	}
	return 0
}

// says tells whether the Bot API answered err with one of these texts, in lower case.
func says(err error, parts ...string) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && e.says(parts...)
}

// fail turns an error into the one that core decides by. once says that the call must not be made twice, so that it matters
// whether it may have taken effect.
func (p *Platform) fail(op string, err error, once bool) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*core.Error](err); ok {
		return known
	}
	e := &core.Error{Op: "telegram." + op, Class: core.Transient, Err: p.mask(err)}
	if soon, ok := errors.AsType[*tooSoonError](err); ok {
		e.Class, e.RetryAfter = core.RateLimited, soon.wait
	} else if api, ok := errors.AsType[*apiError](err); ok {
		e.Class, e.RetryAfter = api.class(), api.RetryAfter
		e.Maybe = once && api.Code >= 500
	} else if page, ok := errors.AsType[*foreignError](err); ok {
		e.Maybe = once && page.status >= 500
		switch page.status {
		case http.StatusTooManyRequests:
			e.Class, e.RetryAfter = core.RateLimited, page.retryAfter
		case http.StatusRequestEntityTooLarge:
			e.Class = core.TooLarge
		}
	} else if broken, ok := errors.AsType[*netError](err); ok {
		e.Maybe = once && broken.sent
	} else if errors.Is(err, errNoResult) {
		e.Maybe = once
	}
	return e
}

// class is what can be done about the error. The Bot API has no codes but the HTTP ones: the reason is in the text, as
// https://github.com/tdlib/telegram-bot-api (Client.cpp) and TDLib write it.
func (e *apiError) class() core.Class {
	switch e.Code {
	case http.StatusUnauthorized:
		return core.Auth
	case http.StatusForbidden: // blocked, kicked, not a member, user deactivated, may not begin a conversation
		return core.RoomGone
	case http.StatusNotFound:
		return core.Unsupported // a method that the server does not know; a wrong token is told at the start, see poll.go
	case http.StatusTooManyRequests:
		return core.RateLimited
	case http.StatusRequestEntityTooLarge:
		return core.TooLarge
	case http.StatusConflict, http.StatusRequestTimeout:
		return core.Transient
	}
	if e.Code >= 500 {
		return core.Transient
	}
	switch {
	case e.says("can't parse entities"):
		return core.BadMarkup
	case e.says("message to edit not found", "message can't be edited", "message_id_invalid", "message to delete not found",
		"there is no text in the message to edit"):
		return core.MessageGone
	case e.says("message thread not found", "topic_closed", "topic_deleted", "topic_id_invalid"):
		return core.ThreadGone
	case e.says("message is too long", "message_too_long", "caption is too long"):
		return core.TooLong
	case e.says("is too big", "entity too large"): // "file is too big", "file of size … bytes is too big for a photo"
		return core.TooLarge
	case e.says("rights to send text", "have no rights to send a message", "need administrator rights", "chat_write_forbidden",
		"chat_restricted", "chat not found", "peer_id_invalid", "group chat was deactivated", "user is deactivated",
		"bot was blocked", "bot was kicked", "bot is not a member", "user_is_blocked", "channel_private"):
		return core.RoomGone
	case e.says("not enough rights"): // to send photos, polls …: text may still be allowed
		return core.Denied
	case e.says("wrong file_id", "wrong file identifier", "file is temporarily unavailable", "file_reference_expired"):
		return core.NotFound
	case e.says("too many requests", "flood"):
		return core.RateLimited
	}
	return core.Invalid
}

// mask takes the token, which is part of every address, out of an error. The chain is kept only if it holds no token.
func (p *Platform) mask(err error) error {
	token := p.token.Reveal()
	if text := err.Error(); strings.Contains(text, token) {
		return errors.New(oneLine(strings.ReplaceAll(text, token, "***"), 500))
	}
	return err
}

// oneLine makes text from outside fit for a log.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

func invalid(op string, err error) *core.Error {
	return &core.Error{Op: "telegram." + op, Class: core.Invalid, Err: err}
}
