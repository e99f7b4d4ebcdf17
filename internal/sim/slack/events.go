package slack

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// raiseLocked tells the app of an inner event, in the callback that Slack wraps it in.
// Source: https://docs.slack.dev/apis/events-api/#callback-field
func (s *Server) raiseLocked(ref sim.Ref, event object) {
	s.events++
	id := s.newIDLocked("Ev")
	kind := str(event, "type")
	payload := object{
		"token": "standin", "team_id": s.opt.TeamID, "context_team_id": s.opt.TeamID, "context_enterprise_id": nil,
		"api_app_id": s.opt.AppID, "event": event, "type": "event_callback", "event_id": id, "event_time": time.Now().Unix(),
		"authorizations": []object{{
			"enterprise_id": nil, "team_id": s.opt.TeamID, "user_id": s.opt.BotUserID, "is_bot": true, "is_enterprise_install": false,
		}},
		"is_ext_shared_channel": false,
		"event_context":         fmt.Sprintf("4-%s-%s-%s", kind, s.opt.TeamID, ref.Room),
	}
	s.deliverLocked(&delivery{kind: eventsAPI, event: kind, id: id, payload: plainJSON(payload), ref: ref})
}

// hearsLocked tells whether the app gets events of a channel: it must be in it.
func (s *Server) hearsLocked(ch *channel) bool { return ch.has(s.opt.BotUserID) }

// postedLocked tells the app of a new message, the bot's own ones included. A mention in a channel raises two
// events with ids of their own; Slack promises no order between them, so it alternates here.
// Source: https://docs.slack.dev/reference/events/app_mention
func (s *Server) postedLocked(ch *channel, m *message) {
	if !s.hearsLocked(ch) {
		return
	}
	raise := []func(){func() { s.raiseLocked(ch.ref(m), s.messageEventLocked(ch, m)) }}
	if !m.bot && ch.kind != "im" && mentions(m.now().text, s.opt.BotUserID) {
		raise = append(raise, func() { s.raiseLocked(ch.ref(m), s.mentionEventLocked(ch, m)) })
		if s.lastID%2 == 0 {
			raise[0], raise[1] = raise[1], raise[0]
		}
	}
	for _, f := range raise {
		f()
	}
	s.changed.Notify()
}

func (s *Server) messageEventLocked(ch *channel, m *message) object {
	e := s.messageLocked(ch, m, true)
	e["channel"], e["channel_type"], e["event_ts"] = ch.id, ch.kind, m.ts
	return e
}

func (s *Server) mentionEventLocked(ch *channel, m *message) object {
	e := s.messageLocked(ch, m, false)
	e["type"], e["channel"], e["event_ts"] = "app_mention", ch.id, m.ts
	delete(e, "subtype")
	return e
}

// changedLocked tells the app that a message is now another than before.
// Source: https://docs.slack.dev/reference/events/message/message_changed
func (s *Server) changedLocked(ch *channel, m *message, before object) {
	if !s.hearsLocked(ch) {
		return
	}
	now := s.messageLocked(ch, m, true)
	for _, o := range []object{now, before} {
		o["source_team"], o["user_team"] = s.opt.TeamID, s.opt.TeamID
	}
	ts := s.stampLocked()
	s.raiseLocked(ch.ref(m), object{
		"type": "message", "subtype": "message_changed", "hidden": true, "channel": ch.id, "channel_type": ch.kind,
		"ts": ts, "event_ts": ts, "message": now, "previous_message": before,
	})
}

// removedLocked tells the app that a message is gone.
// Source: https://docs.slack.dev/reference/events/message/message_deleted
func (s *Server) removedLocked(ch *channel, m *message, before object) {
	if !s.hearsLocked(ch) {
		return
	}
	ts := s.stampLocked()
	s.raiseLocked(ch.ref(m), object{
		"type": "message", "subtype": "message_deleted", "hidden": true, "channel": ch.id, "channel_type": ch.kind,
		"ts": ts, "event_ts": ts, "deleted_ts": m.ts, "previous_message": before,
	})
	s.changed.Notify()
}

// reactedLocked tells the app of a reaction, the bot's own ones included.
// Source: https://docs.slack.dev/reference/events/reaction_added
func (s *Server) reactedLocked(kind string, ch *channel, m *message, name, user string) {
	s.changed.Notify()
	if !s.hearsLocked(ch) {
		return
	}
	s.raiseLocked(ch.ref(m), object{
		"type": kind, "user": user, "reaction": name, "item_user": m.user, "event_ts": s.stampLocked(),
		"item": object{"type": "message", "channel": ch.id, "ts": m.ts},
	})
}

// Raise sends the app an event of the caller's own making, whatever its shape: event types that the stand-in does not
// play, and hostile ones. event is the inner event's JSON object.
func (s *Server) Raise(at sim.Ref, event []byte) error {
	var o object
	if err := json.Unmarshal(event, &o); err != nil {
		return fmt.Errorf("raise an event: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raiseLocked(at, maps.Clone(o))
	return nil
}
