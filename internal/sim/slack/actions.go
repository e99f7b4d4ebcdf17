package slack

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// A response_url works five times within half an hour.
// Source: https://docs.slack.dev/interactivity/handling-user-interaction
const (
	hookUses = 5
	hookLife = 30 * time.Minute
)

// hook is one response_url.
type hook struct {
	ch     *channel
	thread string
	user   string
	origin string // the message that a button stands in, "" for commands
	uses   int
	until  time.Time
}

// ephemeral is a message that one person sees, until they reload.
type ephemeral struct {
	room, thread, user, ts string
	body                   body
	at                     time.Time
}

const maxEphemerals = 1000

func (s *Server) ephemeralLocked(ch *channel, thread, user string, b body) string {
	e := ephemeral{ch.id, thread, user, s.stampLocked(), b, time.Now()}
	if len(s.ephemerals) >= maxEphemerals {
		s.ephemerals = s.ephemerals[1:]
	}
	s.ephemerals = append(s.ephemerals, e)
	s.changed.Notify()
	return e.ts
}

// Ephemerals are the messages that only this person sees in a room, oldest first; of the last 1,000 in the workspace.
func (s *Server) Ephemerals(room, user string) []sim.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Message
	for _, e := range s.ephemerals {
		if e.room != room || e.user != user {
			continue
		}
		c := &content{text: e.body.text, blocks: e.body.blocks, at: e.at}
		s.lookLocked(c)
		out = append(out, sim.Message{
			Ref: sim.Ref{Room: e.room, Thread: e.thread, ID: e.ts}, Author: s.opt.BotUserID, Bot: true, Text: c.markup,
			Shown: c.shown, Versions: []sim.Version{{At: e.at, Text: c.markup, Shown: c.shown}}, At: e.at,
		})
	}
	return out
}

func (s *Server) hookLocked(h *hook) string {
	token := rand.Text()
	h.until = time.Now().Add(hookLife)
	s.hooks[token] = h
	s.clock.after(hookLife, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.hooks, token)
	})
	return s.base() + "/hooks/" + token
}

// Command makes a person run a slash command in a room. Commands carry no thread and are not repeated: if nobody
// acknowledges in time, the person sees "dispatch_failed" as an ephemeral message.
// Source: https://docs.slack.dev/interactivity/implementing-slash-commands
func (s *Server) Command(_ context.Context, user, room, command, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.memberLocked(room, user)
	if err != nil {
		return fmt.Errorf("run %s: %w", command, err)
	}
	if !strings.HasPrefix(command, "/") {
		return fmt.Errorf("run %q: a command begins with a slash", command)
	}
	u, _ := s.userLocked(user)
	h := &hook{ch: ch, user: user}
	name := ch.name
	if ch.kind == "im" {
		name = "directmessage"
	}
	trigger := s.triggerLocked(user)
	s.deliverLocked(&delivery{
		kind: slashCommands, event: command, id: trigger, ref: sim.Ref{Room: ch.id},
		payload: plainJSON(object{
			"token": "standin", "team_id": s.opt.TeamID, "team_domain": s.opt.TeamDomain, "channel_id": ch.id,
			"channel_name": name, "user_id": user, "user_name": u.Name, "command": command, "text": escapes.Replace(text),
			"api_app_id": s.opt.AppID, "is_enterprise_install": "false", "response_url": s.hookLocked(h), "trigger_id": trigger,
		}),
		answer: func(raw json.RawMessage) { s.respondLocked(h, raw) },
		lost: func() {
			s.ephemeralLocked(ch, "", user, body{text: command + " failed with the error \"dispatch_failed\""})
		},
	})
	return nil
}

// Press makes a person press a button in a message of the bot's. actionID is the button's action_id; "action_id/value"
// picks one of several with the same action_id, and is how one of two feedback buttons is picked.
// Source: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func (s *Server) Press(_ context.Context, at sim.Ref, user, actionID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, m, err := s.findLocked(at)
	if err != nil {
		return fmt.Errorf("press %s: %w", actionID, err)
	}
	if _, err := s.memberLocked(at.Room, user); err != nil {
		return fmt.Errorf("press %s: %w", actionID, err)
	}
	action := findAction(decodeBlocks(m.now().blocks), actionID)
	if action == nil {
		return fmt.Errorf("press %s: message %s in %s has no such button", actionID, at.ID, at.Room)
	}
	action["action_ts"] = s.stampLocked()
	u, _ := s.userLocked(user)
	trigger := s.triggerLocked(user)
	thread := m.thread
	container := object{"type": "message", "message_ts": m.ts, "channel_id": ch.id, "is_ephemeral": false}
	if thread != "" {
		container["thread_ts"] = thread
	}
	name := ch.name
	if ch.kind == "im" {
		name = "directmessage"
	}
	s.deliverLocked(&delivery{
		kind: interactive, event: "block_actions", id: trigger, ref: ch.ref(m),
		payload: plainJSON(object{
			"type": "block_actions", "token": "standin", "api_app_id": s.opt.AppID, "trigger_id": trigger,
			"user":      object{"id": user, "username": u.Name, "name": u.Name, "team_id": s.opt.TeamID},
			"team":      object{"id": s.opt.TeamID, "domain": s.opt.TeamDomain},
			"channel":   object{"id": ch.id, "name": name},
			"container": container, "enterprise": nil, "is_enterprise_install": false,
			"message": s.messageLocked(ch, m, true), "state": object{"values": object{}},
			"response_url": s.hookLocked(&hook{ch: ch, thread: thread, user: user, origin: m.ts}),
			"actions":      []object{action},
		}),
	})
	return nil
}

