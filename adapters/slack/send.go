package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
	"github.com/clickai/bridge/core"
)

// ReplyEvent is the event_type of the metadata of each message that the bridge posts; its event_payload is {"nonce": …}.
// By it a message is known again, for Slack takes no key that would make a post idempotent.
// Source: https://docs.slack.dev/messaging/message-metadata
const ReplyEvent = "clickai_bridge_reply"

var errBadRef = errors.New("not a message of Slack's")

// Post sends one message, into the thread if the place has one. Blocks that Slack refuses are sent as plain text.
// Source: https://docs.slack.dev/reference/methods/chat.postMessage
func (p *Platform) Post(ctx context.Context, post core.Post) (core.MessageRef, error) {
	const op = "slack.Post"
	if !isPlace(post.Place) {
		return core.MessageRef{}, invalid(op, errBadRef)
	}
	common := []slackgo.MsgOption{
		// A growing answer would load previews anew with each edit.
		slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl(),
	}
	if post.Place.Thread != "" {
		common = append(common, slackgo.MsgOptionTS(post.Place.Thread))
	}
	if post.Nonce != "" {
		common = append(common, slackgo.MsgOptionMetadata(slackgo.SlackMetadata{
			EventType: ReplyEvent, EventPayload: map[string]any{"nonce": post.Nonce},
		}))
	}
	var out struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	err := p.show(op, post.Part, false, func(content []slackgo.MsgOption) error {
		_, err := p.call(ctx, op, posting(post.Place.Room), func(ctx context.Context) error {
			_, _, err := p.api.PostMessageContext(ctx, post.Place.Room, append(content, common...)...)
			return err //nolint:wrapcheck // call classifies it
		}, &out)
		return err
	})
	switch {
	case err != nil:
		return core.MessageRef{}, err
	case !isTS(out.TS):
		return core.MessageRef{}, &core.Error{Op: op, Class: core.Transient, Maybe: true, Err: errNotOwn}
	}
	at := post.Place
	if isID(out.Channel) {
		at.Room = out.Channel // posted to a person, it stands in the direct chat
	}
	return core.MessageRef{Place: at, ID: out.TS}, nil
}

// Edit replaces what a message shows.
// Source: https://docs.slack.dev/reference/methods/chat.update
func (p *Platform) Edit(ctx context.Context, m core.MessageRef, part core.Part) error {
	const op = "slack.Edit"
	if !isMessage(m) {
		return invalid(op, errBadRef)
	}
	return p.show(op, part, true, func(content []slackgo.MsgOption) error {
		_, err := p.call(ctx, op, editing(m.Room, m.ID), func(ctx context.Context) error {
			_, _, _, err := p.api.UpdateMessageContext(ctx, m.Room, m.ID, content...)
			return err //nolint:wrapcheck // call classifies it
		}, nil)
		return err
	})
}

// Delete removes a message of the bot's. One that is gone already is no error.
// Source: https://docs.slack.dev/reference/methods/chat.delete
func (p *Platform) Delete(ctx context.Context, m core.MessageRef) error {
	const op = "slack.Delete"
	if !isMessage(m) {
		return invalid(op, errBadRef)
	}
	_, err := p.call(ctx, op, tier3("chat.delete"), func(ctx context.Context) error {
		_, _, err := p.api.DeleteMessageContext(ctx, m.Room, m.ID)
		return err //nolint:wrapcheck // call classifies it
	}, nil)
	if codeOf(err) == "message_not_found" {
		return nil
	}
	return err
}

// show sends a part: its blocks with their text, else, when Slack refuses them, the plain text. An empty list of blocks
// takes away those that a message had before; without one, an edit by text alone would do so too, but not everywhere.
func (p *Platform) show(op string, part core.Part, edit bool, send func([]slackgo.MsgOption) error) error {
	m, err := slackfmt.Decode(part.Text)
	if err != nil {
		return invalid(op, err)
	}
	blocks, err := rawBlocks(m.Blocks)
	if err != nil {
		return invalid(op, err)
	}
	// Text is prepared mrkdwn, so it is not escaped again. It is what notifications show, and always set.
	content := []slackgo.MsgOption{slackgo.MsgOptionText(m.Text, false)}
	if len(blocks) > 0 || edit {
		content = append(content, slackgo.MsgOptionBlocks(blocks...))
	}
	err = send(content)
	switch core.ClassOf(err) {
	case core.BadMarkup, core.TooLong:
	default:
		return err
	}
	if part.Plain == "" || len(blocks) == 0 && part.Plain == m.Text {
		return err
	}
	plain := []slackgo.MsgOption{slackgo.MsgOptionText(part.Plain, false), slackgo.MsgOptionDisableMarkdown()}
	if edit {
		plain = append(plain, slackgo.MsgOptionBlocks())
	}
	p.log.Warn("blocks refused, sending plain text", logErr(err))
	return send(plain)
}

// rawBlock is a block that is JSON already. slack-go only writes it out; its own types would be read and written for nothing.
type rawBlock struct{ json.RawMessage }

// BlockType implements slackgo.Block.
func (rawBlock) BlockType() slackgo.MessageBlockType { return "" }

// ID implements slackgo.Block.
func (rawBlock) ID() string { return "" }

func rawBlocks(raw json.RawMessage) ([]slackgo.Block, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read blocks: %w", err)
	}
	blocks := make([]slackgo.Block, 0, len(list))
	for _, b := range list {
		blocks = append(blocks, rawBlock{b})
	}
	return blocks, nil
}

// Typing shows a status line under a thread, which the bot's next message there takes away. Slack has none outside threads.
// Where it is refused for good, that is remembered.
// Source: https://docs.slack.dev/reference/methods/assistant.threads.setStatus
func (p *Platform) Typing(ctx context.Context, at core.Place) error {
	const op = "slack.Typing"
	if !isPlace(at) {
		return invalid(op, errBadRef)
	}
	if at.Thread == "" || p.isSilent(at.Room) {
		return &core.Error{Op: op, Class: core.Unsupported, Err: errNoStatus}
	}
	use := special("assistant.threads.setStatus")
	use.wait = waitTyping
	_, err := p.call(ctx, op, use, func(ctx context.Context) error {
		//nolint:wrapcheck // call classifies it
		return p.api.SetAssistantThreadsStatusContext(ctx, slackgo.AssistantThreadsSetStatusParameters{
			ChannelID: at.Room, ThreadTS: at.Thread, Status: statusText,
		})
	}, nil)
	switch {
	case err == nil:
		return nil
	case core.ClassOf(err) == core.Denied, codeOf(err) == "unknown_method", errors.Is(err, errBare404):
		p.silence("")
	case core.ClassOf(err) == core.ThreadGone, !lasting(err):
		return err
	default:
		p.silence(at.Room)
	}
	return &core.Error{Op: op, Class: core.Unsupported, Err: err}
}

var errNoStatus = errors.New("no status can be shown here")

func (p *Platform) isSilent(room string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silent[""] || p.silent[room]
}

func (p *Platform) silence(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if room != "" && len(p.silent) >= maxSilent {
		return
	}
	p.silent[room] = true
}

func isPlace(at core.Place) bool { return isID(at.Room) && (at.Thread == "" || isTS(at.Thread)) }

func isMessage(m core.MessageRef) bool { return isPlace(m.Place) && isTS(m.ID) }
