package core

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// sayTimeout bounds one try to send one of the bridge's own messages.
const sayTimeout = 30 * time.Second

// saying is one of the bridge's own messages that is no answer of an app.
type saying struct {
	at      Place
	replyTo string
	key     string // of the event that it answers; makes its messages known again
	handle  string // answers the event in the platform's own way; "" for a message
	text    string // Markdown
	buttons Buttons
	secret  bool // for the person alone: where the handle does not answer, it is not said
	again   bool // an earlier process may have said it
	to      User
	until   time.Time // what fails for a while is tried again until then; zero: it is not
}

// say sends it. It returns the messages that it became, which are none where the platform answered in its own way.
func (t *bot) say(ctx context.Context, s saying) ([]MessageRef, error) {
	limits := t.platform.Limits(s.at)
	parts := t.platform.Render(s.text, true)
	if len(parts) == 0 {
		return nil, nil
	}
	parts[len(parts)-1].Buttons = s.buttons.first(limits.Buttons)
	if s.handle != "" && t.answerer != nil {
		var err error
		if parts, err = t.answerInFull(ctx, s.handle, parts); err == nil {
			return nil, nil
		}
		t.log.Info("cannot be answered in the platform's own way, sending a message", slog.String("event_key", s.key), slog.Any("err", err))
	}
	if s.secret {
		parts = t.platform.Render(t.words.line(Notice{Kind: NoticeInPrivate}, ""), true)
	}
	if !limits.ReplyToRoom {
		s.replyTo = ""
	}
	var refs []MessageRef
	for i, part := range parts {
		ref, err := t.post(ctx, Post{Place: s.at, ReplyTo: s.replyTo, Part: part, Nonce: nonce(s.key, i), Again: s.again, For: s.to}, s.until)
		if err != nil {
			return refs, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// answerInFull returns the parts that could not be shown.
func (t *bot) answerInFull(ctx context.Context, handle string, parts []Part) (left []Part, err error) {
	for i, part := range parts {
		one, cancel := context.WithTimeout(ctx, sayTimeout)
		err := t.answerer.Answer(one, handle, part)
		cancel()
		if err != nil {
			return parts[i:], err
		}
	}
	return nil, nil
}

// post sends one of the bridge's own messages, plain and without buttons if it is not taken otherwise.
func (t *bot) post(ctx context.Context, p Post, until time.Time) (MessageRef, error) {
	wait := newBackoff(time.Second, 30*time.Second)
	for {
		ref, err := t.postOnce(ctx, p)
		plain := Part{Text: cmp.Or(p.Part.Plain, p.Part.Text), Plain: p.Part.Plain}
		switch class := ClassOf(err); {
		case refused(err) && p.Part != plain:
			t.log.Error("message refused, sending it without formatting", slog.Any("err", err))
			p.Part = plain
			continue
		case class != Transient && class != RateLimited, !time.Now().Before(until), t.leaving():
			return ref, err
		}
		p.Again = p.Again || isMaybe(err)
		if !sleep(ctx, max(wait.next(), RetryAfterOf(err))) {
			return ref, err
		}
	}
}

func (t *bot) postOnce(ctx context.Context, p Post) (MessageRef, error) {
	ctx, cancel := context.WithTimeout(ctx, sayTimeout)
	defer cancel()
	if err := t.pace(ctx, Show{Kind: ShowPost, Place: p.Place, Urgent: true}); err != nil {
		return MessageRef{}, err
	}
	return t.platform.Post(ctx, p)
}

// leaving tells whether the bot begins nothing new any more.
func (t *bot) leaving() bool { return t.bridge.stopping.Load() || t.status().Stopped }

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
