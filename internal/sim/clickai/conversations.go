package clickai

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

const (
	noConversation = "Conversation Not Exists."
	noMessage      = "Message Not Exists."
)

// chatOnly refuses apps that keep no conversations.
func chatOnly(c *call) error {
	if c.app.Mode.conversational() {
		return nil
	}
	return refused("not_chat_app", "This route is for chat apps, and %s is a %s app.", c.app.Name, c.app.Mode)
}

func conversationJSON(c *conversation) map[string]any {
	inputs := c.inputs
	if inputs == nil {
		inputs = map[string]any{}
	}
	return map[string]any{
		"id": c.id, "name": c.name, "inputs": inputs, "status": "normal", "introduction": c.opening,
		"created_at": c.created.Unix(), "updated_at": c.updated.Unix(),
	}
}

// listConversations is GET /v1/conversations.
func (s *Server) listConversations(c *call) error {
	if err := chatOnly(c); err != nil {
		return err
	}
	o := c.owner(c.queryUser())
	limit, err := c.number("limit", 20, 1, 100)
	if err != nil {
		return err
	}
	order := cmp.Or(c.r.URL.Query().Get("sort_by"), "-updated_at")
	field, descending := strings.CutPrefix(order, "-")
	if field != "created_at" && field != "updated_at" {
		return invalid("sort_by", "sort_by must be created_at, -created_at, updated_at or -updated_at")
	}
	last := c.r.URL.Query().Get("last_id")

	s.mu.Lock()
	var mine []*conversation
	for _, conv := range s.convOrder.items {
		if conv.owner == o && s.convs[conv.id] == conv {
			mine = append(mine, conv)
		}
	}
	// They stand in order of creation already.
	if field == "updated_at" {
		slices.SortStableFunc(mine, func(a, b *conversation) int { return cmp.Compare(a.touched, b.touched) })
	}
	if descending {
		slices.Reverse(mine)
	}
	if last != "" {
		i := slices.IndexFunc(mine, func(conv *conversation) bool { return conv.id == last })
		if i < 0 {
			s.mu.Unlock()
			return notFound("Last Conversation Not Exists.")
		}
		mine = mine[i+1:]
	}
	more := len(mine) > limit
	data := []any{}
	for _, conv := range mine[:min(limit, len(mine))] {
		data = append(data, conversationJSON(conv))
	}
	s.mu.Unlock()
	writeJSON(c.w, http.StatusOK, map[string]any{"limit": limit, "has_more": more, "data": data})
	return nil
}

// listMessages is GET /v1/messages: the newest page first, oldest first within a page.
func (s *Server) listMessages(c *call) error {
	if err := chatOnly(c); err != nil {
		return err
	}
	user := c.queryUser()
	limit, err := c.number("limit", 20, 1, 100)
	if err != nil {
		return err
	}
	q := c.r.URL.Query()
	id := q.Get("conversation_id")
	if id == "" {
		writeJSON(c.w, http.StatusOK, map[string]any{"limit": limit, "has_more": false, "data": []any{}})
		return nil
	}
	conv, err := c.find(user, id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	msgs := conv.messages
	if first := q.Get("first_id"); first != "" {
		i := slices.IndexFunc(msgs, func(m *message) bool { return m.id == first })
		if i < 0 {
			s.mu.Unlock()
			return notFound("First Message Not Exists.")
		}
		msgs = msgs[:i]
	}
	from := max(0, len(msgs)-limit)
	data := []any{}
	for _, m := range msgs[from:] {
		data = append(data, s.messageJSON(m))
	}
	s.mu.Unlock()
	writeJSON(c.w, http.StatusOK, map[string]any{"limit": limit, "has_more": from > 0, "data": data})
	return nil
}

// find is the caller's conversation, or the 404 that anybody else's gives too.
func (c *call) find(user, id string) (*conversation, error) {
	conv, foreign := c.s.conversationOf(c.owner(user), id)
	if conv != nil {
		return conv, nil
	}
	e := notFound(noConversation)
	if foreign {
		e.blame = "conversation " + id + " belongs to another user or app"
	}
	return nil, e
}

// messageJSON is a message as the history has it. The caller holds mu.
func (s *Server) messageJSON(m *message) map[string]any {
	var parent, rating, errText any
	if m.parent != "" {
		parent = m.parent
	}
	if m.rating != "" {
		rating = map[string]string{"rating": m.rating}
	}
	if m.err != "" {
		errText = m.err
	}
	files := []any{}
	for _, f := range m.files {
		files = append(files, s.messageFileJSON(f))
	}
	sources := []any{}
	for i, src := range m.sources {
		sources = append(sources, src.json(i+1))
	}
	thoughts := []any{}
	for _, t := range m.thoughts {
		thoughts = append(thoughts, map[string]any{
			"id": t.id, "chain_id": nil, "message_id": m.id, "position": t.position, "thought": t.text, "tool": t.tool,
			"tool_labels": t.labels(), "tool_input": t.input, "observation": t.observation, "files": t.files,
			"created_at": m.created.Unix(),
		})
	}
	inputs := m.inputs
	if inputs == nil {
		inputs = map[string]any{}
	}
	out := map[string]any{
		"id": m.id, "conversation_id": m.conv.id, "parent_message_id": parent, "inputs": inputs, "query": m.query,
		"answer": m.answer, "status": m.status, "error": errText, "message_files": files, "feedback": rating,
		"retriever_resources": sources, "agent_thoughts": thoughts, "created_at": m.created.Unix(), "extra_contents": []any{},
	}
	if m.usage != nil {
		out["message_tokens"], out["answer_tokens"] = m.usage["prompt_tokens"], m.usage["completion_tokens"]
		out["total_price"], out["currency"] = m.usage["total_price"], m.usage["currency"]
	}
	return out
}

// rename is POST /v1/conversations/{conversation_id}/name.
func (s *Server) rename(c *call) error {
	if err := chatOnly(c); err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	user, err := userOf(body)
	if err != nil {
		return err
	}
	auto, ok := body["auto_generate"].(bool)
	if v, has := body["auto_generate"]; has && !ok && v != nil {
		return invalid("auto_generate", "auto_generate must be true or false")
	}
	name, _ := body["name"].(string)
	if name = strings.TrimSpace(name); name == "" && !auto {
		return invalid("name", "The 'name' field is required unless auto_generate is true")
	}
	conv, err := c.find(user, c.r.PathValue("conversation_id"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	if auto {
		if len(conv.messages) == 0 {
			s.mu.Unlock()
			return refused("invalid_param", "There is no message to make a name from.")
		}
		name = title(conv.messages[0].query)
	}
	conv.name, conv.autoName = name, false
	s.touchLocked(conv)
	out := conversationJSON(conv)
	s.mu.Unlock()
	s.notifier.Notify()
	writeJSON(c.w, http.StatusOK, out)
	return nil
}

// deleteConversation is DELETE /v1/conversations/{conversation_id}.
func (s *Server) deleteConversation(c *call) error {
	if err := chatOnly(c); err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	user, _ := body["user"].(string)
	if user == "" {
		s.violate(c.r.Method, c.r.URL.Path, "user is missing")
	}
	conv, err := c.find(user, c.r.PathValue("conversation_id"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.removeConversationLocked(conv)
	s.mu.Unlock()
	s.notifier.Notify()
	if s.opt.Quirks.OldStatus {
		return success(c)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
