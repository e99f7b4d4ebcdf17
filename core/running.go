package core

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
)

// running are the replies that are being written, by their conversations: those can be stopped.
type running struct {
	mu  sync.Mutex
	all map[ConvKey]*reply
}

func (r *running) add(conv ConvKey, one *reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[conv] = one
}

func (r *running) remove(conv ConvKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, conv)
}

// of is the reply that is written in a conversation. The room may have got another id since the turn began: now says which.
func (r *running) of(conv ConvKey, now func(ConvKey) ConvKey) *reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.all[conv]; one != nil {
		return one
	}
	conv = now(conv)
	for key, one := range r.all {
		if now(key) == conv {
			return one
		}
	}
	return nil
}

// halt ends a conversation's running turn because a person said so; with turn not "" only that one. It tells whether it was
// running.
func (b *Bridge) halt(conv ConvKey, turn string) bool {
	one := b.running.of(conv, b.dispatch.now)
	return one != nil && one.halt(turn)
}

// halt ends the asking; what is shown stays. It is false if the answer had ended already, or is of another turn.
func (r *reply) halt(turn string) bool {
	r.mu.Lock()
	if r.closed || turn != "" && turn != r.j.ID {
		r.mu.Unlock()
		return false
	}
	r.j.Stopped, r.dirty = true, true
	if r.gaveUp == nil {
		r.gaveUp = ErrStopped
	}
	stop := r.giveUp
	r.mu.Unlock()
	if stop != nil {
		stop(ErrStopped)
	}
	r.wake()
	return true
}

// maxAgain is the longest question, in bytes, that is kept to be asked again.
const maxAgain = 32 << 10

// againLocked is what is kept of the question, so that it can be asked once more; nil if it is too long. One that has not come to
// be asked goes without what should have gone along and was not there yet.
func (r *reply) againLocked() *Again {
	a := &Again{Turn: r.j.ID, User: r.j.User, Query: r.j.Query, Files: r.j.Files}
	if a.Query == "" {
		a.Query = r.t.query()
		for _, u := range r.j.Uploads {
			a.Files = append(a.Files, u.File)
		}
	}
	if len(a.Query) > maxAgain {
		return nil
	}
	return a
}

// isRetry tells whether an event asks the last question again.
func isRetry(ev *Event) bool {
	return ev.Kind == KindCommand && ev.Command != nil && ev.Command.Name == cmdRetry
}

// again makes the journal of a turn that asks the conversation's last question once more. ok is false if there is none, which
// the person is told; then the command is struck off.
func (b *Bridge) again(ctx context.Context, bt *bot, p Pending, j *Turn) (ok bool, err error) {
	c, known, err := b.store.Conversation(ctx, p.Conv)
	if err != nil {
		return false, err
	}
	notice := NoticeKind("")
	switch {
	case !known:
		notice = bt.elsewhere(&p.Event, NoticeNoRetry)
	case c.Again == nil:
		notice = NoticeNoRetry
	case p.Event.Command.Args != "" && p.Event.Press != nil && p.Event.Command.Args != c.Again.Turn:
		notice = NoticeOldRetry
	default:
		ev := p.Event
		ev.Handle = bt.handles.take(ev.Key)
		bt.took(&ev) // the answer itself is a message
		j.Query, j.Files = c.Again.Query, c.Again.Files
		if len(j.Files) > 0 {
			j.User = cmp.Or(c.Again.User, c.User) // ClickAI knows files by who sent them
		}
		return true, nil
	}
	bt.log.Info("nothing to be asked again", slog.String("conv", string(p.Conv)), slog.String("notice", string(notice)))
	ev := p.Event
	ev.Handle = bt.handles.take(ev.Key)
	bt.refuse(&ev, notice)
	return false, b.store.EndTurn(ctx, *j, nil, nil)
}
