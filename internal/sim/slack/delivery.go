package slack

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Kinds of envelopes.
const (
	eventsAPI     = "events_api"
	slashCommands = "slash_commands"
	interactive   = "interactive"
)

// delivery is one payload on its way to the app, over all its attempts.
type delivery struct {
	kind    string
	event   string // the inner event's type, the command, or "block_actions"
	id      string // event_id; trigger_id for the others
	payload json.RawMessage
	ref     sim.Ref
	// answer takes what the app sent back with the acknowledgement, with the lock held.
	answer func(payload json.RawMessage)
	// lost is called when nobody acknowledged and no retry is left, with the lock held.
	lost func()

	envelopes []string // one id for each attempt
	attempts  int
	reason    string
	acked     bool
	given     bool // given up
}

// Delivery is what became of one payload.
type Delivery struct {
	Kind     string // events_api, slash_commands, interactive
	Event    string // the inner event's type, the command, or block_actions
	ID       string // event_id; trigger_id for commands and buttons
	Ref      sim.Ref
	Attempts int // how often it was sent, or would have been had a socket been open
	Acked    bool
	Lost     bool // not acknowledged, and no retry left
	Payload  json.RawMessage
}

// Deliveries lists what was raised for the app, oldest first, up to MaxDeliveries.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Delivery, 0, len(s.deliveries))
	for _, d := range s.deliveries {
		out = append(out, Delivery{
			Kind: d.kind, Event: d.event, ID: d.id, Ref: d.ref, Attempts: d.attempts, Acked: d.acked, Lost: d.given,
			Payload: d.payload,
		})
	}
	return out
}

// Acked lists the ids of the acknowledged deliveries (event_id, or trigger_id for commands and buttons) in the order
// of their acknowledgement, up to MaxDeliveries.
func (s *Server) Acked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acked)
}

// Unacked counts the deliveries that may still be repeated.
func (s *Server) Unacked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.deliveries {
		if !d.acked && !d.given {
			n++
		}
	}
	return n
}

// Redeliver sends every event about a message once more, acknowledged or not, as Slack does after a late
// acknowledgement: the same event_id in a new envelope, with a retry_attempt. It fails if there was none.
func (s *Server) Redeliver(at sim.Ref) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	for _, d := range s.deliveries {
		if d.kind != eventsAPI || d.ref.Room != at.Room || d.ref.ID != at.ID {
			continue
		}
		found = true
		if d.attempts > len(s.opt.Retries) {
			d.attempts = len(s.opt.Retries)
		}
		d.acked, d.given, d.reason = false, false, "timeout"
		s.attemptLocked(d)
	}
	if !found {
		return fmt.Errorf("redeliver %s in %s: no event was raised for it", at.ID, at.Room)
	}
	return nil
}

// deliverLocked takes a payload on and makes the first attempt.
func (s *Server) deliverLocked(d *delivery) {
	s.deliveries = append(s.deliveries, d)
	s.backlog += int64(len(d.payload))
	for len(s.deliveries) > 1 && (len(s.deliveries) > s.opt.MaxDeliveries || s.backlog > s.opt.MaxDeliveryBytes) {
		old := s.deliveries[0]
		for _, id := range old.envelopes {
			delete(s.envelopes, id)
		}
		old.given = true
		s.backlog -= int64(len(old.payload))
		s.deliveries[0] = nil
		s.deliveries = s.deliveries[1:]
	}
	s.attemptLocked(d)
}

// attemptLocked sends a delivery once and looks after the deadline whether it was acknowledged.
func (s *Server) attemptLocked(d *delivery) {
	if s.closed {
		return
	}
	id := newUUID()
	d.envelopes = append(d.envelopes, id)
	d.attempts++
	n := d.attempts
	s.envelopes[id] = d
	if s.requestURL != "" {
		s.pushLocked(attempt{d: d, envelope: id, retry: n - 1, reason: d.reason})
	} else {
		s.sendLocked(d, id)
	}
	s.clock.after(s.opt.AckDeadline, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.missedLocked(d, n, "timeout")
	})
}

// missedLocked is called when attempt n was not acknowledged. Only events are repeated.
// Source: https://docs.slack.dev/apis/events-api/#retries
func (s *Server) missedLocked(d *delivery, n int, reason string) {
	if d.acked || d.given || d.attempts != n || s.closed {
		return
	}
	if d.kind != eventsAPI || n > len(s.opt.Retries) {
		s.giveUpLocked(d)
		return
	}
	d.reason = reason
	again := func() {
		if !d.acked && !d.given && d.attempts == n {
			s.attemptLocked(d)
		}
	}
	if pause := s.opt.Retries[n-1]; pause > 0 {
		s.clock.after(pause, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			again()
		})
		return
	}
	again()
}

func (s *Server) giveUpLocked(d *delivery) {
	d.given = true
	if d.lost != nil {
		d.lost()
	}
	s.changed.Notify()
}

// acknowledgeLocked takes an acknowledgement; late ones count. It tells whether the envelope is known.
func (s *Server) acknowledgeLocked(envelope string, payload json.RawMessage) bool {
	d := s.envelopes[envelope]
	if d == nil {
		return false
	}
	delete(s.envelopes, envelope)
	if d.acked {
		return true
	}
	d.acked = true
	if len(s.acked) >= s.opt.MaxDeliveries {
		s.acked = s.acked[1:]
	}
	s.acked = append(s.acked, d.id)
	if d.answer != nil && !d.given {
		d.answer(payload)
	}
	s.changed.Notify()
	return true
}

// newUUID is a random id of the form that envelope ids have.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// frame is the envelope that a socket carries.
// Source: https://docs.slack.dev/apis/events-api/using-socket-mode#events
func (d *delivery) frame(id string) []byte {
	f := object{
		"envelope_id": id, "type": d.kind, "payload": d.payload, "accepts_response_payload": d.kind == slashCommands,
	}
	if d.kind == eventsAPI {
		f["retry_attempt"], f["retry_reason"] = d.attempts-1, d.reason
	}
	return plainJSON(f)
}

// triggerLocked makes a trigger_id, which lives for three seconds.
// Source: https://docs.slack.dev/interactivity/handling-user-interaction
func (s *Server) triggerLocked(user string) string {
	id := user + "." + s.stampLocked() + "." + rand.Text()
	s.triggers[id] = time.Now().Add(3 * time.Second)
	s.clock.after(time.Minute, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.triggers, id)
	})
	return id
}
