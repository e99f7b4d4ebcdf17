package core

import (
	"slices"
	"time"
)

// stopAfter is how long an answer takes before it can be stopped by a button: most are complete before anyone would, and an
// edit to take the button away is saved.
const stopAfter = 5 * time.Second

// retryable tells whether it may help to ask again after a turn that ended so.
func retryable(k NoticeKind) bool {
	switch k {
	case NoticeRetry, NoticeErrorRetry, NoticeTimeout, NoticeCut, NoticeEndedEarly, NoticeNoAnswer, NoticeStopped:
		return true
	default:
		return false
	}
}

// buttons are what stands under the last message of the reply, at most so many.
func (r *reply) buttons(most int) Buttons {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, set := r.t.bot.words, &r.t.bot.settings
	var all []Button
	switch {
	case most <= 0:
		return ""
	case !r.closed:
		if r.quiet || time.Since(r.began) < stopAfter {
			return ""
		}
		all = []Button{{ID: pressStop, Label: w.stop}}
	default:
		if retryable(r.state.end.Kind) && r.againLocked() != nil {
			all = append(all, Button{ID: pressRetry, Label: w.retry})
		}
		if set.Feedback.Buttons && r.j.Message != "" {
			all = append(all, Button{ID: pressLike, Label: w.like}, Button{ID: pressDislike, Label: w.dislike})
		}
		if r.state.end.Kind == "" {
			all = append(all, r.t.bot.prompts(r.state.next).All()...)
		}
	}
	return NewButtons(all[:min(len(all), most)]...)
}

// withButtons puts the buttons under the last of the parts, which stay as they are.
func (w *writer) withButtons(parts []Part) []Part {
	if len(parts) == 0 {
		return parts
	}
	buttons := w.r.buttons(w.limits().Buttons)
	if buttons == "" {
		return parts
	}
	parts = slices.Clone(parts)
	parts[len(parts)-1].Buttons = buttons
	return parts
}

// stopAt is when the button that ends the answer is due under a message that stands. An app that has gone quiet brings no news
// with which it would come. Zero: it has come, or there is no such message.
func (w *writer) stopAt() time.Time {
	if w.offered || w.hidden || w.stream != nil || w.draft != 0 || len(w.shown) == 0 || w.r.isClosed() || w.limits().Buttons <= 0 {
		return time.Time{}
	}
	return w.r.began.Add(stopAfter)
}
