package telegram

import (
	"context"
	"time"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/core"
)

// Typing shows that the bot is writing, for 5 s or until its next message. Many answers in one place share one sign: while
// it shows, there is no call. No limit is documented for it.
func (p *Platform) Typing(ctx context.Context, at core.Place) error {
	const op = "Typing"
	topic, err := target(op, at)
	if err != nil {
		return err
	}
	if !p.types(at) {
		return nil
	}
	err = p.do(ctx, order{op: op, room: at.Room, turn: light, timeout: callTimeout}, func(ctx context.Context, chat string) error {
		_, err := p.bot.SendChatAction(ctx, &tgbot.SendChatActionParams{ChatID: chat, MessageThreadID: topic, Action: models.ChatActionTyping})
		return err
	})
	if err != nil {
		p.typed(at)
	}
	return err
}

// types notes that a sign of typing is about to show; false if one does.
func (p *Platform) types(at core.Place) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if since, ok := p.typing[at]; ok && now.Sub(since) < typingStays {
		return false
	}
	if len(p.typing) >= maxTyping {
		clear(p.typing)
	}
	p.typing[at] = now
	return true
}

// typed notes that no sign shows any more: a message of the bot ends it.
func (p *Platform) typed(at core.Place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.typing, at)
}
