package discord

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// outMessage is what a message is created from. discordgo's MessageSend has no nonce
// (https://github.com/bwmarrin/discordgo/issues/1351) and writes an empty list as null.
// Source: https://docs.discord.com/developers/resources/message#create-message
type outMessage struct {
	Content         string          `json:"content,omitempty"`
	Nonce           string          `json:"nonce,omitempty"`
	EnforceNonce    bool            `json:"enforce_nonce,omitempty"`
	AllowedMentions allowedMentions `json:"allowed_mentions"`
	Reference       *outReference   `json:"message_reference,omitempty"`
	Flags           int             `json:"flags,omitempty"`
	Attachments     []outAttachment `json:"attachments,omitempty"`

	Components []discordgo.MessageComponent `json:"components,omitempty"`
}

type outAttachment struct {
	ID       int    `json:"id"`
	Filename string `json:"filename"`
}

// allowedMentions lets nothing in an answer ping anyone; only who asked is told of a reply.
// Source: https://docs.discord.com/developers/resources/message#allowed-mentions-object
type allowedMentions struct {
	Parse       []string `json:"parse"` // a list, never null
	RepliedUser bool     `json:"replied_user"`
}

type outReference struct {
	MessageID       string `json:"message_id"`
	FailIfNotExists bool   `json:"fail_if_not_exists"`
}

// outEdit is what a message is changed to. An edit without allowed_mentions would parse the mentions anew. Attachments
// are not named, so they stay.
// Source: https://docs.discord.com/developers/resources/message#edit-message
type outEdit struct {
	Content         string          `json:"content"`
	AllowedMentions allowedMentions `json:"allowed_mentions"`
	Flags           int             `json:"flags"`

	Components *[]discordgo.MessageComponent `json:"components,omitempty"` // nil: they stay
}

// noPreviews: the previews of links in an answer would be longer than the answer.
const noPreviews = int(discordgo.MessageFlagsSuppressEmbeds)

func nobody(replied bool) allowedMentions {
	return allowedMentions{Parse: []string{}, RepliedUser: replied}
}

func newMessage(content, nonce, replyTo string) *outMessage {
	m := &outMessage{Content: content, AllowedMentions: nobody(replyTo != "")}
	if content != "" {
		m.Flags = noPreviews
	}
	if nonce != "" && len(nonce) <= maxNonce {
		m.Nonce, m.EnforceNonce = nonce, true
	}
	if isID(replyTo) {
		m.Reference = &outReference{MessageID: replyTo}
	}
	return m
}

// target is the channel that stands for a place.
func target(op string, at core.Place) (string, error) {
	id := at.Room
	if at.Thread != "" {
		id = at.Thread
	}
	if !isID(id) {
		return "", invalid(op, errBadID)
	}
	return id, nil
}

// Post sends one message. With a nonce Discord returns the message that it has taken for the same nonce in the last
// minutes instead of making another. An archived thread that does not open by itself is opened, if the bot may. Its caller
// has waited for its turn with [Platform.Pace]. Buttons are rows of five under the text.
// Source: https://docs.discord.com/developers/resources/message#create-message
func (p *Platform) Post(ctx context.Context, post core.Post) (core.MessageRef, error) {
	const op = "discord.Post"
	channelID, err := target(op, post.Place)
	if err != nil {
		return core.MessageRef{}, err
	}
	replyTo, paced, opened := post.ReplyTo, true, false
	for {
		var sent sentMessage
		body := newMessage(post.Part.Text, post.Nonce, replyTo)
		body.Components = rowsOf(post.Part.Buttons)
		err := p.api.do(ctx, call{
			op: op, method: http.MethodPost, url: discordgo.EndpointChannelMessages(channelID), route: "messages", major: channelID,
			body: body, paced: paced, wait: waitPost, inThread: post.Place.Thread != "",
		}, &sent)
		switch {
		case err != nil && replyTo != "" && replyRefused(err):
			replyTo, paced = "", false // it was refused for sure: this is no second try of the same message
		case codeOf(err) == discordgo.ErrCodePerformedOperationOnArchivedThread && !opened && p.unarchive(ctx, channelID) == nil:
			paced, opened = false, true
		case err != nil:
			return core.MessageRef{}, err
		case !isID(sent.ID):
			return core.MessageRef{}, &core.Error{Op: op, Class: core.Transient, Maybe: true, Err: errNotOwn}
		default:
			p.bare.set(sent.ID, len(body.Components) == 0 && sent.noButtons())
			return core.MessageRef{Place: post.Place, ID: sent.ID}, nil
		}
	}
}

