package clickai

import (
	"net/http"
	"time"
)

// feedback is POST /v1/messages/{message_id}/feedbacks.
func (s *Server) feedback(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	user, err := userOf(body)
	if err != nil {
		return err
	}
	rating := ""
	switch v := body["rating"].(type) {
	case nil:
	case string:
		if v != "like" && v != "dislike" {
			return invalid("rating", "rating must be like, dislike or null, not %q", v)
		}
		rating = v
	default:
		return invalid("rating", "rating must be like, dislike or null")
	}
	content, isText := body["content"].(string)
	if v, has := body["content"]; has && v != nil && !isText {
		return invalid("content", "content must be a text")
	}
	m, err := c.message(user)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if rating == "" && m.rating == "" {
		s.mu.Unlock()
		return refused("invalid_param", "There is no rating to withdraw.")
	}
	m.rating, m.content = rating, content
	s.ratings.add(Rating{MessageID: m.id, User: user, Rating: rating, Content: content, At: time.Now()}, 0)
	s.mu.Unlock()
	s.notifier.Notify()
	return success(c)
}

// message is the caller's message that the path names.
func (c *call) message(user string) (*message, error) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	id := c.r.PathValue("message_id")
	m, ok := s.messages[id]
	if ok && m.owner == c.owner(user) {
		return m, nil
	}
	e := notFound(noMessage)
	if ok {
		e.blame = "message " + id + " belongs to another user or app"
	}
	return nil, e
}

// suggested is GET /v1/messages/{message_id}/suggested.
func (s *Server) suggested(c *call) error {
	if err := chatOnly(c); err != nil {
		return err
	}
	if c.app.NoSuggested {
		return refused("bad_request", "Suggested questions are switched off for this app.")
	}
	m, err := c.message(c.queryUser())
	if err != nil {
		return err
	}
	s.mu.Lock()
	lang, topic := language(m.query, m.conv.inputs), title(m.query)
	s.mu.Unlock()
	writeJSON(c.w, http.StatusOK, map[string]any{"result": "success", "data": followUps(lang, topic)})
	return nil
}
