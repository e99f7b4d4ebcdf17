package telegram

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// Thinking is what a draft without text shows: https://core.telegram.org/bots/api#sendmessagedraft.
const Thinking = "Thinking…"

// maxDraftVersions bounds the history of one draft.
const maxDraftVersions = 1000

// activity is what the bot shows in one place besides messages. Guarded by Server.mu.
type activity struct {
	action      string
	actionUntil time.Time
	draftID     int64
	draft       []sim.Version // states of the latest draft, shown or not
	draftUntil  time.Time
}

// chatActions are those of https://core.telegram.org/bots/api#sendchataction.
var chatActions = []string{
	"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
	"choose_sticker", "find_location", "record_video_note", "upload_video_note",
}

func (c *chat) act(topic int) *activity {
	a := c.activity[topic]
	if a == nil {
		a = &activity{}
		c.activity[topic] = a
	}
	return a
}

func (s *Server) sendChatAction(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, topic, err := s.place(p)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(chatActions, p.str("action")) {
		return nil, wrong("wrong parameter action in request")
	}
	a := c.act(topic)
	a.action, a.actionUntil = p.str("action"), time.Now().Add(s.opts.TypingFor)
	s.endsAt(&s.actionEnds, a.actionUntil)
	s.changed.Notify()
	return true, nil
}

// sendMessageDraft shows a text that grows: private chats only, gone after 30 seconds or with the bot's next message.
func (s *Server) sendMessageDraft(_ context.Context, p *params) (any, error) {
	body, err := s.textOf(p, "text", "entities", textRules{limit: maxText, empty: true, long: "message is too long"})
	if err != nil {
		return nil, err
	}
	return s.draft(p, body)
}

func (s *Server) draft(p *params, body markup.Text) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, topic, err := s.place(p)
	if err != nil {
		return nil, err
	}
	if c.kind != private {
		return nil, wrong("TEXTDRAFT_PEER_INVALID")
	}
	id := p.int("draft_id")
	if id == 0 {
		return nil, wrong("draft_id must be a non-zero number")
	}
	a, now := c.act(topic), time.Now()
	if a.draftID != id || !now.Before(a.draftUntil) {
		a.draft = nil
	}
	text := body.Text
	if text == "" {
		text = Thinking
	}
	a.draftID, a.draftUntil = id, now.Add(s.opts.DraftFor)
	a.draft = append(a.draft, sim.Version{At: now, Text: formatted(body), Shown: text})
	if over := len(a.draft) - maxDraftVersions; over > 0 {
		a.draft = slices.Delete(a.draft, 1, 1+over)
	}
	s.endsAt(&s.draftEnds, a.draftUntil)
	s.opts.Observe.Tell(sim.Drafted, sim.Ref{Room: formatID(c.id), Thread: threadName(topic), ID: "draft:" + formatID(id)}, now, body.Text)
	s.changed.Notify()
	return true, nil
}

// settle ends chat action and draft in a place: the bot has written there.
func (c *chat) settle(topic int) {
	if a := c.activity[topic]; a != nil {
		a.actionUntil, a.draftUntil = time.Time{}, time.Time{}
	}
}

// look finds the activity of a place. Called with mu held.
func (s *Server) look(room, thread string) *activity {
	c, err := s.room(room)
	if err != nil {
		return nil
	}
	topic, _ := strconv.Atoi(thread)
	return c.activity[topic]
}

// Typing tells whether a chat action shows in a place, and which: "typing", "upload_document" …
func (s *Server) Typing(room, thread string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.look(room, thread)
	if a == nil || !time.Now().Before(a.actionUntil) {
		return "", false
	}
	return a.action, true
}

// Draft is the draft that shows in a place now; "" if there is none.
func (s *Server) Draft(room, thread string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.look(room, thread)
	if a == nil || len(a.draft) == 0 || !time.Now().Before(a.draftUntil) {
		return ""
	}
	return a.draft[len(a.draft)-1].Shown
}

// Drafts are the states of the latest draft of a place, also after it is gone; at most 1,000.
func (s *Server) Drafts(room, thread string) []sim.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.look(room, thread); a != nil {
		return slices.Clone(a.draft)
	}
	return nil
}

// tick is how finely the ends of what shows for a time are told.
const tick = 10 * time.Millisecond

// deadlines is a queue of times to come, earliest first: all of one queue lie the same span after their making. Those
// within one tick are one entry, so its length is bounded by that span. Guarded by Server.mu.
type deadlines []time.Time

// add notes a time, rounded up to the next tick; false if it is noted already.
func (d *deadlines) add(t time.Time) bool {
	t = t.Truncate(tick).Add(tick)
	if n := len(*d); n > 0 && !t.After((*d)[n-1]) {
		return false
	}
	*d = append(*d, t)
	return true
}

// endsAt has watchers told at t. Called with mu held.
func (s *Server) endsAt(d *deadlines, t time.Time) {
	if d.add(t) {
		s.expire.Notify()
	}
}

// expireLoop tells watchers when something that shows for a time has ended. It is one of the server's own goroutines.
func (s *Server) expireLoop() {
	for {
		wake := s.expire.Changed()
		passed, next := s.nextExpiry(time.Now())
		if passed {
			s.changed.Notify()
		}
		var due <-chan time.Time
		timer := time.NewTimer(time.Until(next))
		if !next.IsZero() {
			due = timer.C
		}
		select {
		case <-wake:
		case <-due:
		case <-s.ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// nextExpiry takes off what has passed and tells what comes next; zero if nothing does.
func (s *Server) nextExpiry(now time.Time) (passed bool, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range []*deadlines{&s.actionEnds, &s.draftEnds, &s.pollEnds} {
		for len(*d) > 0 && !(*d)[0].After(now) {
			passed = true
			*d = (*d)[1:]
		}
		if len(*d) > 0 && (next.IsZero() || (*d)[0].Before(next)) {
			next = (*d)[0]
		}
	}
	return passed, next
}
