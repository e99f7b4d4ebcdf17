package core

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// The buttons. Their ids stand in messages that people may still press after an update of the bridge: their spelling never
// changes.
const (
	pressLike    = "like"
	pressDislike = "dislike"
	pressRetry   = "retry"
	pressStop    = "stop"
	pressAsk     = "ask:" // and a number; asks what stands on the button
	pressUse     = "use:" // and ClickAI's conversation_id
	formWhy      = "why"  // the form that asks what was wrong
)

// maxReason bounds what a person writes about an answer, in bytes.
const maxReason = 2000

// pressed is what a press counts as among a person's reactions.
var pressed = map[string]struct {
	rating Rating
	emoji  string
}{
	pressLike:    {RatingLike, "👍"},
	pressDislike: {RatingDislike, "👎"},
}

// acceptNative takes a command in the platform's own form.
func (t *bot) acceptNative(ctx context.Context, ev *Event) error {
	if ev.Command == nil || !isCommand(ev.Command.Name) {
		ev.Command = &Command{Name: cmdHelp}
	}
	ev.Command.Private = ev.Handle != ""
	return t.acceptCommand(ctx, ev)
}

// acceptPress takes a press of a button, or a form.
func (t *bot) acceptPress(ctx context.Context, ev *Event) error {
	if ev.Press == nil || t.tooOld(ev, time.Now()) {
		return nil
	}
	if why, ok := allowed(&t.settings, ev); !ok {
		t.log.Info("press denied", slog.String("event_key", ev.Key), slog.String("rule", why))
		t.refuse(ev, NoticeDenied)
		return nil
	}
	if !t.commands.allow(ev.Sender.Key, time.Now()) {
		t.refuse(ev, NoticeTooMany)
		return nil
	}
	id := ev.Press.ID
	switch {
	case id == pressLike, id == pressDislike:
		return t.acceptRating(ctx, ev)
	case id == formWhy:
		return t.acceptReason(ctx, ev, ev.Ref(), ev.Press.Text)
	case strings.HasPrefix(id, pressAsk):
		return t.acceptAsk(ctx, ev)
	case strings.HasPrefix(id, pressUse):
		ev.Command = &Command{Name: cmdUse, Args: strings.TrimPrefix(id, pressUse)}
		return t.acceptCommand(ctx, ev)
	case id == pressStop, id == pressRetry:
	default:
		t.log.Info("button is not known", slog.String("event_key", ev.Key), slog.String("button", clip(id, MaxButtonID)))
		t.took(ev)
		return nil
	}
	link, ok, err := t.bridge.store.Link(ctx, ev.Bot, ev.Ref())
	if err != nil {
		return err
	}
	if !ok {
		t.refuse(ev, NoticeOver)
		return nil
	}
	if id == pressStop {
		return t.acceptStop(ctx, ev, link.Conv)
	}
	ev.Kind, ev.Command = KindCommand, &Command{Name: cmdRetry, Args: link.Turn}
	t.took(ev)
	// It waits in the conversation that the message belongs to, wherever that would be by now.
	handle := ev.Handle
	ev.Handle = ""
	err = t.putCommand(ctx, Pending{Conv: link.Conv, App: link.App, At: ev.Place(), Event: *ev, Recv: time.Now().UnixMilli()})
	ev.Handle = handle
	return err
}

// acceptAsk makes a question of a suggestion.
func (t *bot) acceptAsk(ctx context.Context, ev *Event) error {
	if ev.Press.Label == "" {
		t.refuse(ev, NoticeOver)
		return nil
	}
	t.took(ev)
	ev.Kind, ev.Text, ev.Handle = KindMessage, ev.Press.Label, ""
	if ev.Reach == "" {
		ev.Reach = ReachReply
	}
	return t.acceptMessage(ctx, ev)
}

