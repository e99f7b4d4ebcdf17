package core

import (
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

func (r *running) of(conv ConvKey) *reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[conv]
}

// halt ends a conversation's running turn because a person said so. It tells whether one was running.
func (b *Bridge) halt(_ context.Context, conv ConvKey) bool {
	one := b.running.of(conv)
	return one != nil && one.halt()
}

// halt ends the asking; what is shown stays. It is false if the answer had ended already.
func (r *reply) halt() bool {
	r.mu.Lock()
	if r.closed {
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

// toAskAgain is what is kept of a turn that has ended.
func toAskAgain(j Turn) *Again {
	if j.Query == "" || len(j.Query) > maxAgain {
		return nil
	}
	return &Again{Turn: j.ID, Query: j.Query, Files: j.Files}
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
	case !known || c.Again == nil:
		notice = NoticeNoRetry
	case p.Event.Command.Args != "" && p.Event.Press != nil && p.Event.Command.Args != c.Again.Turn:
		notice = NoticeOldRetry
	default:
		ev := p.Event
		ev.Handle = bt.handles.take(ev.Key)
		bt.took(&ev) // the answer itself is a message
		j.Query, j.Files = c.Again.Query, c.Again.Files
		return true, nil
	}
	bt.log.Info("nothing to be asked again", slog.String("conv", string(p.Conv)), slog.String("notice", string(notice)))
	ev := p.Event
	ev.Handle = bt.handles.take(ev.Key)
	bt.refuse(&ev, notice)
	return false, b.store.EndTurn(ctx, *j, nil, nil)
}
