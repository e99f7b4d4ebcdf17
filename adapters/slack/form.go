package slack

import (
	"context"
	"encoding/json"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// A form and its one field.
// Source: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
const (
	formBlock  = "form"
	formField  = "text"
	maxWritten = 3000 // characters
	maxTitle   = 24   // characters of the title and of each button
	maxLabel   = 2000 // characters
)

// about is what the private_metadata of a form says: where the message stands whose button opened it.
type about struct {
	Room    string `json:"c"`
	Thread  string `json:"t,omitempty"`
	Message string `json:"m,omitempty"`
	Direct  bool   `json:"d,omitempty"`
}

// OpenForm opens a window with one field of up to 3,000 characters. Slack takes it for three seconds after the person's
// press; later, the error is of class [core.NotFound].
// Source: https://docs.slack.dev/reference/methods/views.open, https://docs.slack.dev/reference/views/modal-views
func (p *Platform) OpenForm(ctx context.Context, to string, f core.Form) error {
	const op = "slack.OpenForm"
	h, err := parseHandle(op, to)
	if err != nil {
		return err
	}
	left := triggerLife - time.Since(h.Triggered)
	if h.Trigger == "" || left <= 0 {
		return &core.Error{Op: op, Class: core.NotFound, Err: errTooLate}
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	meta, err := json.Marshal(about{Room: h.Room, Thread: h.Thread, Message: h.Message, Direct: h.Direct})
	if err != nil {
		return invalid(op, err)
	}
	plain := func(s string, limit int) *slackgo.TextBlockObject {
		return &slackgo.TextBlockObject{Type: slackgo.PlainTextType, Text: fit(oneLine(s), limit)}
	}
	field := slackgo.NewPlainTextInputBlockElement(nil, formField)
	field.Multiline, field.MaxLength, field.FocusOnLoad = true, maxWritten, true
	view := slackgo.ModalViewRequest{
		Type: slackgo.VTModal, CallbackID: f.ID, PrivateMetadata: string(meta), Title: plain(f.Title, maxTitle),
		Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{slackgo.NewInputBlock(formBlock, plain(f.Label, maxLabel), nil, field)}},
	}
	if f.Submit != "" {
		view.Submit = plain(f.Submit, maxTitle)
	}
	if f.Cancel != "" {
		view.Close = plain(f.Cancel, maxTitle)
	}
	use := method("views.open")
	use.wait = waitForm
	_, err = p.call(ctx, op, use, func(ctx context.Context) error {
		_, err := p.api.OpenViewContext(ctx, h.Trigger, view)
		return err //nolint:wrapcheck // call classifies it
	}, nil)
	return err
}
