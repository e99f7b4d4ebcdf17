package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// How long Slack takes an answer.
// Source: https://docs.slack.dev/interactivity/handling-user-interaction (response_url and trigger_id)
const (
	hookLife    = 30 * time.Minute
	triggerLife = 3 * time.Second
)

// handle is what an event's Handle holds. It is a credential: it is neither stored nor logged.
type handle struct {
	URL       string    `json:"u,omitempty"` // response_url, on a host that may have it
	Room      string    `json:"c"`
	Thread    string    `json:"t,omitempty"`
	User      string    `json:"p"`
	Message   string    `json:"m,omitempty"` // that bears the button
	Direct    bool      `json:"d,omitempty"`
	Trigger   string    `json:"g,omitempty"`
	Triggered time.Time `json:"at"`
}

func (h *handle) String() string {
	raw, _ := json.Marshal(h) // strings, a bool and a time only
	return string(raw)
}

var (
	errBadHandle = errors.New("no handle of this bot's")
	errTooLate   = errors.New("Slack takes a form for three seconds only") //nolint:staticcheck // a name
)

func parseHandle(op, s string) (*handle, error) {
	var h handle
	if err := json.Unmarshal([]byte(s), &h); err != nil || !isID(h.Room) || !isID(h.User) || h.Thread != "" && !isTS(h.Thread) {
		return nil, invalid(op, errBadHandle)
	}
	return &h, nil
}

// Answer shows p to one person: at the response_url of what that person did, which takes five answers in half an hour, and
// beyond that by chat.postEphemeral. A blank p asks for nothing: what a person did is acknowledged as soon as it is durable.
// Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
func (p *Platform) Answer(ctx context.Context, to string, part core.Part) error {
	const op = "slack.Answer"
	h, err := parseHandle(op, to)
	if err != nil || strings.TrimSpace(part.Text) == "" && strings.TrimSpace(part.Plain) == "" && part.Buttons == "" {
		return err
	}
	if h.URL != "" && time.Since(h.Triggered) < hookLife {
		err := p.show(op, part, turn{given: true}, func(c *content, _ turn) error { return p.respond(ctx, op, h, c) })
		if core.ClassOf(err) != core.NotFound {
			return err
		}
	}
	return p.show(op, part, method("chat.postEphemeral"), func(c *content, use turn) error {
		options := c.options(false)
		if h.Thread != "" {
			options = append(options, slackgo.MsgOptionTS(h.Thread))
		}
		_, err := p.call(ctx, op, use, func(ctx context.Context) error {
			_, err := p.api.PostEphemeralContext(ctx, h.Room, h.User, options...)
			return err //nolint:wrapcheck // call classifies it
		}, nil)
		return err
	})
}

// ownURL is a response_url, if it leads to a host of Slack's or that of api_url; else "". What is sent there is of use to
// others.
func (p *Platform) ownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || !p.http.own(u) {
		return ""
	}
	return u.String()
}

// respond posts to a response_url. slack-go's own way expects an answer that Slack does not give there: the word "ok".
func (p *Platform) respond(ctx context.Context, op string, h *handle, c *content) error {
	said := map[string]any{"response_type": "ephemeral", "replace_original": false, "text": c.text}
	if c.plain {
		said["mrkdwn"] = false
	}
	if len(c.blocks) > 0 {
		said["blocks"] = c.blocks
	}
	if h.Thread != "" {
		said["thread_ts"] = h.Thread
	}
	body, err := json.Marshal(said)
	if err != nil {
		return invalid(op, fmt.Errorf("encode the answer: %w", err))
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return invalid(op, plainError(err))
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := p.http.calls.Do(r)
	if err != nil {
		return &core.Error{Op: op, Class: core.Transient, Maybe: true, Err: plainError(err)}
	}
	got, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	return responded(op, resp.StatusCode, resp.Header, got, err)
}

// responded is what the answer of a response_url means. An error is named in a JSON object, or as the whole text.
func responded(op string, status int, header http.Header, body []byte, broken error) error {
	var a answer
	said := strings.TrimSpace(string(body))
	isJSON := json.Unmarshal(body, &a) == nil && a.OK != nil
	if !isJSON && isID(said) {
		a.Error = said
	}
	e := &core.Error{Op: op, Class: core.Transient, Err: fmt.Errorf("response_url: HTTP %d", status)}
	switch {
	case status == http.StatusTooManyRequests:
		e.Class, e.RetryAfter = core.RateLimited, retryAfter(header)
	case status >= 500 || broken != nil:
		e.Maybe = true
	case isJSON && !*a.OK, status/100 != 2 && a.Error != "":
		fail := &apiError{Status: status, Code: a.Error, Messages: a.Metadata.Messages}
		e.Class, e.Err = fail.class(), fail
	case status == http.StatusNotFound, status == http.StatusGone:
		e.Class = core.NotFound
	case status/100 != 2:
		e.Class = core.Invalid
	default:
		return nil
	}
	return e
}
