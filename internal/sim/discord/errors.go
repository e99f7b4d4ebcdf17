package discord

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// apiError is a refusal with its body. A fault is the bot's own: it becomes a violation.
// Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
type apiError struct {
	status  int
	code    int
	message string
	fields  map[string][]fieldError // by dotted path; only with 50035
	fault   bool
}

type fieldError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

var (
	errUnauthorized       = &apiError{status: http.StatusUnauthorized, message: "401: Unauthorized"}
	errNotFound           = &apiError{status: http.StatusNotFound, message: "404: Not Found", fault: true}
	errMethod             = &apiError{status: http.StatusMethodNotAllowed, message: "405: Method Not Allowed", fault: true}
	errUnknownChannel     = &apiError{status: http.StatusNotFound, code: 10003, message: "Unknown Channel"}
	errUnknownGuild       = &apiError{status: http.StatusNotFound, code: 10004, message: "Unknown Guild"}
	errUnknownMember      = &apiError{status: http.StatusNotFound, code: 10007, message: "Unknown Member"}
	errUnknownMessage     = &apiError{status: http.StatusNotFound, code: 10008, message: "Unknown Message"}
	errUnknownUser        = &apiError{status: http.StatusNotFound, code: 10013, message: "Unknown User"}
	errUnknownEmoji       = &apiError{status: http.StatusBadRequest, code: 10014, message: "Unknown Emoji", fault: true}
	errUnknownWebhook     = &apiError{status: http.StatusNotFound, code: 10015, message: "Unknown Webhook"}
	errUnknownInteraction = &apiError{status: http.StatusNotFound, code: 10062, message: "Unknown interaction"}
	errUnknownCommand     = &apiError{status: http.StatusNotFound, code: 10063, message: "Unknown application command"}
	errTooManyReactions   = &apiError{status: http.StatusBadRequest, code: 30010, message: "Maximum number of reactions reached (20)", fault: true}
	errTooLarge           = &apiError{status: http.StatusRequestEntityTooLarge, code: 40005, message: "Request entity too large", fault: true}
	errAcknowledged       = &apiError{status: http.StatusBadRequest, code: 40060, message: "Interaction has already been acknowledged."}
	errMissingAccess      = &apiError{status: http.StatusForbidden, code: 50001, message: "Missing Access"}
	errDMChannel          = &apiError{status: http.StatusBadRequest, code: 50003, message: "Cannot execute action on a DM channel", fault: true}
	errNotAuthor          = &apiError{status: http.StatusForbidden, code: 50005, message: "Cannot edit a message authored by another user"}
	errEmptyMessage       = &apiError{status: http.StatusBadRequest, code: 50006, message: "Cannot send an empty message", fault: true}
	errCannotDM           = &apiError{status: http.StatusForbidden, code: 50007, message: "Cannot send messages to this user"}
	errNonText            = &apiError{status: http.StatusBadRequest, code: 50008, message: "Cannot send messages in a non-text channel", fault: true}
	errMissingPermissions = &apiError{status: http.StatusForbidden, code: 50013, message: "Missing Permissions"}
	errBulkCount          = &apiError{status: http.StatusBadRequest, code: 50016, message: "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete.", fault: true}
	errSystemMessage      = &apiError{status: http.StatusForbidden, code: 50021, message: "Cannot execute action on a system message"}
	errChannelType        = &apiError{status: http.StatusBadRequest, code: 50024, message: "Cannot execute action on this channel type", fault: true}
	errWebhookToken       = &apiError{status: http.StatusUnauthorized, code: 50027, message: "Invalid Webhook Token"}
	errRecipient          = &apiError{status: http.StatusBadRequest, code: 50033, message: "Invalid Recipient(s)"}
	errBulkAge            = &apiError{status: http.StatusBadRequest, code: 50034, message: "You can only bulk delete messages that are under 14 days old.", fault: true}
	errVersion            = &apiError{status: http.StatusBadRequest, code: 50041, message: "Invalid API version", fault: true}
	errArchived           = &apiError{status: http.StatusBadRequest, code: 50083, message: "Thread is archived"}
	errInvalidJSON        = &apiError{status: http.StatusBadRequest, code: 50109, message: "The request body contains invalid JSON.", fault: true}
	errReplyHistory       = &apiError{status: http.StatusBadRequest, code: 160002, message: "Cannot reply without permission to read message history"}
	errThreadExists       = &apiError{status: http.StatusBadRequest, code: 160004, message: "A thread has already been created for this message"}
	errThreadLocked       = &apiError{status: http.StatusBadRequest, code: 160005, message: "Thread is locked"}
)

// form collects the field errors of one body.
type form map[string][]fieldError

func (f form) add(path, code, message string) {
	f[path] = append(f[path], fieldError{Code: code, Message: message})
}

func (f form) tooLong(path string, limit int) {
	f.add(path, "BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", limit))
}

func (f form) badLength(path string, low, high int) {
	f.add(path, "BASE_TYPE_BAD_LENGTH", fmt.Sprintf("Must be between %d and %d in length.", low, high))
}

func (f form) required(path string) { f.add(path, "BASE_TYPE_REQUIRED", "This field is required") }

// err is nil when nothing is wrong with the form.
func (f form) err() *apiError {
	if len(f) == 0 {
		return nil
	}
	return &apiError{status: http.StatusBadRequest, code: 50035, message: "Invalid Form Body", fields: f, fault: true}
}

func formError(path, code, message string) *apiError {
	f := form{}
	f.add(path, code, message)
	return f.err()
}

// body is the error as Discord sends it; field errors nest by their path.
// Source: https://docs.discord.com/developers/reference#error-messages
func (e *apiError) body() []byte {
	out := map[string]any{"message": e.message, "code": e.code}
	if len(e.fields) > 0 {
		root := map[string]any{}
		for path, errs := range e.fields {
			at := root
			for part := range strings.SplitSeq(path, ".") {
				next, ok := at[part].(map[string]any)
				if !ok {
					next = map[string]any{}
					at[part] = next
				}
				at = next
			}
			at["_errors"] = errs
		}
		out["errors"] = root
	}
	b, err := json.Marshal(out)
	if err != nil { // strings and numbers only
		panic(err)
	}
	return b
}

// String tells the error in one line, for violations.
func (e *apiError) String() string {
	s := fmt.Sprintf("%d %d %s", e.status, e.code, e.message)
	paths := make([]string, 0, len(e.fields))
	for p, errs := range e.fields {
		paths = append(paths, fmt.Sprintf("; %s: %s", p, errs[0].Message))
	}
	slices.Sort(paths)
	return s + strings.Join(paths, "")
}
