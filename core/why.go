package core

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxReason bounds what a person writes about an answer, in bytes.
	maxReason = 2000
	// maxWhys is how many messages of a bot that ask what was wrong are remembered. A reply to an older one is a question.
	maxWhys = 200
	// whysCursor is where they are kept.
	whysCursor = "whys"
	// maxWhyWait is how long replies wait, all together, for one that is being posted. A platform may hand on nothing else
	// meanwhile.
	maxWhyWait = 5 * time.Second
)

// whyAsked is a message that asks a person what was wrong with an answer.
type whyAsked struct {
	Room   string `json:"room"`
	ID     string `json:"id"`
	About  string `json:"about"`  // the message that was rated
	Person string `json:"person"` // Key of whom it asks
}

// whys are the messages that ask so.
type whys struct {
	mu    sync.Mutex // held while they are changed
	asked *rateByKey // once for each answer and person

	postingMu sync.Mutex // never held for long
	posting   []*posting // at most noticesAtOnce
}

// posting is one of them that people may see already, but that is not noted yet.
type posting struct {
	room, person string
	until        time.Time     // when no reply waits for it any more; zero before the first one does
	done         chan struct{} // closed once it has been noted, or is given up
}

// begin counts one as being posted until end is called.
func (w *whys) begin(room, person string) (end func()) {
	p := &posting{room: room, person: person, done: make(chan struct{})}
	w.postingMu.Lock()
	defer w.postingMu.Unlock()
	w.posting = append(w.posting, p)
	return func() {
		w.postingMu.Lock()
		defer w.postingMu.Unlock()
		w.posting = slices.DeleteFunc(w.posting, func(o *posting) bool { return o == p })
		close(p.done)
	}
}

// find is one that is being posted to a person in a room and may be waited for; nil if there is none.
func (w *whys) find(room, person string) *posting {
	w.postingMu.Lock()
	defer w.postingMu.Unlock()
	for _, p := range w.posting {
		if p.room == room && p.person == person && (p.until.IsZero() || time.Now().Before(p.until)) {
			return p
		}
	}
	return nil
}

// wait waits until it is no longer being posted, or has been waited for long enough.
func (w *whys) wait(ctx context.Context, p *posting) error {
	w.postingMu.Lock()
	if p.until.IsZero() {
		for _, o := range w.posting { // a person who dislikes several answers is asked several times
			if o.room == p.room && o.person == p.person {
				o.until = time.Now().Add(maxWhyWait)
			}
		}
	}
	timer := time.NewTimer(time.Until(p.until))
	w.postingMu.Unlock()
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	case <-ctx.Done():
		return fmt.Errorf("wait for a question about a rating to be posted: %w", context.Cause(ctx))
	}
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
		defer t.whys.begin(ev.Room.ID, ev.Sender.Key)()
		refs, err := t.say(ctx, saying{
			at: ev.Place(), replyTo: ev.MessageID, key: ev.Key, to: ev.Sender, text: w.line(Notice{Kind: NoticeWhy}, ""),
		})
		if err != nil {
			return err
		}
		ctx, cancel := lastWrite(ctx) // it stands there, also when the bridge stops now
		defer cancel()
		t.whys.mu.Lock()
		defer t.whys.mu.Unlock()
		all, err := t.whysAsked(ctx)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			all = append(all, whyAsked{Room: ref.Room, ID: ref.ID, About: ev.MessageID, Person: ev.Sender.Key})
		}
		raw, err := json.Marshal(all[max(0, len(all)-maxWhys):])
		if err != nil {
			return fmt.Errorf("encode what was asked: %w", err)
		}
		return t.bridge.store.SetCursor(ctx, t.settings.Name, whysCursor, string(raw))
	})
}

func (t *bot) whysAsked(ctx context.Context) (all []whyAsked, err error) {
	raw, err := t.bridge.store.Cursor(ctx, t.settings.Name, whysCursor)
	if err != nil || raw == "" {
		return nil, err
	}
	if err := json.Unmarshal([]byte(raw), &all); err != nil {
		t.log.Error("what was asked about ratings cannot be read", slog.Any("err", err))
		return nil, nil
	}
	return all, nil
}

// isReason tells whether a message answers the question what was wrong, and of which message its sender was asked that. People
// may reply to that question before it has been noted: while its sender is being asked, such a reply waits.
func (t *bot) isReason(ctx context.Context, ev *Event) (about MessageRef, ok bool, err error) {
	if ev.ReplyTo == "" || t.forms != nil || !t.settings.Feedback.Buttons || strings.TrimSpace(ev.Text) == "" {
		return MessageRef{}, false, nil
	}
	if _, ok := allowed(&t.settings, ev); !ok {
		return MessageRef{}, false, nil
	}
	for {
		posting := t.whys.find(ev.Room.ID, ev.Sender.Key) // before reading: one may be noted in between
		all, err := t.whysAsked(ctx)
		if err != nil {
			return MessageRef{}, false, err
		}
		i := slices.IndexFunc(all, func(w whyAsked) bool {
			return w.Room == ev.Room.ID && w.ID == ev.ReplyTo && w.Person == ev.Sender.Key
		})
		switch {
		case i >= 0:
			return MessageRef{Place: ev.Place(), ID: all[i].About}, true, nil
		case posting == nil, ev.Reach == ReachAmbient: // no reply to the bot
			return MessageRef{}, false, nil
		}
		replied := MessageRef{Place: ev.Place(), ID: ev.ReplyTo}
		if _, isAnswer, err := t.bridge.store.Link(ctx, ev.Bot, replied); err != nil || isAnswer {
			return MessageRef{}, false, err
		}
		if err := t.whys.wait(ctx, posting); err != nil {
			return MessageRef{}, false, err
		}
	}
}

// acceptReply takes a message that answers it.
func (t *bot) acceptReply(ctx context.Context, ev *Event, about MessageRef) error {
	if !t.commands.allow(ev.Sender.Key, time.Now()) {
		return t.turnAway(ctx, ev, NoticeTooMany)
	}
	err := t.acceptReason(ctx, ev, about, ev.Text)
	if err != nil {
		t.commands.giveBack(ev.Sender.Key) // it will be delivered again
	}
	return err
}

// acceptReason adds what a person wrote to that person's rating.
func (t *bot) acceptReason(ctx context.Context, ev *Event, about MessageRef, reason string) error {
	reason = clip(strings.TrimSpace(reason), maxReason)
	if reason == "" {
		t.took(ev)
		return nil
	}
	fresh, err := t.bridge.store.Reason(ctx, ev.Key, ev.Bot, about, ev.Sender, reason)
	switch {
	case err != nil:
		return err
	case !fresh: // the rating was taken back, or is forgotten
		t.refuse(ev, NoticeOver)
		return nil
	}
	t.log.Info("rating has a reason", slog.String("event_key", ev.Key))
	t.bridge.rater.wake()
	t.answer(ev, NoticeThanks)
	return nil
}
