package discord

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// interactions are those that can still be answered, by id. An id is the event's handle, so that the token, which lets anyone
// answer in the bot's name, stays here.
type interactions struct {
	mu  sync.Mutex
	all *recent[*interaction]
}

func newInteractions() *interactions {
	return &interactions{all: newRecent[*interaction](maxHandles)}
}

// interaction is one of them. Whoever holds its turn sees and changes its state.
type interaction struct {
	id, app, token string
	command        bool // an acknowledgement shows, since there is no message that it could be of
	form           bool // it is a form that was sent
	arrived        time.Time
	turn           chan struct{} // capacity 1
	state          answerState
}

// answerState is how far an interaction has been answered.
type answerState uint8

const (
	unanswered answerState = iota
	thinking               // a command's acknowledgement stands there, for its text to come
	answered               // more can follow
	over                   // Discord knows it no more
)

// take notes an interaction, and returns what is known of it already when it is delivered again; nil if it cannot be answered.
func (s *interactions) take(w *wireInteraction, app string, now time.Time) *interaction {
	if isID(w.AppID) {
		app = w.AppID
	}
	if !isID(app) || w.Token == "" || len(w.Token) > 1024 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.all.get(w.ID); ok {
		return i
	}
	i := &interaction{
		id: w.ID, app: app, token: url.PathEscape(w.Token), command: w.isCommand(), arrived: now, turn: make(chan struct{}, 1),
		form: w.Type == discordgo.InteractionModalSubmit,
	}
	s.all.put(w.ID, i)
	return i
}

var errOver = errors.New("the interaction can no longer be answered")

// begin waits for the turn to answer an interaction. The caller gives it back with end.
func (s *interactions) begin(ctx context.Context, op, handle string) (*interaction, error) {
	s.mu.Lock()
	i, ok := s.all.get(handle)
	s.mu.Unlock()
	if !ok {
		return nil, &core.Error{Op: op, Class: core.NotFound, Err: errOver}
	}
	select {
	case i.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, &core.Error{Op: op, Class: core.Transient, Err: fmt.Errorf("wait for another answer: %w", context.Cause(ctx))}
	}
	if i.state == over || time.Since(i.arrived) > tokenLife {
		i.end()
		return nil, &core.Error{Op: op, Class: core.NotFound, Err: errOver}
	}
	return i, nil
}

func (i *interaction) end() { <-i.turn }

// Callback types.
// Source: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
const (
	callbackMessage  = int(discordgo.InteractionResponseChannelMessageWithSource)
	callbackThinking = int(discordgo.InteractionResponseDeferredChannelMessageWithSource)
	callbackUpdate   = int(discordgo.InteractionResponseDeferredMessageUpdate)
	callbackForm     = int(discordgo.InteractionResponseModal)
)

type callbackBody struct {
	Type int `json:"type"`
	Data any `json:"data,omitempty"`
}

// ephemeral shows an answer to the one person alone.
const ephemeral = int(discordgo.MessageFlagsEphemeral)

// Answer shows a text to the person who gave a command or pressed a button, to nobody else; further ones follow it. A blank part
// leaves nothing to see. Discord takes the first answer for 3 seconds, which Run sees to, and further ones for 15 minutes; after
// that the class is [core.NotFound].
// Source: https://docs.discord.com/developers/interactions/receiving-and-responding#followup-messages
func (p *Platform) Answer(ctx context.Context, handle string, part core.Part) error {
	const op = "discord.Answer"
	i, err := p.inter.begin(ctx, op, handle)
	if err != nil {
		return err
	}
	defer i.end()
	rows := rowsOf(part.Buttons)
	if strings.TrimSpace(part.Text) == "" && len(rows) == 0 {
		return p.took(ctx, op, i)
	}
	body := newMessage(part.Text, "", "")
	body.Components = rows
	body.Flags |= ephemeral
	if i.state == unanswered {
		if err := p.respond(ctx, op, i, callbackMessage, body); !errors.Is(err, errTaken) {
			return err
		}
	}
	if i.state == thinking {
		err := p.hook(ctx, op, i, http.MethodPatch, &outEdit{
			Content: part.Text, AllowedMentions: nobody(false), Flags: noPreviews, Components: &rows,
		})
		if err == nil {
			i.state = answered
		}
		if codeOf(err) != discordgo.ErrCodeUnknownMessage {
			return err
		}
		i.state = answered // it is gone: the text follows
	}
	return p.hook(ctx, op, i, http.MethodPost, body)
}

// took says that an interaction was taken, and leaves nothing to see.
func (p *Platform) took(ctx context.Context, op string, i *interaction) error {
	if i.state == unanswered {
		if err := p.acknowledge(ctx, op, i); err != nil {
			return err
		}
	}
	if i.state != thinking {
		return nil
	}
	err := p.hook(ctx, op, i, http.MethodDelete, nil)
	if err == nil || codeOf(err) == discordgo.ErrCodeUnknownMessage {
		i.state = answered
		return nil
	}
	return err
}

