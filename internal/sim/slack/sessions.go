package slack

// sessionStates are the states of an agent session.
// Source: https://docs.slack.dev/reference/methods/agents.sessions.setStatus
var sessionStates = map[string]bool{"active": true, "processing": true, "suspended": true, "closed": true}

// setSessionStatus sets the state of the session in a thread.
// Source: https://docs.slack.dev/reference/methods/agents.sessions.setStatus
func setSessionStatus(c *call) (object, *apiError) {
	ch, thread, fail := c.assistantThread()
	if fail != nil {
		return nil, fail
	}
	status := c.str("status")
	if !sessionStates[status] {
		return nil, refuse("invalid_arguments").broken().because("status " + status)
	}
	c.s.sessionLocked(ch.id, thread, status)
	return object{"status": status, "agent_status": status, "title": ch.titles[thread]}, nil
}

// sessionLocked notes a session's state. Of many sessions some are forgotten.
func (s *Server) sessionLocked(room, thread, status string) {
	if thread == "" {
		return
	}
	if len(s.sessions) >= maxNotes {
		clear(s.sessions)
	}
	s.sessions[placeKey{room, thread}] = status
	s.changed.Notify()
}

// Session is the state of the agent session in a thread: "processing" from a stream's start on, and until the stream is
// stopped by the bot or agents.sessions.setStatus says otherwise; "" where there is none.
// Source: https://docs.slack.dev/ai/agent-sessions
func (s *Server) Session(room, thread string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[placeKey{room, thread}]
}
