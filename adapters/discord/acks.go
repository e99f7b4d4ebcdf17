package discord

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// acks acknowledges the interactions that core has not answered in time, since Discord forgets those after three seconds. An
// interaction is stored by then; the acknowledgement leaves it open to be answered later.
type acks struct {
	p    *Platform
	wake chan struct{} // capacity 1

	mu  sync.Mutex
	due []*interaction // in the order of arrival, and so of time
}

func newAcks(p *Platform) *acks { return &acks{p: p, wake: make(chan struct{}, 1)} }

func (a *acks) add(i *interaction) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.due) < maxHandles {
		a.due = append(a.due, i)
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// next takes the next interaction if it is due by then; else it tells when it will be, the zero time if there is none.
func (a *acks) next(now time.Time) (*interaction, time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.due) == 0 {
		return nil, time.Time{}
	}
	i := a.due[0]
	if at := i.arrived.Add(a.p.times.ack); at.After(now) {
		return nil, at
	}
	a.due[0] = nil
	a.due = a.due[1:]
	return i, time.Time{}
}

// work runs until ctx ends. Then all that wait are acknowledged at once: what answers them may still be at work.
func (a *acks) work(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	// The last ones get their time although ctx has ended.
	lasting, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer wg.Wait()
	places := make(chan struct{}, acksAtOnce)
	for {
		now := time.Now()
		if ctx.Err() != nil {
			now = now.Add(a.p.times.ack)
		}
		i, at := a.next(now)
		if i != nil {
			places <- struct{}{} // for as long as a request may take
			wg.Go(func() {
				defer func() { <-places }()
				a.acknowledge(lasting, i)
			})
			continue
		}
		if at.IsZero() {
			if ctx.Err() != nil {
				return
			}
			at = now.Add(time.Hour)
		}
		t := time.NewTimer(at.Sub(now))
		select {
		case <-t.C:
		case <-a.wake:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

func (a *acks) acknowledge(ctx context.Context, i *interaction) {
	const op = "discord.Acknowledge"
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	i, err := a.p.inter.begin(ctx, op, i.id)
	if err != nil {
		return // it was dropped, or is being answered
	}
	defer i.end()
	if i.state != unanswered {
		return
	}
	if err := a.p.acknowledge(ctx, op, i); err != nil {
		a.p.log.Info("interaction not acknowledged", slog.String("id", i.id), slog.Any("err", err))
	}
}
