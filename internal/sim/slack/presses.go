package slack

import (
	"context"
	"fmt"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

// Button is one that stands under a message.
type Button struct {
	ID     string // its value, which the app is told when it is pressed
	Label  string // as a reader sees it
	Action string // its action_id; two feedback buttons share one
}

// Buttons are those of a message, in their order; none if there are none or no such message. The message may be one that a
// single person sees.
func (s *Server) Buttons(at sim.Ref) []Button {
	s.mu.Lock()
	defer s.mu.Unlock()
	return buttonsOf(s.blocksLocked(at), s.namesLocked())
}

// blocksLocked are the blocks of a message, also of an ephemeral one.
func (s *Server) blocksLocked(at sim.Ref) []object {
	if ch := s.byID[at.Room]; ch != nil && ch.byTS[at.ID] != nil {
		return decodeBlocks(ch.byTS[at.ID].now().blocks)
	}
	if e := s.ephemeralAtLocked(at); e != nil {
		return decodeBlocks(e.body.blocks)
	}
	return nil
}

func (s *Server) ephemeralAtLocked(at sim.Ref) *ephemeral {
	for i := range s.ephemerals {
		if e := &s.ephemerals[i]; e.room == at.Room && e.ts == at.ID {
			return e
		}
	}
	return nil
}

func buttonsOf(blocks []object, n names) []Button {
	r := blockReader{names: n}
	var all []Button
	add := func(e, b object) {
		if str(b, "value") != "" || str(e, "action_id") != "" {
			all = append(all, Button{ID: str(b, "value"), Label: r.text(obj(b, "text")), Action: str(e, "action_id")})
		}
	}
	for _, b := range blocks {
		for _, e := range append(list(b, "elements"), obj(b, "accessory")) {
			switch str(e, "type") {
			case "button", "icon_button":
				add(e, e)
			case "feedback_buttons":
				add(e, obj(e, "positive_button"))
				add(e, obj(e, "negative_button"))
			}
		}
	}
	return all
}

// Press makes a person press a button in a message of the bot's. id is the button's action_id, or its value; "action_id/value"
// picks one of several with the same action_id, and is how one of two feedback buttons is picked where their values are
// those of other buttons, too. The message may be one that this person alone sees.
// Source: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func (s *Server) Press(_ context.Context, at sim.Ref, user, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.memberLocked(at.Room, user)
	if err != nil {
		return fmt.Errorf("press %s: %w", id, err)
	}
	action := findAction(s.blocksLocked(at), id)
	if action == nil {
		return fmt.Errorf("press %s: message %s in %s has no such button", id, at.ID, at.Room)
	}
	ref, h := sim.Ref{Room: ch.id, ID: at.ID}, &hook{ch: ch, user: user}
	var stored object
	if m := ch.byTS[at.ID]; m != nil {
		ref, stored = ch.ref(m), s.messageLocked(ch, m, true)
		h.thread, h.origin = m.thread, m.ts
	} else if e := s.ephemeralAtLocked(at); e.user != user {
		return fmt.Errorf("press %s: message %s in %s is shown to somebody else", id, at.ID, at.Room)
	} else {
		h.thread = e.thread
	}
	action["action_ts"] = s.stampLocked()
	u, _ := s.userLocked(user)
	trigger := s.triggerLocked(user)
	container := object{"type": "message", "message_ts": at.ID, "channel_id": ch.id, "is_ephemeral": stored == nil}
	if h.thread != "" {
		container["thread_ts"] = h.thread
	}
	name := ch.name
	if ch.kind == "im" {
		name = "directmessage"
	}
	payload := object{
		"type": "block_actions", "token": "standin", "api_app_id": s.opt.AppID, "trigger_id": trigger,
		"user":      object{"id": user, "username": u.Name, "name": u.Name, "team_id": s.opt.TeamID},
		"team":      object{"id": s.opt.TeamID, "domain": s.opt.TeamDomain},
		"channel":   object{"id": ch.id, "name": name},
		"container": container, "enterprise": nil, "is_enterprise_install": false, "state": object{"values": object{}},
		"response_url": s.hookLocked(h), "actions": []object{action},
	}
	if stored != nil { // of an ephemeral message an app is told no more than the container
		payload["message"] = stored
	}
	s.deliverLocked(&delivery{
		kind: interactive, event: "block_actions", id: trigger, ref: ref, payload: plainJSON(payload),
		lost: func() { s.failLocked(user, "a button was not acknowledged") },
	})
	return nil
}

// failLocked notes what a person was shown as an error, next to a button or in a form.
func (s *Server) failLocked(user, what string) {
	if len(s.failures) >= maxNotes {
		s.failures = s.failures[1:]
	}
	s.failures = append(s.failures, user+": "+what)
	s.changed.Notify()
}

// Failures are the errors that people were shown next to buttons and in forms, "<user>: <what>", oldest first.
func (s *Server) Failures() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.failures...)
}

// findAction is the action that pressing a button makes; nil if there is no such button.
func findAction(blocks []object, want string) object {
	for _, b := range blocks {
		for _, e := range append(list(b, "elements"), obj(b, "accessory")) {
			sides := []object{e}
			if str(e, "type") == "feedback_buttons" {
				sides = []object{obj(e, "positive_button"), obj(e, "negative_button")}
			}
			id := str(e, "action_id")
			for _, side := range sides {
				value := str(side, "value")
				if id == "" || want != id+"/"+value && (value == "" || want != value) && (len(sides) > 1 || want != id) {
					continue
				}
				return object{
					"type": str(e, "type"), "action_id": id, "block_id": str(b, "block_id"), "text": escapedText(obj(side, "text")), "value": value,
				}
			}
		}
	}
	return nil
}

// escapedText is a text object as payloads show it.
func escapedText(t object) object {
	if t == nil {
		return nil
	}
	return object{"type": str(t, "type"), "text": escapes.Replace(strings.TrimSpace(str(t, "text"))), "emoji": true}
}