// replyRefused tells whether only the reference was wrong: a reply needs the permission to read the history, and cannot be
// to a system message.
func replyRefused(err error) bool {
	api, ok := errors.AsType[*apiError](err)
	if !ok {
		return false
	}
	if api.Code == discordgo.ErrCodeCannotReplyWithoutPermissionToReadMessageHistory {
		return true
	}
	_, named := api.formCodes("message_reference")
	return api.Code == discordgo.ErrCodeInvalidFormBody && named
}

// Edit changes a message that the bot sent. In an archived thread it opens the thread again, if it may. Its caller has waited
// for its turn with [Platform.Pace]. Messages older than an hour can be edited a few times only; then it returns
// [core.RateLimited] until Discord takes an edit again: to post a long answer anew for its last words would be worse.
func (p *Platform) Edit(ctx context.Context, m core.MessageRef, part core.Part) error {
	const op = "discord.Edit"
	channelID, err := target(op, m.Place)
	if err != nil {
		return err
	}
	if !isID(m.ID) {
		return invalid(op, errBadID)
	}
	if wait := p.api.limits.oldEdits(channelID); wait > 0 && time.Since(idOf(m.ID).time()) >= oldMessage {
		return notSent(op, &tooSoonError{wait: wait})
	}
	buttons := p.editedButtons(m.ID, part.Buttons)
	edit := func(paced bool) error {
		var now sentMessage
		err := p.api.do(ctx, call{
			op: op, method: http.MethodPatch, url: discordgo.EndpointChannelMessage(channelID, m.ID), route: "message", major: channelID,
			body: &outEdit{Content: part.Text, AllowedMentions: nobody(true), Flags: noPreviews, Components: buttons}, paced: paced,
			wait: waitPost, inThread: m.Thread != "",
		}, &now)
		if err == nil && now.ID != m.ID {
			return &core.Error{Op: op, Class: core.Transient, Err: errNotOwn} // a proxy's page with status 200
		}
		if err == nil {
			p.bare.set(m.ID, (buttons == nil || len(*buttons) == 0) && now.noButtons())
		}
		return err
	}
	err = edit(true)
	if m.Thread == "" || codeOf(err) != discordgo.ErrCodePerformedOperationOnArchivedThread {
		return err
	}
	if p.unarchive(ctx, m.Thread) != nil {
		return err
	}
	return edit(false)
}

// unarchive opens an archived thread, which any member may do unless it is locked.
// Source: https://docs.discord.com/developers/topics/threads#archived--unarchived-threads
func (p *Platform) unarchive(ctx context.Context, thread string) error {
	body := struct {
		Archived bool `json:"archived"`
	}{}
	return p.api.do(ctx, call{
		op: "discord.Unarchive", method: http.MethodPatch, url: discordgo.EndpointChannel(thread), route: "channel", major: thread,
		body: body, wait: waitRead, inThread: true,
	}, nil)
}

// Delete removes a message that the bot sent. One that is gone is no error.
func (p *Platform) Delete(ctx context.Context, m core.MessageRef) error {
	const op = "discord.Delete"
	channelID, err := target(op, m.Place)
	if err != nil {
		return err
	}
	if !isID(m.ID) {
		return invalid(op, errBadID)
	}
	err = p.api.do(ctx, call{
		op: op, method: http.MethodDelete, url: discordgo.EndpointChannelMessage(channelID, m.ID), route: "message", major: channelID,
		wait: waitPost, inThread: m.Thread != "",
	}, nil)
	if slices.Contains([]int{discordgo.ErrCodeUnknownMessage, discordgo.ErrCodeUnknownChannel}, codeOf(err)) {
		return nil
	}
	return err
}

// Typing shows that the bot is writing, for 10 s or until its next message.
func (p *Platform) Typing(ctx context.Context, at core.Place) error {
	const op = "discord.Typing"
	channelID, err := target(op, at)
	if err != nil {
		return err
	}
	return p.api.do(ctx, call{
		op: op, method: http.MethodPost, url: discordgo.EndpointChannelTyping(channelID), route: "typing", major: channelID,
		aside: true, wait: waitTyping, inThread: at.Thread != "",
	}, nil)
}
