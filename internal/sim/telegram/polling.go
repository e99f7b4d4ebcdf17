package telegram

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// pollGrace is how long after an answered poll the bot still counts as connected: it is handling what it got.
const pollGrace = 2 * time.Second

// pollState is the long poll under way. It is guarded by Server.mu.
type pollState struct {
	current      *poll
	answered     time.Time // end of the last answered poll; zero when the client hung up
	nextConflict time.Time
}

// poll is one getUpdates call that waits; end tells it why another call ended it.
type poll struct{ end chan string }

const (
	conflictPoll    = "terminated by other getUpdates request; make sure that only one bot instance is running"
	conflictHook    = "terminated by setWebhook request"
	conflictWebhook = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)

// getUpdates is https://core.telegram.org/bots/api#getupdates. A second call ends the first one with 409.
func (s *Server) getUpdates(ctx context.Context, p *params) (any, error) {
	offset := p.clamp("offset", 0, -1<<62, 1<<62)
	limit := int(p.clamp("limit", 100, 1, 100))
	timeout := time.Duration(p.clamp("timeout", 0, 0, 50)) * time.Second
	var allowed []string
	given, err := p.list("allowed_updates", &allowed)
	if err != nil {
		given = false // the server takes an unreadable list as none
	}

	s.mu.Lock()
	if s.hook != nil {
		s.mu.Unlock()
		return nil, s.conflict(ctx, conflictWebhook)
	}
	if given {
		s.updates.allow(allowed)
	}
	s.endPollLocked(conflictPoll)
	me := &poll{end: make(chan string, 1)}
	s.poll.current = me
	s.updates.confirm(offset)
	s.mu.Unlock()
	s.changed.Notify() // Connected may have changed

	var deadline <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		deadline = t.C
	}
	for {
		wake := s.queued.Changed()
		if batch, done := s.takeBatch(me, limit, timeout == 0); done {
			return batch, nil
		}
		select {
		case <-wake:
		case <-deadline:
			s.finishPoll(me, true)
			return []json.RawMessage{}, nil
		case why := <-me.end:
			return nil, s.conflict(ctx, why)
		case <-ctx.Done():
			s.finishPoll(me, false)
			return nil, ctx.Err()
		}
	}
}

// takeBatch hands out updates if there are any, or an empty list if nothing is to be waited for.
func (s *Server) takeBatch(me *poll, limit int, short bool) ([]json.RawMessage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll.current != me { // ended by another call, which has said why
		return nil, false
	}
	batch := s.updates.take(limit)
	if len(batch) == 0 && !short && !s.instantPolls {
		return nil, false
	}
	s.finishPollLocked(me, true)
	return batch, true
}

func (s *Server) finishPoll(me *poll, answered bool) {
	s.mu.Lock()
	s.finishPollLocked(me, answered)
	s.mu.Unlock()
	s.changed.Notify()
}

func (s *Server) finishPollLocked(me *poll, answered bool) {
	if s.poll.current != me {
		return
	}
	s.poll.current, s.poll.answered = nil, time.Time{}
	if answered {
		s.poll.answered = time.Now()
		s.endsAt(&s.pollEnds, s.poll.answered.Add(pollGrace))
	}
}

// endPollLocked ends the poll under way, if any.
func (s *Server) endPollLocked(why string) {
	if s.poll.current != nil {
		s.poll.current.end <- why
		s.poll.current = nil
	}
}

// conflict is a 409. Only one in ConflictPause is answered at once, so that two bots with one token do not spin.
func (s *Server) conflict(ctx context.Context, why string) error {
	s.mu.Lock()
	pause := time.Until(s.poll.nextConflict) > 0
	if !pause {
		s.poll.nextConflict = time.Now().Add(s.opts.ConflictPause)
	}
	s.mu.Unlock()
	if pause {
		t := time.NewTimer(s.opts.ConflictPause)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return &apiError{code: http.StatusConflict, text: why}
}

// InstantPolls makes getUpdates answer at once, with an empty list when there is nothing, as some servers and proxies
// do whatever timeout was asked for.
func (s *Server) InstantPolls(on bool) {
	s.mu.Lock()
	s.instantPolls = on
	s.mu.Unlock()
	s.queued.Notify()
}

// Connected tells whether the bot takes updates: a poll is under way or was answered within two seconds, or a webhook
// is set.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hook != nil || s.poll.current != nil ||
		!s.poll.answered.IsZero() && time.Since(s.poll.answered) < pollGrace
}
