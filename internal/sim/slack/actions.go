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
		// Without thread_ts it stands in the room, wherever the button was.
		thread := c.str("thread_ts")
		if m := h.ch.byTS[thread]; m == nil || m.thread != "" {
			thread = ""
		}
		s.ephemeralLocked(h.ch, thread, h.user, b)
	}
	s.changed.Notify()
	return nil
}
