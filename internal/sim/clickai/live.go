package clickai

import (
	"sync"
	"time"
)

// Live is an answer whose pieces come from another goroutine than the request's: one clock can so drive thousands of
// answers. See [Hand].
type Live struct {
	r     *run
	mu    sync.Mutex // guards r while the answer is out of the handler's hands
	over  bool
	ended chan struct{}
	once  sync.Once
}

// Send sends one piece of the answer as one event, at once. It is false when the client is gone or the answer has ended:
// nothing was sent then. It blocks only when the client does not read and the connection's buffers are full.
func (l *Live) Send(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.r.gone {
		return false
	}
	l.r.delta(text)
	return !l.r.gone
}

// End gives the answer back: the terminal events follow. Further calls do nothing.
func (l *Live) End() { l.once.Do(func() { close(l.ended) }) }

// Hand gives the answer away: take is called in the request's goroutine and returns at once, and the answer then lasts
// until End, or until the client goes away, the run is stopped or the server closes. No pings are sent meanwhile.
func Hand(take func(*Live)) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		l := &Live{r: r, ended: make(chan struct{})}
		left, longest := r.left, time.Until(r.deadline) // before another goroutine can change them
		take(l)
		err := l.wait(left, longest)
		l.mu.Lock()
		l.over = true
		l.mu.Unlock()
		return err
	}}
}

// wait returns when the answer is over.
func (l *Live) wait(left <-chan struct{}, longest time.Duration) error {
	t := time.NewTimer(longest)
	defer t.Stop()
	select {
	case <-l.ended:
		return nil
	case <-left:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.r.lose()
		return errEnded
	case <-l.r.stopped:
		return errStopped
	case <-l.r.s.closing:
		return errClosing
	case <-t.C:
		return errStopped
	}
}
