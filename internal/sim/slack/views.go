package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

// View is a modal that the bot opened.
type View struct {
	ID, User, CallbackID string
	Title, Label         string // Label is that of the first field
	Open                 bool   // neither sent nor closed yet
	JSON                 []byte // as the bot sent it
}

const maxViews = 1000

// Views are the modals that the bot opened, oldest first, the last 1,000.
func (s *Server) Views() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.views)
}

// viewsOpen needs a trigger that a person gave less than three seconds ago, and uses it up.
// Source: https://docs.slack.dev/reference/methods/views.open
func viewsOpen(c *call) (object, *apiError) {
	s := c.s
	trigger := c.str("trigger_id")
	until, ok := s.triggers[trigger]
	switch {
	case !ok:
		return nil, refuse("invalid_trigger_id")
	case c.now.After(until):
		return nil, refuse("expired_trigger_id")
	}
	view, fail := decodeView(c.str("view"))
	if fail != nil {
		return nil, fail
	}
	delete(s.triggers, trigger)
	v := View{
		ID: s.newIDLocked("V"), CallbackID: str(view, "callback_id"), Title: str(obj(view, "title"), "text"), Open: true, JSON: plainJSON(view),
	}
	if b := firstInput(view); b != nil {
		v.Label = str(obj(b, "label"), "text")
	}
	v.User, _, _ = strings.Cut(trigger, ".")
	if len(s.views) >= maxViews {
		s.views = s.views[1:]
	}
	s.views = append(s.views, v)
	return object{"view": s.viewLocked(v.ID, view)}, nil
}

// viewLocked adds what Slack adds to a view.
func (s *Server) viewLocked(id string, view object) object {
	view = maps.Clone(view)
	view["id"], view["team_id"], view["app_id"], view["bot_id"] = id, s.opt.TeamID, s.opt.AppID, s.opt.BotID
	view["hash"], view["app_installed_team_id"], view["root_view_id"] = s.stampLocked(), s.opt.TeamID, id
	return view
}

func firstInput(view object) object {
	for _, b := range list(view, "blocks") {
		if str(b, "type") == "input" {
			return b
		}
	}
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
	for _, key := range []string{"submit", "close"} {
		if t := obj(view, key); t != nil {
			c.text("/view/"+key, t, 24, "plain_text")
		}
	}
	if firstInput(view) != nil && obj(view, "submit") == nil {
		c.fail("/view/submit", "is required when an input block is within the blocks array")
	}
	if runes(str(view, "private_metadata")) > 3000 {
		c.fail("/view/private_metadata", "must be less than 3001 characters")
	}
	if runes(str(view, "callback_id")) > 255 {
		c.fail("/view/callback_id", "must be less than 256 characters")
	}
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

// Submit makes the person who sees an open view write a text into its first field and send it. What the client itself
// refuses (nothing in a field that must be filled, too much in it) is an error. The view closes when the app acknowledges it
// without an answer that says otherwise.
// Source: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
func (s *Server) Submit(_ context.Context, id, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, view, err := s.openViewLocked(id)
	if err != nil {
		return fmt.Errorf("send a form: %w", err)
	}
	values := object{}
	if b := firstInput(view); b != nil {
		field := obj(b, "element")
		most, limited := field["max_length"].(float64)
		switch optional, _ := b["optional"].(bool); {
		case text == "" && !optional:
			return fmt.Errorf("send form %s: please complete the required field %q", id, v.Label)
		case limited && runes(text) > int(most), runes(text) > maxInput:
			return fmt.Errorf("send form %s: %d characters are too many", id, runes(text))
		}
		filled := object{"type": str(field, "type"), "value": nil}
		if text != "" {
			filled["value"] = text
		}
		values[str(b, "block_id")] = object{str(field, "action_id"): filled}
	}
	u, _ := s.userLocked(v.User)
	trigger := s.triggerLocked(v.User)
	view = s.viewLocked(id, view)
	view["state"] = object{"values": values}
	s.deliverLocked(&delivery{
		kind: interactive, event: "view_submission", id: trigger, ref: sim.Ref{ID: id},
		payload: plainJSON(object{
			"type": "view_submission", "token": "standin", "api_app_id": s.opt.AppID, "trigger_id": trigger, "view": view,
			"team": object{"id": s.opt.TeamID, "domain": s.opt.TeamDomain}, "is_enterprise_install": false, "enterprise": nil,
			"user": object{"id": v.User, "username": u.Name, "name": u.Name, "team_id": s.opt.TeamID}, "response_urls": []object{},
		}),
		answer: func(raw json.RawMessage) { s.submittedLocked(id, raw) },
		lost:   func() { s.failLocked(v.User, "we had some trouble connecting; the form was not sent") },
	})
	return nil
}

// submittedLocked closes a view unless the app says that it is to stay.
func (s *Server) submittedLocked(id string, answer json.RawMessage) {
	var a object
	_ = json.Unmarshal(answer, &a)
	if action := str(a, "response_action"); action != "" && action != "clear" {
		return
	}
	s.closeViewLocked(id)
}

// CloseView makes the person close a view without sending it.
func (s *Server) CloseView(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.openViewLocked(id); err != nil {
		return fmt.Errorf("close a form: %w", err)
	}
	s.closeViewLocked(id)
	return nil
}

func (s *Server) closeViewLocked(id string) {
	for i := range s.views {
		if s.views[i].ID == id {
			s.views[i].Open = false
			s.changed.Notify()
		}
	}
}

func (s *Server) openViewLocked(id string) (View, object, error) {
	for _, v := range s.views {
		if v.ID == id && v.Open {
			var view object
			_ = json.Unmarshal(v.JSON, &view) // it was checked
			return v, view, nil
		}
	}
	return View{}, nil, fmt.Errorf("no view %q is open", id)
}