// acceptRating counts a press of 👍 or 👎.
func (t *bot) acceptRating(ctx context.Context, ev *Event) error {
	if !t.settings.Feedback.Buttons {
		t.took(ev)
		return nil
	}
	p := pressed[ev.Press.ID]
	job, changed, err := t.bridge.store.Vote(ctx, ev.Key, Vote{
		Bot: ev.Bot, Ref: ev.Ref(), Person: ev.Sender, Rating: p.rating, Emoji: p.emoji, Added: true, At: ev.SentAt,
	})
	if err != nil {
		return err
	}
	if changed {
		t.log.Info("rating changed", slog.String("app", job.App), slog.String("message_id", job.Message), slog.String("rating", string(job.Rating)))
		t.bridge.rater.wake()
	}
	asked := ev.Room.ID + "\x00" + ev.MessageID + "\x00" + ev.Sender.Key
	if p.rating != RatingDislike || !t.whys.allow(asked, time.Now()) {
		t.answer(ev, NoticeThanks)
		return nil
	}
	t.askWhy(ev)
	return nil
}

// askWhy asks, once, what was wrong: in a form where the platform has them, else by a message to be replied to.
func (t *bot) askWhy(about *Event) {
	w, ev := t.words, *about
	if t.forms != nil && ev.Handle != "" {
		t.aside(about, NoticeWhy, func(ctx context.Context) error {
			return t.forms.OpenForm(ctx, ev.Handle, Form{ID: formWhy, Title: w.whyTitle, Label: w.whyLabel, Submit: w.send, Cancel: w.cancel})
		})
		return
	}
	t.took(about)
	t.aside(about, NoticeWhy, func(ctx context.Context) error {
		refs, err := t.say(ctx, saying{
			at: ev.Place(), replyTo: ev.MessageID, key: ev.Key, to: ev.Sender, text: w.line(Notice{Kind: NoticeWhy}, ""),
		})
		if err != nil {
			return err
		}
		for _, ref := range refs {
			if err := t.bridge.store.SetCursor(ctx, t.settings.Name, whyCursor(ref), ev.MessageID); err != nil {
				return err
			}
		}
		return nil
	})
}

// whyCursor names where it is kept which answer a message asks about.
func whyCursor(question MessageRef) string { return "why/" + question.Room + "/" + question.ID }

// isReason tells whether a message answers the question what was wrong, and of which message that was asked.
func (t *bot) isReason(ctx context.Context, ev *Event) (about MessageRef, ok bool, err error) {
	if ev.ReplyTo == "" || t.forms != nil || !t.settings.Feedback.Buttons || ev.Text == "" {
		return MessageRef{}, false, nil
	}
	id, err := t.bridge.store.Cursor(ctx, t.settings.Name, whyCursor(MessageRef{Place: ev.Place(), ID: ev.ReplyTo}))
	if err != nil || id == "" {
		return MessageRef{}, false, err
	}
	return MessageRef{Place: ev.Place(), ID: id}, true, nil
}

// acceptReason adds what a person wrote to that person's rating.
func (t *bot) acceptReason(ctx context.Context, ev *Event, about MessageRef, reason string) error {
	reason = clip(strings.TrimSpace(reason), maxReason)
	if reason == "" {
		t.took(ev)
		return nil
	}
	fresh, err := t.bridge.store.Reason(ctx, ev.Key, ev.Bot, about, ev.Sender, reason)
	if err != nil {
		return err
	}
	if fresh {
		t.log.Info("rating has a reason", slog.String("event_key", ev.Key))
		t.bridge.rater.wake()
		t.answer(ev, NoticeThanks)
	}
	return nil
}

// acceptHalt ends the answer that a message shows.
func (t *bot) acceptHalt(ctx context.Context, ev *Event) error {
	if _, ok := allowed(&t.settings, ev); !ok {
		return nil
	}
	link, ok, err := t.bridge.store.Link(ctx, ev.Bot, ev.Ref())
	if err != nil || !ok {
		return err
	}
	known, err := t.bridge.store.Seen(ctx, ev.Bot, ev.Key)
	if err != nil || known {
		return err
	}
	stopped := t.bridge.halt(ctx, link.Conv)
	t.log.Info("stopped in the platform's own way", slog.String("conv", string(link.Conv)), slog.Bool("running", stopped))
	_, err = t.bridge.store.See(ctx, ev.Bot, ev.Key)
	return err
}
