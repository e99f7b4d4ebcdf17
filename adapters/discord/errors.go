package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

var (
	errSettings = errors.New("settings are not those of Discord")
	errBadID    = errors.New("not a Discord id")
	errNotOwn   = errors.New("answer is not Discord's own")
)

// apiError is an error that Discord itself answered.
// Source: https://docs.discord.com/developers/reference#error-messages
type apiError struct {
	Status  int
	Code    int             `json:"code"`
	Message *string         `json:"message"`
	Errors  json.RawMessage `json:"errors"`
}

func (e *apiError) Error() string {
	s := fmt.Sprintf("HTTP %d, code %d: %s", e.Status, e.Code, oneLine(*e.Message, 200))
	if len(e.Errors) > 0 {
		s += " " + oneLine(string(e.Errors), 300)
	}
	return s
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

// failure turns what a request brought back into the error that core decides by. err is what discordgo said; inThread
// says that the request was for a thread.
func failure(op string, ex *exchange, err error, inThread bool) *core.Error {
	e := &core.Error{Op: op, Class: core.Transient}
	switch {
	case ex.status == 0:
		// The network. Once the request was handed over, it may have arrived.
		e.Maybe, e.Err = ex.sent, plainError(err)
		return e
	case ex.status < 300:
		// The answer broke off or could not be read: what was asked is done.
		e.Maybe, e.Err = true, plainError(err)
		return e
	case ex.status == http.StatusTooManyRequests:
		e.Class = core.RateLimited
		e.RetryAfter, _ = rateLimited(ex)
		e.Err = fmt.Errorf("HTTP 429, scope %q", oneLine(ex.header.Get("X-RateLimit-Scope"), 20))
		return e
	}
	api := &apiError{Status: ex.status}
	if json.Unmarshal(ex.body, api) != nil || api.Message == nil {
		// A proxy or Discord's protection answered, not the API: its status says nothing about the bot.
		e.Err = fmt.Errorf("HTTP %d: %w", ex.status, errNotOwn)
		e.Maybe = ex.status >= 500
		return e
	}
	e.Err = api
	if ex.status >= 500 {
		e.Maybe = true
		return e
	}
	e.Class = api.class(inThread)
	if e.Class == core.RateLimited {
		var body struct {
			RetryAfter float64 `json:"retry_after"`
		}
		_ = json.Unmarshal(ex.body, &body) // absent or odd: 0
		e.RetryAfter = max(secondsOf(body.RetryAfter), time.Second)
	}
	return e
}

// plainError takes the address out of an error of net/http: it is long, and holds a query that may be signed.
func plainError(err error) error {
	if err == nil {
		return errNotOwn
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// class is what can be done about the error.
// Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
func (e *apiError) class(inThread bool) core.Class {
	gone := core.RoomGone
	if inThread {
		gone = core.ThreadGone
	}
	switch e.Code {
	case discordgo.ErrCodeUnauthorized, discordgo.ErrCodeInvalidAuthenticationToken:
		return core.Auth
	case discordgo.ErrCodeUnknownMessage, discordgo.ErrCodeCannotEditFromAnotherUser, discordgo.ErrCodeCannotExecuteActionOnSystemMessage:
		return core.MessageGone
	case discordgo.ErrCodePerformedOperationOnArchivedThread, discordgo.ErrCodeThreadIsLocked:
		return core.ThreadGone
	case discordgo.ErrCodeUnknownChannel, discordgo.ErrCodeMissingAccess:
		return gone
	case discordgo.ErrCodeMissingPermissions:
		if inThread {
			return core.ThreadGone
		}
		return core.Denied
	case discordgo.ErrCodeUnknownGuild, discordgo.ErrCodeCannotSendMessagesToThisUser, discordgo.ErrCodeUserIsBannedFromThisGuild,
		discordgo.ErrCodeCannotSendMessagesInVoiceChannel, discordgo.ErrCodeCannotExecuteActionOnThisChannelType,
		discordgo.ErrCodeChannelVerificationLevelTooHigh:
		return core.RoomGone
	case discordgo.ErrCodeThisActionCannotBePerformedDueToSlowmodeRateLimit, discordgo.ErrCodeChannelHasHitWriteRateLimit,
		discordgo.ErrCodeTheWriteActionYouArePerformingOnTheServerHasHitTheWriteRateLimit,
		discordgo.ErrCodeMessageCannotBeEditedDueToAnnouncementRateLimits, discordgo.ErrCodeOpeningDirectMessagesTooFast,
		discordgo.ErrCodeMaximumNumberOfEditsToMessagesOlderThanOneHourReached, codeResourceRateLimited:
		return core.RateLimited
	case discordgo.ErrCodeAPIResourceIsCurrentlyOverloaded, discordgo.ErrCodeSendMessagesHasBeenTemporarilyDisabled,
		discordgo.ErrCodeFeatureTemporarilyDisabledServerSide, codeCloudflare:
		return core.Transient
	case discordgo.ErrCodeRequestEntityTooLarge, discordgo.ErrCodeFileUploadedExceedsTheMaximumSize:
		return core.TooLarge
	case discordgo.ErrCodeInvalidFormBody:
		return e.formClass()
	case discordgo.ErrCodeInvalidWebhookTokenProvided: // an interaction that is over; its 401 says nothing of the bot's token
		return core.NotFound
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return core.Auth
	case http.StatusForbidden:
		return core.Denied
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		if e.Code >= 10000 && e.Code < 20000 { // "Unknown …"
			return core.NotFound
		}
		return core.Unsupported
	case http.StatusRequestEntityTooLarge:
		return core.TooLarge
	}
	return core.Invalid
}

// Codes that discordgo has no name for.
const (
	codeResourceRateLimited = 40062
	codeCloudflare          = 40333
)

// formClass looks into the nested part of "Invalid Form Body", which discordgo leaves in the body.
func (e *apiError) formClass() core.Class {
	codes, ok := e.formCodes("content")
	switch {
	case slices.Contains(codes, "BASE_TYPE_MAX_LENGTH"), slices.Contains(codes, "BASE_TYPE_BAD_LENGTH"):
		return core.TooLong
	case ok:
		return core.BadMarkup
	}
	return core.Invalid
}

// formCodes lists the error codes of one field; ok is false if the field has none.
func (e *apiError) formCodes(field string) (codes []string, ok bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(e.Errors, &fields) != nil {
		return nil, false
	}
	raw, ok := fields[field]
	if !ok {
		return nil, false
	}
	var list struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"_errors"`
	}
	if json.Unmarshal(raw, &list) == nil {
		for _, c := range list.Errors {
			codes = append(codes, c.Code)
		}
	}
	return codes, true
}

// codeOf is Discord's own code in err's tree; 0 if there is none.
func codeOf(err error) int {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.Code
	}
	return 0
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
