package telegram

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/adapters/telegram/telegramfmt"
	"github.com/clickai/bridge/core"
)

// Render is core.Platform.
func (p *Platform) Render(markdown string, final bool) []core.Part {
	return telegramfmt.Render(markdown, final)
}

// target is a place as the Bot API's parameters have it.
func (p *Platform) target(at core.Place) (chat string, topic int, err error) {
	chat = p.chatNow(at.Room)
	if at.Thread == "" {
		return chat, 0, nil
	}
	topic, err = strconv.Atoi(at.Thread)
	if err != nil {
		return "", 0, &core.Error{Op: "telegram.place", Class: core.Invalid, Err: errors.New("thread is not a topic's id")}
	}
	return chat, topic, nil
}

// do makes a call of the library's within the chat's budget. slot names the message for edits: see budgets.take. send is
// called again once if the chat has moved.
func (p *Platform) do(ctx context.Context, op, room, slot string, timeout time.Duration, send func(ctx context.Context, chat string) error) error {
	for try := 1; ; try++ {
		chat := p.chatNow(room)
		wait, ok := p.budgets.take(chat, slot, time.Now())
		if !ok {
			return &core.Error{Op: "telegram." + op, Class: core.RateLimited, RetryAfter: wait, Err: errors.New("within the chat's own budget")}
		}
		if err := pause(ctx, wait); err != nil {
			return p.fail(op, err, false)
		}
		one, cancel := context.WithTimeout(ctx, timeout)
		err := send(one, chat)
		cancel()
		if moved, ok := errors.AsType[*tgbot.MigrateError](err); ok && try == 1 {
			p.migrated(room, strconv.Itoa(moved.MigrateToChatID))
			continue
		}
		err = p.fail(op, err, slot == "")
		if core.ClassOf(err) == core.RateLimited {
			p.budgets.hold(chat, max(core.RetryAfterOf(err), time.Second))
		}
		return err
	}
}

// noPreview keeps a growing answer from jumping when a link's preview appears.
func noPreview() *models.LinkPreviewOptions {
	return &models.LinkPreviewOptions{IsDisabled: tgbot.True()}
}

func replyTo(id string) *models.ReplyParameters {
	n, err := strconv.Atoi(id)
	if err != nil || n == 0 {
		return nil
	}
	return &models.ReplyParameters{MessageID: n, AllowSendingWithoutReply: true}
}

// Post is core.Platform.
func (p *Platform) Post(ctx context.Context, post core.Post) (core.MessageRef, error) {
	_, topic, err := p.target(post.Place)
	if err != nil {
		return core.MessageRef{}, err
	}
	params := &tgbot.SendMessageParams{
		MessageThreadID: topic, Text: post.Part.Text, ParseMode: models.ParseModeHTML,
		LinkPreviewOptions: noPreview(), ReplyParameters: replyTo(post.ReplyTo),
	}
	var sent *models.Message
	send := func(ctx context.Context, chat string) (err error) {
		params.ChatID = chat
		sent, err = p.bot.SendMessage(ctx, params)
		return err
	}
	err = p.do(ctx, "Post", post.Place.Room, "", callTimeout, send)
	if core.ClassOf(err) == core.BadMarkup && post.Part.Plain != "" {
		p.log.Error("Telegram refuses the markup, sending plain text", errAttr(err))
		params.Text, params.ParseMode = post.Part.Plain, ""
		err = p.do(ctx, "Post", post.Place.Room, "", callTimeout, send)
	}
	if err != nil {
		return core.MessageRef{}, err
	}
	return ref(post.Place, sent), nil
}

func ref(at core.Place, m *models.Message) core.MessageRef {
	return core.MessageRef{Place: at, ID: strconv.Itoa(m.ID)}
}

// Edit is core.Editor. A text that is the same already is no error.
func (p *Platform) Edit(ctx context.Context, m core.MessageRef, part core.Part) error {
	id, err := strconv.Atoi(m.ID)
	if err != nil {
		return &core.Error{Op: "telegram.Edit", Class: core.Invalid, Err: errors.New("not a message id")}
	}
	params := &tgbot.EditMessageTextParams{MessageID: id, Text: part.Text, ParseMode: models.ParseModeHTML, LinkPreviewOptions: noPreview()}
	edit := func(ctx context.Context, chat string) error {
		params.ChatID = chat
		_, err := p.bot.EditMessageText(ctx, params)
		if err != nil && isNotModified(err) {
			return nil
		}
		return err
	}
	err = p.do(ctx, "Edit", m.Room, m.ID, callTimeout, edit)
	if core.ClassOf(err) == core.BadMarkup && part.Plain != "" {
		p.log.Error("Telegram refuses the markup, sending plain text", errAttr(err))
		params.Text, params.ParseMode = part.Plain, ""
		err = p.do(ctx, "Edit", m.Room, m.ID, callTimeout, edit)
	}
	return err
}

// Delete is core.Deleter.
func (p *Platform) Delete(ctx context.Context, m core.MessageRef) error {
	id, err := strconv.Atoi(m.ID)
	if err != nil {
		return &core.Error{Op: "telegram.Delete", Class: core.Invalid, Err: errors.New("not a message id")}
	}
	err = p.do(ctx, "Delete", m.Room, "", callTimeout, func(ctx context.Context, chat string) error {
		_, err := p.bot.DeleteMessage(ctx, &tgbot.DeleteMessageParams{ChatID: chat, MessageID: id})
		return err
	})
	if core.ClassOf(err) == core.MessageGone {
		return nil
	}
	return err
}

// Typing is core.Typist. It counts against no budget: Telegram documents none for chat actions.
func (p *Platform) Typing(ctx context.Context, at core.Place) error {
	chat, topic, err := p.target(at)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err = p.bot.SendChatAction(ctx, &tgbot.SendChatActionParams{ChatID: chat, MessageThreadID: topic, Action: models.ChatActionTyping})
	return p.fail("Typing", err, false)
}

// Check is core.Checker.
func (p *Platform) Check(ctx context.Context) ([]core.Check, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var me user
	if err := p.call(ctx, "getMe", struct{}{}, &me); err != nil {
		own, ok := errors.AsType[*apiError](err)
		if ok && (own.Code == http.StatusUnauthorized || own.Code == http.StatusNotFound) {
			return []core.Check{{What: "token", Mend: "the token is refused: get the right one from @BotFather with /token"}}, nil
		}
		return nil, p.fail("getMe", err, false)
	}
	checks := []core.Check{{What: "token", OK: true, Mend: "@" + me.Username}}
	privacy := core.Check{What: "groups", OK: true, Mend: "reads all messages in groups"}
	if !me.ReadsAll {
		privacy.Mend = "sees only mentions, replies and commands in groups; to let it read along: @BotFather /setprivacy Disable, then add it to the group again"
	}
	checks = append(checks, privacy)
	var hook struct {
		URL string `json:"url"`
	}
	if err := p.call(ctx, "getWebhookInfo", struct{}{}, &hook); err != nil {
		return checks, p.fail("getWebhookInfo", err, false)
	}
	if hook.URL != "" {
		checks = append(checks, core.Check{What: "webhook", OK: true, Mend: "one is set elsewhere; run takes it away, since this bot polls"})
	}
	return checks, nil
}
