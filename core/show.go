package core

import (
	"context"
	"errors"
	"log/slog"
)

// put makes the i-th message show p. It returns nil also when the message has to be shown in another way first: then it
// does not stand as p, and the next step goes on with it.
func (w *writer) put(ctx context.Context, i int, p Part, final bool) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out := p
	if final && w.asPlain == sumOf(p) {
		out = Part{Text: p.Plain, Plain: p.Plain}
	}
	if i < len(w.shown) && !w.shown[i].gone {
		return w.edit(ctx, i, p, out, final)
	}
	post := w.outgoing(out)
	ref, err := w.t.bot.platform.Post(ctx, post)
	switch class := ClassOf(err); {
	case err == nil && w.has(ref, i):
		// What was looked up is another message of this reply. Were it taken for two, the second would be removed in the end.
		w.t.log.Error("post recognised as a message that stands already, posting it anew", slog.String("ref", ref.ID))
		w.maybe = false
		w.r.note(func(j *Turn) { j.Posts = max(j.Posts, len(j.Reply)) + 1 })
		return nil
	case err == nil:
	case class == ThreadGone && post.Place.Thread != "":
		w.t.log.Info("thread is closed, answering in the room", slog.Any("err", err))
		w.moved(Place{Room: post.Place.Room})
		return nil
	case refused(err) && !final:
		w.t.log.Error("message refused", slog.Any("err", err))
		w.refused = sumOf(p) // a later state may be taken
		return nil
	case refused(err) && w.plainer(p):
		w.t.log.Error("message refused, sending it without formatting", slog.Any("err", err))
		return nil
	default:
		w.maybe = w.maybe || isMaybe(err)
		return w.later(err)
	}
	stands := shownPart{ref: ref, sum: sumOf(p), size: len(p.Text)}
	if w.maybe {
		stands.sum = 0 // a platform that knows the nonce gives back what it took first: the newest text needs an edit
	}
	w.maybe, w.draft = false, 0
	if i < len(w.shown) {
		w.shown[i] = stands
	} else {
		w.shown = append(w.shown, stands)
	}
	w.paced()
	return w.noteShown(ctx)
}

// has tells whether another message of the reply than the i-th is this one.
func (w *writer) has(ref MessageRef, i int) bool {
	for j, s := range w.shown {
		if j != i && !s.gone && s.ref == ref {
			return true
		}
	}
	return false
}

// edit makes the i-th message show out, which stands for p.
func (w *writer) edit(ctx context.Context, i int, p, out Part, final bool) error {
	w.edits++
	err := w.t.bot.editor.Edit(ctx, w.shown[i].ref, out)
	switch class := ClassOf(err); {
	case err == nil:
	case class == MessageGone, class == ThreadGone:
		w.t.log.Info("message of the reply is gone, posting it anew", slog.Any("err", err))
		w.shown[i].gone, w.shown[i].sum = true, 0
		return nil
	case !refused(err):
		if class != RateLimited {
			w.shown[i].sum = 0 // it may have taken effect all the same
		}
		return w.later(err)
	case !final:
		// The same text would be refused again; a later state may not be. In the end it is tried in any case.
		w.t.log.Error("edit refused", slog.Any("err", err))
	case w.plainer(p):
		w.t.log.Error("last edit refused, showing it without formatting", slog.Any("err", err))
		return nil
	default: // nothing of the end may be lost
		w.t.log.Error("last edit refused, posting it anew", slog.Any("err", err))
		w.shown[i].gone, w.shown[i].sum = true, 0
		return nil
	}
	w.shown[i].sum, w.shown[i].size, w.shown[i].refused = sumOf(p), len(p.Text), err != nil
	w.paced()
	return nil
}

// plainer has a part tried without its formatting, once.
func (w *writer) plainer(p Part) bool {
	if p.Plain == "" || p.Text == p.Plain && p.Buttons == "" || w.asPlain == sumOf(p) {
		return false
	}
	w.asPlain = sumOf(p)
	return true
}

// noteShown stores which messages the reply has after another one was posted.
func (w *writer) noteShown(ctx context.Context) error {
	refs := make([]MessageRef, 0, len(w.shown))
	for _, s := range w.shown {
		refs = append(refs, s.ref)
	}
	w.r.mu.Lock()
	w.r.j.Reply = refs
	w.r.j.Posts++
	w.r.mu.Unlock()
	if err := w.r.journal(ctx, true); err != nil {
		return w.later(err)
	}
	return nil
}

// outgoing is the next new message of the reply.
func (w *writer) outgoing(p Part) Post {
	place := w.place()
	last := w.t.batch[len(w.t.batch)-1].Event
	post := Post{Place: place, Part: p, Nonce: w.nonce(), Again: w.maybe, For: w.t.batch[0].Event.Sender}
	if w.t.bot.platform.Limits(place).ReplyToRoom && place == last.Place() {
		post.ReplyTo = last.MessageID
	}
	return post
}

// nonce names the next new message.
func (w *writer) nonce() string {
	w.r.mu.Lock()
	n := max(w.r.j.Posts, len(w.r.j.Reply))
	w.r.mu.Unlock()
	return nonce(w.t.batch[0].Event.Bot+w.t.batch[0].Event.Key, n)
}

// moved notes where the answer stands.
func (w *writer) moved(p Place) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if w.r.j.At != p {
		w.r.j.At, w.r.dirty = p, true
	}
}

// drop removes the last message, when the reply has become shorter.
func (w *writer) drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	last := w.shown[len(w.shown)-1]
	var err error
	if last.gone {
		err = nil
	} else if w.t.bot.deleter != nil {
		err = w.t.bot.deleter.Delete(ctx, last.ref)
	} else {
		err = w.t.bot.editor.Edit(ctx, last.ref, w.t.bot.platform.Render("…", true)[0])
	}
	switch ClassOf(err) {
	case Transient, RateLimited, Auth:
		return w.later(err)
	default: // gone already, or not to be removed: nothing better can be done
	}
	w.shown = w.shown[:len(w.shown)-1]
	w.paced()
	w.more = true // the last text stands already
	w.r.mu.Lock()
	w.r.j.Reply = w.r.j.Reply[:min(len(w.r.j.Reply), len(w.shown))]
	w.r.dirty = true
	w.r.mu.Unlock()
	return nil
}

// refused tells whether the platform did not like what was to be shown, rather than where.
func refused(err error) bool {
	switch ClassOf(err) {
	case TooLong, BadMarkup, Invalid:
		return true
	default:
		return false
	}
}

// isMaybe tells whether a call that failed may have taken effect.
func isMaybe(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Maybe
}
