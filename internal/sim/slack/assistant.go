package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// assistantThread finds the thread of an assistant.threads call.
func (c *call) assistantThread() (*channel, string, *apiError) {
	ch := c.s.byID[c.str("channel_id")]
	if ch == nil || !ch.has(c.s.opt.BotUserID) {
		return nil, "", refuse("channel_not_found")
	}
	ts := c.str("thread_ts")
	if m := ch.byTS[ts]; m == nil || m.thread != "" {
		return nil, "", refuse("invalid_thread_ts")
	}
	return ch, ts, nil
}

// setStatus sets the line under a thread, "" removes it. It goes by itself with the bot's next message there, or
// after two minutes.
// Source: https://docs.slack.dev/reference/methods/assistant.threads.setStatus
func setStatus(c *call) (object, *apiError) {
	s := c.s
	ch, thread, fail := c.assistantThread()
	if fail != nil {
		return nil, fail
	}
	if !c.has("status") {
		return nil, refuse("invalid_arguments").broken().say("[ERROR] missing required field: status")
	}
	if n := len(c.list("loading_messages")); n > 10 {
		return nil, refuse("invalid_arguments").broken().because(fmt.Sprintf("%d loading_messages, 10 are allowed", n))
	}
	text := c.str("status")
	key := placeKey{ch.id, thread}
	if text == "" {
		delete(s.statuses, key)
		return nil, nil
	}
	s.lastStatus++
	seq := s.lastStatus
	s.statuses[key] = status{text: text, until: c.now.Add(s.opt.StatusLife), seq: seq}
	s.clock.after(s.opt.StatusLife, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.statuses[key].seq == seq {
			delete(s.statuses, key)
			s.changed.Notify()
		}
	})
	return nil, nil
}

func (s *Server) clearStatusLocked(room, thread string) {
	delete(s.statuses, placeKey{room, thread})
}

func setTitle(c *call) (object, *apiError) {
	ch, thread, fail := c.assistantThread()
	if fail != nil {
		return nil, fail
	}
	switch {
	case c.str("title") == "":
		return nil, refuse("invalid_arguments").broken().say("[ERROR] missing required field: title")
	case ch.kind != "im": // there are no assistant threads elsewhere
		return nil, refuse("invalid_thread_ts")
	}
	ch.titles[thread] = c.str("title")
	return nil, nil
}

// setSuggestedPrompts takes at most four prompts, each with a title and a message.
// Source: https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
func setSuggestedPrompts(c *call) (object, *apiError) {
	ch := c.s.byID[c.str("channel_id")]
	if ch == nil || !ch.has(c.s.opt.BotUserID) {
		return nil, refuse("channel_not_found")
	}
	var prompts []object
	if err := json.Unmarshal([]byte(c.str("prompts")), &prompts); err != nil || len(prompts) == 0 || len(prompts) > 4 {
		return nil, refuse("invalid_arguments").broken().because("prompts must be 1 to 4")
	}
	titles := make([]string, 0, len(prompts))
	for _, p := range prompts {
		if str(p, "title") == "" || str(p, "message") == "" {
			return nil, refuse("invalid_arguments").broken().because("a prompt needs title and message")
		}
		titles = append(titles, str(p, "title"))
	}
	ch.prompts[c.str("thread_ts")] = titles
	return nil, nil
}

// Title is what the bot named an assistant thread, and Prompts the titles of what it suggests there.
func (s *Server) Title(room, thread string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.byID[room]; ch != nil {
		return ch.titles[thread]
	}
	return ""
}

// Prompts are the titles of the prompts that the bot suggests in an assistant thread.
func (s *Server) Prompts(room, thread string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.byID[room]; ch != nil {
		return append([]string(nil), ch.prompts[thread]...)
	}
	return nil
}

// OpenAssistant makes a person open the app's assistant: a new thread in their direct chat with a root message of
// subtype assistant_app_thread, and the assistant_thread_started event. What the person then says with the returned
// place's Thread arrives as message.im with thread_ts.
// Source: https://docs.slack.dev/reference/events/assistant_thread_started
func (s *Server) OpenAssistant(_ context.Context, user string) (sim.Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.byID[DM(user)]
	if ch == nil {
		return sim.Place{}, fmt.Errorf("open the assistant: no person %q", user)
	}
	m := &message{
		ts: s.stampLocked(), user: s.opt.BotUserID, bot: true, subtype: "assistant_app_thread", assistant: true, at: time.Now(),
	}
	m.versions = []*content{{text: "New Assistant Thread", at: m.at}}
	s.addLocked(ch, m)
	s.threads = append(s.threads, placeKey{ch.id, m.ts})
	s.raiseLocked(ch.ref(m), object{
		"type": "assistant_thread_started", "event_ts": s.stampLocked(),
		"assistant_thread": object{
			"user_id": user, "channel_id": ch.id, "thread_ts": m.ts,
			"context": object{"channel_id": General, "team_id": s.opt.TeamID},
		},
	})
	s.changed.Notify()
	return s.threadPlaceLocked(placeKey{ch.id, m.ts}), nil
}

// OpenMessages makes a person open the Messages tab of the app, where an agent is talked with: app_home_opened is raised each
// time.
// Source: https://docs.slack.dev/reference/events/app_home_opened
func (s *Server) OpenMessages(_ context.Context, user string) (sim.Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.byID[DM(user)]
	if ch == nil {
		return sim.Place{}, fmt.Errorf("open the messages tab: no person %q", user)
	}
	ref := sim.Ref{Room: ch.id}
	s.raiseLocked(ref, object{
		"type": "app_home_opened", "user": user, "channel": ch.id, "tab": "messages", "event_ts": s.stampLocked(),
	})
	s.changed.Notify()
	return sim.Place{Room: ch.id, Kind: "direct", Name: s.displayLocked(user)}, nil
}
