package core

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"
)

const (
	// greetTimeout is how long a first question waits for the app's opening statement.
	greetTimeout = 3 * time.Second
	// greetFor is how long it waits for that to be shown.
	greetFor = 10 * time.Second
)

// maxPrompts of an app are suggested at once; platforms show no more than a few well.
const maxPrompts = 3

// welcome greets a person who has opened a direct chat.
func (g *given) welcome(ctx context.Context) (said, error) {
	var open Opening
	if greeter, ok := g.app.(Greeter); ok {
		var err error
		if open, err = greeter.Opening(ctx); err != nil {
			g.bot.log.Warn("opening statement could not be read", slog.Any("err", err))
		}
	}
	at := g.p.At
	if g.bot.prompter != nil && len(open.Prompts) > 0 {
		err := g.bot.prompter.Prompt(ctx, at, "", open.Prompts[:min(len(open.Prompts), maxPrompts)])
		if err == nil {
			open.Prompts = nil
		} else {
			g.bot.log.Info("suggestions not shown in the platform's own way", slog.Any("err", err))
		}
	}
	if open.Text == "" && g.bot.prompter == nil {
		open.Text = g.bot.words.hello
	}
	if g.p.Event.MessageID == "" {
		// It was only looked at, which people do again and again.
		before, err := g.b.store.Cursor(ctx, g.p.Event.Bot, greetedCursor(at.Room))
		if err != nil {
			return said{}, stored(err)
		}
		if before != "" {
			return said{}, nil
		}
	}
	if err := g.bot.greeted(ctx, at.Room); err != nil {
		return said{}, stored(err)
	}
	return said{text: open.Text, buttons: g.bot.prompts(open.Prompts)}, nil
}

// prompts are the buttons that ask questions.
func (t *bot) prompts(questions []string) Buttons {
	var all []Button
	for i, q := range questions {
		q = oneLine(q)
		if q == "" || clipLabel(q) != q || len(all) == maxPrompts { // what is cut would be asked as it stands on the button
			continue
		}
		all = append(all, Button{ID: pressAsk + strconv.Itoa(i), Label: q})
	}
	return NewButtons(all...)
}

// greetOnce shows the app's opening statement to a person who writes to the bot for the first time.
func (t *bot) greetOnce(ctx context.Context, app App, p Pending) error {
	greeter, ok := app.(Greeter)
	if !ok || !p.Event.Room.Direct {
		return nil
	}
	done, err := t.bridge.store.Cursor(ctx, t.settings.Name, greetedCursor(p.At.Room))
	if err != nil || done != "" {
		return err
	}
	if _, known, err := t.bridge.store.Conversation(ctx, p.Conv); err != nil || known {
		return err
	}
	one, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	open, err := greeter.Opening(one)
	if err != nil {
		t.log.Warn("opening statement could not be read", slog.Any("err", err))
		return nil // the answer does not wait for it
	}
	if open.Text != "" {
		one, cancel := context.WithTimeout(ctx, greetFor)
		defer cancel()
		_, err := t.say(one, saying{
			at: p.At, key: "greeting\x00" + p.Event.Bot + p.Event.Key, text: open.Text, buttons: t.prompts(open.Prompts),
			again: t.askedBefore(p), to: p.Event.Sender,
		})
		if err != nil {
			t.log.Warn("greeting not shown", slog.Any("err", err))
		}
	}
	return t.greeted(ctx, p.At.Room)
}

func (t *bot) greeted(ctx context.Context, room string) error {
	return t.bridge.store.SetCursor(ctx, t.settings.Name, greetedCursor(room), time.Now().UTC().Format(time.RFC3339))
}

func greetedCursor(room string) string { return "greeted/" + room }

// title names a thread where the platform lists threads by name.
func (t *bot) title(ctx context.Context, at Place, name string) {
	if t.titler == nil || at.Thread == "" || name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := t.titler.SetTitle(ctx, at, short(name, maxConversation)); err != nil {
		level := slog.LevelWarn
		if ClassOf(err) == Unsupported {
			level = slog.LevelDebug
		}
		t.log.Log(ctx, level, "title not set", slog.Any("err", err))
	}
}

// offerCommands tells the platform which commands there are, when the list is not the one that it
// was told last.
func (t *bot) offerCommands(ctx context.Context) {
	if t.menu == nil {
		return
	}
	all := CommandInfos(t.settings.Language)
	mark := turnID(fmt.Sprint(all))
	const cursor = "commands"
	if last, err := t.bridge.store.Cursor(ctx, t.settings.Name, cursor); err == nil && last == mark {
		return
	}
	wait := newBackoff(time.Second, 10*time.Minute)
	for {
		one, cancel := context.WithTimeout(ctx, callTimeout)
		err := t.menu.SetCommands(one, all)
		cancel()
		switch class := ClassOf(err); {
		case err == nil:
			if err := t.bridge.store.SetCursor(ctx, t.settings.Name, cursor, mark); err != nil && ctx.Err() == nil {
				t.log.Warn("list of commands set but not noted", slog.Any("err", err))
			}
			return
		case ctx.Err() != nil:
			return
		case class != Transient && class != RateLimited:
			t.log.Warn("list of commands not set", slog.Any("err", err))
			return
		}
		if !sleep(ctx, max(wait.next(), RetryAfterOf(err))) {
			return
		}
	}
}

// onceUp calls f once the bot is connected, unless ctx ends before.
func (t *bot) onceUp(ctx context.Context, f func(context.Context)) {
	select {
	case <-t.up:
		f(ctx)
	case <-ctx.Done():
	}
}
