package slack

import "strings"

// authTest tells whose token it is. The app token's answer has no user.
// Source: https://docs.slack.dev/reference/methods/auth.test
func authTest(c *call) (object, *apiError) {
	s := c.s
	return object{
		"url": "https://" + s.opt.TeamDomain + ".slack.com/", "team": s.opt.TeamName, "user": s.opt.BotName,
		"team_id": s.opt.TeamID, "user_id": s.opt.BotUserID, "bot_id": s.opt.BotID, "is_enterprise_install": false,
	}, nil
}

func teamInfo(c *call) (object, *apiError) {
	s := c.s
	if id := c.str("team"); id != "" && id != s.opt.TeamID {
		return nil, refuse("team_not_found")
	}
	return object{"team": object{
		"id": s.opt.TeamID, "name": s.opt.TeamName, "domain": s.opt.TeamDomain, "email_domain": "",
		"url": "https://" + s.opt.TeamDomain + ".slack.com/", "icon": object{"image_default": true},
	}}, nil
}

func usersInfo(c *call) (object, *apiError) {
	id := c.str("user")
	if id == c.s.opt.BotUserID {
		return object{"user": c.s.botLocked()}, nil
	}
	u, ok := c.s.userLocked(id)
	if !ok {
		return nil, refuse("user_not_found")
	}
	return object{"user": c.s.personLocked(u)}, nil
}

func usersList(c *call) (object, *apiError) {
	all := []object{c.s.botLocked()}
	for _, u := range c.s.users {
		all = append(all, c.s.personLocked(u))
	}
	part, next, fail := page(c, all, 200, 1000)
	if fail != nil {
		return nil, fail
	}
	return object{
		"members": append([]object{}, part...), "cache_ts": c.now.Unix(), "response_metadata": object{"next_cursor": next},
	}, nil
}

func botsInfo(c *call) (object, *apiError) {
	s := c.s
	if c.str("bot") != s.opt.BotID {
		return nil, refuse("bot_not_found")
	}
	return object{"bot": object{
		"id": s.opt.BotID, "deleted": false, "name": s.opt.BotName, "updated": 1712345678, "app_id": s.opt.AppID,
		"user_id": s.opt.BotUserID, "icons": object{},
	}}, nil
}

// View is a modal that the bot opened.
type View struct {
	ID, User, CallbackID string
	JSON                 []byte // as the bot sent it
}

// Views are the modals that the bot opened, oldest first, the last 1,000.
func (s *Server) Views() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]View(nil), s.views...)
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
	raw := plainJSON(view)
	v := View{ID: s.newIDLocked("V"), CallbackID: str(view, "callback_id"), JSON: raw}
	v.User, _, _ = strings.Cut(trigger, ".")
	if len(s.views) >= 1000 {
		s.views = s.views[1:]
	}
	s.views = append(s.views, v)
	view["id"], view["team_id"], view["app_id"], view["bot_id"] = v.ID, s.opt.TeamID, s.opt.AppID, s.opt.BotID
	view["hash"] = s.stampLocked()
	return object{"view": view}, nil
}
