package telegram

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/core"
)

// order is one call that sends or changes something in a chat.
type order struct {
	op      string
	room    string
	turn    turn
	wait    time.Duration // for the turn, at most
	once    bool          // it must not be made twice: an error says whether it may have taken effect
	bound   bool          // it is about a message of this chat, which no other has
	preview bool          // it shows no message: that it is refused may say nothing of those
	timeout time.Duration
}

// errLeftBehind: a supergroup counts its messages anew, so that those of the group it was have no id in it.
var errLeftBehind = errors.New("the message stayed in the group that has become a supergroup")

// do makes a call when it is its turn. send is called again if the chat turns out to have another id now.
func (p *Platform) do(ctx context.Context, o order, send func(ctx context.Context, chat string) error) error {
	for try := 1; ; try++ {
		p.keepMove(ctx, o.room)
		chat := p.chatNow(o.room)
		if o.bound && chat != o.room {
			return &core.Error{Op: "telegram." + o.op, Class: core.MessageGone, Err: errLeftBehind}
		}
		if why := p.rooms.closed(chat); why != nil {
			return gone(o.op, why)
		}
		if err := p.take(ctx, o.turn, chat, o.wait); err != nil {
			return p.fail(o.op, err, false)
		}
		one, cancel := context.WithTimeout(ctx, o.timeout)
		err := p.leave(one, o.turn)
		if err == nil {
			err = send(one, chat)
		}
		cancel()
		if to := migratedTo(err); to != 0 && try == 1 {
			p.rooms.move(o.room, strconv.FormatInt(to, 10))
			if o.turn == asked { // what was asked for was a turn in the chat that is no more
				o.turn, o.wait = own, callTimeout
			}
			continue
		}
		api, said := errors.AsType[*apiError](err)
		err = p.fail(o.op, err, o.once)
		switch class := core.ClassOf(err); {
		case class == core.RateLimited:
			p.refused(o.turn, chat, core.RetryAfterOf(err))
		case class == core.RoomGone && said && !o.preview:
			p.log.Info("chat takes nothing more", slog.String("room", chat), slog.Any("err", api))
			p.rooms.close(chat, api)
		}
		return err
	}
}

// keepMove has the host store where a group is now, as far as it can. If it cannot, the next call tries again, and the
// update that tells the same is not confirmed.
func (p *Platform) keepMove(ctx context.Context, room string) {
	if err := p.storeMove(ctx, room); err != nil {
		p.log.Warn("new id of a group not stored yet", slog.String("room", room), slog.Any("err", err))
	}
}

// noPreview keeps a growing answer from jumping when the preview of a link appears.
func noPreview() *models.LinkPreviewOptions {
	return &models.LinkPreviewOptions{IsDisabled: tgbot.True()}
}

// reply makes a message an answer to another. A target that is gone is no error to Telegram with AllowSendingWithoutReply.
func reply(id string) *models.ReplyParameters {
	n, err := strconv.Atoi(id)
	if err != nil || n <= 0 {
		return nil
	}
	return &models.ReplyParameters{MessageID: n, AllowSendingWithoutReply: true}
}

// replyRefused tells whether only the message replied to was wrong, on a server that does not know AllowSendingWithoutReply.
func replyRefused(err error) bool {
	return says(err, "message to be replied not found", "replied message not found", "reply message not found")
}

// target reads a place. Outside topics the thread is 0.
func target(op string, at core.Place) (topic int, err error) {
	if _, err := strconv.ParseInt(at.Room, 10, 64); err != nil {
		return 0, invalid(op, errBadID)
	}
	if at.Thread == "" {
		return 0, nil
	}
	if topic, err = strconv.Atoi(at.Thread); err != nil || topic <= 0 {
		return 0, invalid(op, errBadID)
	}
	return topic, nil
}

