package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// ReplyEvent is the event_type of the metadata of each message that the bridge posts; its event_payload is {"nonce": …}.
// By it a message is known again, for Slack takes no key that would make a post idempotent.
// Source: https://docs.slack.dev/messaging/message-metadata
const ReplyEvent = "clickai_bridge_reply"

var errBadRef = errors.New("not a message of Slack's")

// Post sends one message, into the thread if the place has one. Blocks that Slack refuses are sent as plain text. With Again
// the message is looked for first among those of the last seven days, 2000 at the most.
// Source: https://docs.slack.dev/reference/methods/chat.postMessage
func (p *Platform) Post(ctx context.Context, post core.Post) (core.MessageRef, error) {
	const op = "slack.Post"
	if !isPlace(post.Place) {
		return core.MessageRef{}, invalid(op, errBadRef)
	}
	if post.Again && post.Nonce != "" {
		if found, ok, err := p.taken(ctx, op, post); ok || err != nil {
			if ok {
				p.Unpace(core.Show{Kind: core.ShowPost, Place: post.Place})
			}
			return found, err
		}
	}
	common := []slackgo.MsgOption{
		// A growing answer would load previews anew with each edit.
		slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl(),
	}
	if post.Place.Thread != "" {
		common = append(common, slackgo.MsgOptionTS(post.Place.Thread))
	}
	if post.Nonce != "" {
		common = append(common, named(post.Nonce))
	}
	var out struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	use := posting(methodPost, post.Place.Room).paced()
	err := p.show(op, post.Part, use, func(c *content, use turn) error {
		_, err := p.call(ctx, op, use, func(ctx context.Context) error {
			_, _, err := p.api.PostMessageContext(ctx, post.Place.Room, append(c.options(false), common...)...)
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

// named puts the nonce of a message into its metadata.
func named(nonce string) slackgo.MsgOption {
	return slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: ReplyEvent, EventPayload: map[string]any{"nonce": nonce}})
}

// Edit replaces what a message shows. A stream that is open there, as after a restart, is ended first: Slack takes no edit
// before. One that a person has stopped stays as it is. Source: https://docs.slack.dev/reference/methods/chat.update
func (p *Platform) Edit(ctx context.Context, m core.MessageRef, part core.Part) error {
	const op = "slack.Edit"
	if !isMessage(m) {
		return invalid(op, errBadRef)
	}
	if p.stays(ctx, m) {
		return nil
	}
	use := method(methodUpdate).paced()
	if p.streams.open(m) {
		if err := p.endStream(ctx, op, m); err != nil {
			return err
		}
		if p.stays(ctx, m) {
			return nil
		}
	}
	return p.replace(ctx, op, m, part, use)
}

// replace edits a message, of which it need not be known that it streams.
func (p *Platform) replace(ctx context.Context, op string, m core.MessageRef, part core.Part, use turn) error {
	err := p.update(ctx, op, m, part, use)
	if codeOf(err) == codeStreams {
		if err := p.endStream(ctx, op, m); err != nil {
			return err
		}
		use.given = false
		err = p.update(ctx, op, m, part, use)
	}
	if err == nil {
		p.streams.drop(m)
	}
	return err
}

func (p *Platform) update(ctx context.Context, op string, m core.MessageRef, part core.Part, use turn) error {
	return p.show(op, part, use, func(c *content, use turn) error {
		_, err := p.call(ctx, op, use, func(ctx context.Context) error {
			_, _, _, err := p.api.UpdateMessageContext(ctx, m.Room, m.ID, c.options(true)...)
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
	_, err := p.call(ctx, op, method("chat.delete"), func(ctx context.Context) error {
		_, _, err := p.api.DeleteMessageContext(ctx, m.Room, m.ID)
		return err //nolint:wrapcheck // call classifies it
	}, nil)
	if codeOf(err) == "message_not_found" {
		return nil
	}
	return err
}

// show sends a part: its blocks with their text and the buttons, else, when Slack refuses them, what contents offers next. use
// is the turn of the first call; each further one waits for its own. That Slack's own element for ratings is what was
// refused is remembered.
func (p *Platform) show(op string, part core.Part, use turn, send func(*content, turn) error) error {
	ways, err := p.contents(part)
	if err != nil {
		return invalid(op, err)
	}
	for i := range ways {
		err = send(&ways[i], use)
		switch core.ClassOf(err) {
		case core.BadMarkup, core.TooLong:
		case "":
			if i == 1 && ways[0].rated {
				p.plainRating.Store(true)
			}
			return nil
		default:
			return err
		}
		if i < len(ways)-1 {
			p.log.Warn("blocks refused, sending simpler ones", logErr(err))
		}
		use.given = false
	}
	return err
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
	if at.Thread == "" || p.silent.has(at.Room) {
		return &core.Error{Op: op, Class: core.Unsupported, Err: errNoStatus}
	}
	use := method("assistant.threads.setStatus")
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
	case everywhere(err):
		p.silent.addAll()
	case core.ClassOf(err) == core.ThreadGone, !lasting(err):
		return err
	default:
		p.silent.add(at.Room)
	}
	return &core.Error{Op: op, Class: core.Unsupported, Err: err}
}

var errNoStatus = errors.New("no status can be shown here")

func isPlace(at core.Place) bool { return isID(at.Room) && (at.Thread == "" || isTS(at.Thread)) }

func isMessage(m core.MessageRef) bool { return isPlace(m.Place) && isTS(m.ID) }
