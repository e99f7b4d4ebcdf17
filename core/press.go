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
func (t *bot) acceptPress(ctx context.Context, ev *Event) (err error) {
	if ev.Press == nil || t.tooOld(ev, time.Now()) {
		return nil
	}
	if why, ok := allowed(&t.settings, ev); !ok {
		t.log.Info("press denied", slog.String("event_key", ev.Key), slog.String("rule", why))
		t.refuse(ev, NoticeDenied)
		return nil
	}
	id := ev.Press.ID
	switch { // what counts as a question or a command
	case strings.HasPrefix(id, pressAsk):
		return t.acceptAsk(ctx, ev)
	case strings.HasPrefix(id, pressUse):
		ev.Command = &Command{Name: cmdUse, Args: strings.TrimPrefix(id, pressUse)}
		return t.acceptCommand(ctx, ev)
	}
	if !t.commands.allow(ev.Sender.Key, time.Now()) {
		return t.turnAway(ctx, ev, NoticeTooMany)
	}
	defer func() {
		if err != nil {
			t.commands.giveBack(ev.Sender.Key) // it will be delivered again
		}
	}()
	switch id {
	case pressLike, pressDislike:
		return t.acceptRating(ctx, ev)
	case formWhy:
		return t.acceptReason(ctx, ev, ev.Ref(), ev.Press.Text)
	case pressStop, pressRetry:
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
		return t.acceptStop(ctx, ev, link.Conv, link.Turn)
	}
	t.took(ev)
	ev.Kind, ev.Command, ev.Handle = KindCommand, &Command{Name: cmdRetry, Args: link.Turn}, ""
	// It waits in the conversation that the message belongs to, wherever that would be by now.
	_, err = t.putCommand(ctx, Pending{Conv: link.Conv, App: link.App, At: ev.Place(), Event: *ev, Recv: time.Now().UnixMilli()})
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
	if p.rating != RatingDislike || !t.whys.asked.allow(asked, time.Now()) {
		t.answer(ev, NoticeThanks)
		return nil
	}
	t.askWhy(ev)
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
	stopped := t.bridge.halt(link.Conv, link.Turn)
	t.log.Info("stopped in the platform's own way", slog.String("conv", string(link.Conv)), slog.Bool("running", stopped))
	_, err = t.bridge.store.See(ctx, ev.Bot, ev.Key)
	return err
}
