package slack

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