// Post sends one message, to the supergroup where the place's group has become one; the reference tells. Telegram has no key by which to recognise one that it has taken already: where an error says
// Maybe, another try may show it twice.
func (p *Platform) Post(ctx context.Context, post core.Post) (core.MessageRef, error) {
	const op = "Post"
	topic, err := target(op, post.Place)
	if err != nil {
		return core.MessageRef{}, err
	}
	params := &tgbot.SendMessageParams{
		MessageThreadID: topic, Text: post.Part.Text, ParseMode: models.ParseModeHTML,
		LinkPreviewOptions: noPreview(), ReplyParameters: reply(post.ReplyTo), ReplyMarkup: keyboard(post.Part.Buttons),
	}
	o := order{op: op, room: post.Place.Room, once: true, timeout: callTimeout}
	for {
		var id int
		at := post.Place
		err := p.do(ctx, o, func(ctx context.Context, chat string) error {
			params.ChatID = chat
			if at.Room = chat; chat != post.Place.Room {
				params.ReplyParameters = nil // the question stayed behind, and its id is another message's here
			}
			return p.orPlain(op, post.Part, &params.Text, &params.ParseMode, func() error {
				sent, err := p.bot.SendMessage(ctx, params)
				if err == nil && sent.ID == 0 {
					err = errNoResult
				}
				if err == nil {
					id = sent.ID
				}
				return err
			})
		})
		switch {
		case err != nil && params.ReplyParameters != nil && replyRefused(err):
			params.ReplyParameters = nil // it was refused for sure: this is no second try of the same message
		case err != nil:
			return core.MessageRef{}, err
		default:
			p.typed(post.Place)
			return core.MessageRef{Place: at, ID: strconv.Itoa(id)}, nil
		}
	}
}

// orPlain makes a call, and makes it again with the plain text if the markup is refused. Both are one call to the budget:
// the server that reads markup is the Bot API's own, and such a call goes no further.
func (p *Platform) orPlain(op string, part core.Part, text *string, mode *models.ParseMode, call func() error) error {
	err := call()
	if !says(err, "can't parse entities") || *mode == "" || part.Plain == "" {
		return err
	}
	p.log.Error("markup refused, sending plain text", slog.String("op", op), slog.Any("err", p.mask(err)))
	*text, *mode = part.Plain, ""
	return call()
}

// Edit changes a message that the bot sent, and its buttons. What stands there already is no error.
func (p *Platform) Edit(ctx context.Context, m core.MessageRef, part core.Part) error {
	const op = "Edit"
	if _, err := target(op, m.Place); err != nil {
		return err
	}
	id, err := strconv.Atoi(m.ID)
	if err != nil || id <= 0 {
		return invalid(op, errBadID)
	}
	// With InlineMessageID the library would always fail: Telegram answers true, which is no message.
	params := &tgbot.EditMessageTextParams{
		MessageID: id, Text: part.Text, ParseMode: models.ParseModeHTML, LinkPreviewOptions: noPreview(),
		ReplyMarkup: keyboard(part.Buttons), // without it Telegram takes those away that are there
	}
	o := order{op: op, room: m.Room, bound: true, timeout: callTimeout}
	return p.do(ctx, o, func(ctx context.Context, chat string) error {
		params.ChatID = chat
		return p.orPlain(op, part, &params.Text, &params.ParseMode, func() error {
			_, err := p.bot.EditMessageText(ctx, params)
			if says(err, "message is not modified") {
				return nil
			}
			return err
		})
	})
}

// Delete removes a message that the bot sent, for 48 hours after it did so
// (https://core.telegram.org/bots/api#deletemessage). One that is gone is no error. No limit is documented for it.
func (p *Platform) Delete(ctx context.Context, m core.MessageRef) error {
	const op = "Delete"
	if _, err := target(op, m.Place); err != nil {
		return err
	}
	id, err := strconv.Atoi(m.ID)
	if err != nil || id <= 0 {
		return invalid(op, errBadID)
	}
	o := order{op: op, room: m.Room, bound: true, turn: light, wait: waitDelete, timeout: callTimeout}
	err = p.do(ctx, o, func(ctx context.Context, chat string) error {
		_, err := p.bot.DeleteMessage(ctx, &tgbot.DeleteMessageParams{ChatID: chat, MessageID: id})
		return err
	})
	if core.ClassOf(err) == core.MessageGone {
		return nil
	}
	return err
}
