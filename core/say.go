package core

import (
	"context"
	"log/slog"
	"time"
)

// sayTimeout bounds the sending of one of the bridge's own messages.
const sayTimeout = 30 * time.Second

// saying is one of the bridge's own messages that is no answer of an app.
type saying struct {
	at      Place
	replyTo string
	key     string // of the event that it answers; makes its messages known again
	first   int    // number of its first message among those of the event
	handle  string // answers the event in the platform's own way; "" for a message
	text    string // Markdown
	buttons Buttons
	again   bool // an earlier process may have said it
	to      User
}

// say sends it. It returns the messages that it became, which are none where the platform answered in its own way.
func (t *bot) say(ctx context.Context, s saying) ([]MessageRef, error) {
	ctx, cancel := context.WithTimeout(ctx, sayTimeout)
	defer cancel()
	parts := t.platform.Render(s.text, true)
	if len(parts) == 0 {
		return nil, nil
	}
	if t.platform.Limits(s.at).Buttons > 0 {
		parts[len(parts)-1].Buttons = s.buttons
	}
	if s.handle != "" && t.answerer != nil {
		err := t.answerInFull(ctx, s.handle, parts)
		if err == nil {
			return nil, nil
		}
		t.log.Info("cannot be answered in the platform's own way, sending a message", slog.String("event_key", s.key), slog.Any("err", err))
	}
	if !t.platform.Limits(s.at).ReplyToRoom {
		s.replyTo = ""
	}
	var refs []MessageRef
	for i, part := range parts {
		if err := t.pace(ctx, Show{Kind: ShowPost, Place: s.at, Urgent: true}); err != nil {
			return refs, err
		}
		ref, err := t.platform.Post(ctx, Post{
			Place: s.at, ReplyTo: s.replyTo, Part: part, Nonce: nonce(s.key, s.first+i), Again: s.again, For: s.to,
		})
		if err != nil {
			return refs, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

func (t *bot) answerInFull(ctx context.Context, handle string, parts []Part) error {
	for _, part := range parts {
		if err := t.answerer.Answer(ctx, handle, part); err != nil {
			return err
		}
	}
	return nil
}

// refuse is tell for what a person may not or cannot have: at most once a minute for each, but always where they wait for the
// platform's own kind of answer.
func (t *bot) refuse(ev *Event, kind NoticeKind) {
	if ev.Handle != "" && t.answerer != nil {
		t.answer(ev, kind)
		return
	}
	t.tell(ev, kind)
}

// answer sends one of the bridge's lines in answer to an event. It does not wait.
func (t *bot) answer(to *Event, kind NoticeKind) {
	ev := *to // the caller goes on with its own
	t.aside(to, kind, func(ctx context.Context) error {
		_, err := t.say(ctx, saying{
			at: ev.Place(), replyTo: ev.MessageID, key: ev.Key, handle: ev.Handle, to: ev.Sender, text: t.words.line(Notice{Kind: kind}, reference(&ev, kind)),
		})
		return err
	})
}

// took only says that a press was taken.
func (t *bot) took(ev *Event) {
	if ev.Handle == "" || t.answerer == nil {
		return
	}
	handle := ev.Handle
	t.aside(ev, "", func(ctx context.Context) error { return t.answerer.Answer(ctx, handle, Part{}) })
}

// aside does something small for one person without waiting for it. When too much of it waits already it is left out: it is a
// courtesy, and sending is what is scarce.
func (t *bot) aside(ev *Event, kind NoticeKind, do func(ctx context.Context) error) {
	select {
	case t.notices <- struct{}{}:
	default:
		t.log.Warn("notice left out: too many wait to be sent", slog.String("notice", string(kind)), slog.String("event_key", ev.Key))
		return
	}
	if kind != "" {
		t.bridge.observer.Noticed(t.settings.Name, kind)
	}
	key := ev.Key
	t.noticesWG.Go(func() {
		defer func() { <-t.notices }()
		select {
		case t.sending <- struct{}{}:
			defer func() { <-t.sending }()
		case <-t.work.Done():
			return
		}
		_ = safely(t.log, func() {
			ctx, cancel := context.WithTimeout(t.work, sayTimeout)
			defer cancel()
			if err := do(ctx); err != nil {
				t.log.Warn("notice not sent", slog.String("notice", string(kind)), slog.String("event_key", key), slog.Any("err", err))
			}
		})
	})
}