// acknowledge makes the first answer without a text. That of a press shows nothing, that of a command shows the bot as thinking.
func (p *Platform) acknowledge(ctx context.Context, op string, i *interaction) error {
	kind, data := callbackUpdate, any(nil)
	if i.command {
		kind, data = callbackThinking, struct {
			Flags int `json:"flags"`
		}{ephemeral}
	}
	err := p.respond(ctx, op, i, kind, data)
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// errTaken says that an interaction had been acknowledged before: by another process, or by an answer that was not heard of.
var errTaken = errors.New("acknowledged before")

// respond makes the first answer and notes what has become of the interaction. An answer that may have arrived is tried once
// more: Discord takes only one of them, and says so. The error is errTaken if another was first.
// Source: https://docs.discord.com/developers/interactions/receiving-and-responding#create-interaction-response
func (p *Platform) respond(ctx context.Context, op string, i *interaction, kind int, data any) error {
	after := answered
	if kind == callbackThinking {
		after = thinking
	}
	for try := 0; ; try++ {
		err := p.api.do(ctx, call{
			op: op, method: http.MethodPost, url: discordgo.EndpointInteractionResponse(i.id, i.token), route: "callback", major: i.id,
			body: callbackBody{Type: kind, Data: data}, wait: waitPost, timeout: ackTimeout, apart: true,
		}, nil)
		failed, _ := errors.AsType[*core.Error](err)
		switch {
		case err == nil:
			i.state = after
			return nil
		case codeOf(err) == discordgo.ErrCodeInteractionHasAlreadyBeenAcknowledged && try > 0:
			i.state = after // by the first try
			return nil
		case codeOf(err) == discordgo.ErrCodeInteractionHasAlreadyBeenAcknowledged:
			i.state = answered
			if i.command {
				i.state = thinking
			}
			return &core.Error{Op: op, Class: core.Invalid, Err: errTaken}
		case codeOf(err) == discordgo.ErrCodeUnknownInteraction:
			i.state = over
			return err
		case failed == nil || !failed.Maybe || try > 0 || ctx.Err() != nil:
			return err
		}
	}
}

// hook makes a request with the interaction's token after the first answer: POST for a further message, PATCH and DELETE for the
// first one.
func (p *Platform) hook(ctx context.Context, op string, i *interaction, method string, body any) error {
	address, name := discordgo.EndpointInteractionResponseActions(i.app, i.token), "original"
	if method == http.MethodPost {
		address, name = discordgo.EndpointFollowupMessage(i.app, i.token), "followup"
	}
	err := p.api.do(ctx, call{
		op: op, method: method, url: address, route: name, major: i.id, body: body, wait: waitPost, apart: true,
	}, nil)
	if c := codeOf(err); c == discordgo.ErrCodeInvalidWebhookTokenProvided || c == discordgo.ErrCodeUnknownWebhook {
		i.state = over
	}
	return err
}

var errFormAgain = errors.New("a form cannot be answered with another")

// Lengths of a form in characters. Sources: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-modal,
// https://docs.discord.com/developers/components/reference#label and #text-input
const (
	maxFormTitle = 45
	maxFormLabel = 45
	maxFormText  = 4000
)

// labelComponent holds a field of a form; discordgo does not know it yet.
const labelComponent = 18

type outLabel struct {
	Type      int      `json:"type"`
	Label     string   `json:"label"`
	Component outField `json:"component"`
}

type outField struct {
	Type      int    `json:"type"`
	CustomID  string `json:"custom_id"`
	Style     int    `json:"style"`
	Required  bool   `json:"required"`
	MaxLength int    `json:"max_length"`
}

type outForm struct {
	CustomID   string     `json:"custom_id"`
	Title      string     `json:"title"`
	Components []outLabel `json:"components"`
}

// OpenForm opens a form of one field for the person behind the handle. It must be the first answer, within 3 seconds. Discord has
// its own words for sending and closing it. After another answer, and in answer to a form, the class is [core.Invalid].
// Source: https://docs.discord.com/developers/interactions/receiving-and-responding#create-interaction-response
func (p *Platform) OpenForm(ctx context.Context, handle string, f core.Form) error {
	const op = "discord.OpenForm"
	i, err := p.inter.begin(ctx, op, handle)
	if err != nil {
		return err
	}
	defer i.end()
	switch {
	case i.form:
		return invalid(op, errFormAgain)
	case i.state != unanswered:
		return invalid(op, errTaken)
	}
	return p.respond(ctx, op, i, callbackForm, outForm{
		CustomID: f.ID,
		Title:    cmp.Or(clipUnits(oneLine(strings.TrimSpace(f.Title), maxFormTitle), maxFormTitle), "…"),
		Components: []outLabel{{
			Type: labelComponent, Label: cmp.Or(clipUnits(oneLine(strings.TrimSpace(f.Label), maxFormLabel), maxFormLabel), "…"),
			Component: outField{
				Type: int(discordgo.TextInputComponent), CustomID: "text", Style: int(discordgo.TextInputParagraph),
				Required: true, MaxLength: maxFormText,
			},
		}},
	})
}