// findAction is the action that pressing a button makes; nil if there is no such button.
func findAction(blocks []object, want string) object {
	for _, b := range blocks {
		for _, e := range append(list(b, "elements"), obj(b, "accessory")) {
			id := str(e, "action_id")
			if id == "" {
				continue
			}
			action := object{"type": str(e, "type"), "action_id": id, "block_id": str(b, "block_id")}
			if str(e, "type") == "feedback_buttons" {
				for _, side := range []string{"positive_button", "negative_button"} {
					button := obj(e, side)
					if want == id+"/"+str(button, "value") {
						action["text"], action["value"] = button["text"], str(button, "value")
						return action
					}
				}
				continue
			}
			if want == id || want == id+"/"+str(e, "value") {
				action["text"], action["value"] = e["text"], str(e, "value")
				return action
			}
		}
	}
	return nil
}

// serveHook takes a message at a response_url.
func (s *Server) serveHook(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hooks[r.PathValue("token")]
	switch {
	case err != nil:
		http.Error(w, "invalid_payload", http.StatusBadRequest)
	case h == nil || time.Now().After(h.until):
		http.Error(w, "expired_url", http.StatusNotFound)
	case h.uses >= hookUses:
		s.violateLocked("response_url: used more than %d times", hookUses)
		http.Error(w, "used_url", http.StatusNotFound)
	default:
		h.uses++
		if fail := s.respondLocked(h, raw); fail != nil {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(plainJSON(object{"ok": false, "error": fail.code}))
			return
		}
		_, _ = w.Write([]byte("ok"))
	}
}

// respondLocked shows what an app answers to a command or a button: to that person alone, or to the room. An empty
// answer shows nothing; one that is no JSON is the text itself.
func (s *Server) respondLocked(h *hook, raw json.RawMessage) *apiError {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "{}" || string(raw) == "null" {
		return nil
	}
	c := &call{s: s, method: "response_url", now: time.Now()}
	if json.Unmarshal(raw, &c.json) != nil {
		c.json = map[string]json.RawMessage{"text": plainJSON(string(raw))}
	}
	origin := h.ch.byTS[h.origin]
	if origin != nil && c.bool("delete_original") {
		s.deleteLocked(h.ch, origin)
		return nil
	}
	b, fail := c.body()
	if fail != nil {
		s.noteLocked(c.method, fail)
		return fail
	}
	switch {
	case origin != nil && c.bool("replace_original"):
		before := s.messageLocked(h.ch, origin, false)
		s.reviseLocked(origin, b.text, b.blocks)
		s.notePingsLocked(h.ch.id, origin.ts, b.pings)
		s.changedLocked(h.ch, origin, before)
	case c.str("response_type") == "in_channel":
		thread := h.thread
		if ts := c.str("thread_ts"); h.ch.byTS[ts] != nil {
			thread = ts
		}
		s.postedLocked(h.ch, s.botMessageLocked(h.ch, thread, b))
	default:
		s.ephemeralLocked(h.ch, h.thread, h.user, b)
	}
	s.changed.Notify()
	return nil
}

// decodeView reads a view argument and checks what every modal has.
// Source: https://docs.slack.dev/reference/views/modal-views
func decodeView(raw string) (object, *apiError) {
	var view object
	if json.Unmarshal([]byte(raw), &view) != nil || view == nil {
		return nil, refuse("invalid_arguments").broken().because("view is no object")
	}
	c := &checker{ids: map[string]bool{}}
	if str(view, "type") != "modal" {
		c.fail("/view/type", "must be modal")
	}
	c.text("/view/title", obj(view, "title"), 24, "plain_text")
	blocks := list(view, "blocks")
	if len(blocks) == 0 || len(blocks) > 100 {
		c.fail("/view/blocks", "1 to 100 items allowed")
	}
	for i, b := range blocks {
		c.block(fmt.Sprintf("/view/blocks/%d", i), b)
	}
	if len(c.errs) > 0 {
		return nil, refuse("invalid_arguments").broken().say(c.errs...)
	}
	return view, nil
}
