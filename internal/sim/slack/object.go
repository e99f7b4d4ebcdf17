package slack

import (
	"encoding/json"
	"maps"
	"slices"
)

// messageLocked is a message as the Web API and events show it.
// Source: https://docs.slack.dev/reference/events/message
func (s *Server) messageLocked(ch *channel, m *message, withMetadata bool) object {
	c := m.now()
	o := object{"type": "message", "user": m.user, "ts": m.ts, "text": c.text, "team": s.opt.TeamID}
	if c.blocks != nil {
		o["blocks"] = c.blocks
		if c.text == "" {
			o["text"] = c.raw() // Slack makes up a fallback of its own
		}
	}
	if m.subtype != "" {
		o["subtype"] = m.subtype
	}
	if m.clientID != "" {
		o["client_msg_id"] = m.clientID
	}
	if m.bot {
		o["bot_id"] = s.opt.BotID
		o["app_id"] = s.opt.AppID
		o["bot_profile"] = object{
			"id": s.opt.BotID, "app_id": s.opt.AppID, "user_id": s.opt.BotUserID, "name": s.opt.BotName,
			"icons": object{}, "deleted": false, "updated": ch.created.Unix(), "team_id": s.opt.TeamID,
		}
	}
	if m.editedTS != "" {
		o["edited"] = object{"user": m.editedBy, "ts": m.editedTS}
	}
	if m.attachments != nil {
		o["attachments"] = m.attachments
	} else if m.unfurled {
		o["attachments"] = json.RawMessage(`[{"id":1,"fallback":"link preview","title":"link preview"}]`)
	}
	if withMetadata && m.metadata != nil {
		o["metadata"] = m.metadata
	}
	if m.stream != nil && m.stream.open {
		o["streaming_state"] = "in_progress"
	}
	s.threadFieldsLocked(ch, m, o)
	if len(m.files) > 0 {
		files := make([]object, 0, len(m.files))
		for _, f := range m.files {
			files = append(files, s.fileLocked(f))
		}
		o["files"] = files
		if !m.bot {
			o["upload"], o["display_as_bot"] = false, false
		}
	}
	if len(m.reactions) > 0 {
		reactions := make([]object, 0, len(m.reactions))
		for _, r := range m.reactions {
			reactions = append(reactions, object{"name": r.name, "users": slices.Clone(r.users), "count": len(r.users)})
		}
		o["reactions"] = reactions
	}
	return o
}

// threadFieldsLocked adds what tells parents and replies.
func (s *Server) threadFieldsLocked(ch *channel, m *message, o object) {
	if m.thread != "" {
		o["thread_ts"] = m.thread
		if p := ch.byTS[m.thread]; p != nil {
			o["parent_user_id"] = p.user
		}
		return
	}
	if len(m.replies) == 0 {
		if m.assistant {
			o["thread_ts"] = m.ts
		}
		return
	}
	o["thread_ts"] = m.ts
	o["reply_count"] = len(m.replies)
	o["reply_users_count"] = len(m.repliers)
	o["reply_users"] = slices.Clone(m.repliers[:min(5, len(m.repliers))])
	o["latest_reply"] = m.replies[len(m.replies)-1]
	o["is_locked"], o["subscribed"] = false, false
}

// channelLocked is a conversation object.
// Source: https://docs.slack.dev/reference/objects/conversation-object
func (s *Server) channelLocked(ch *channel) object {
	o := object{
		"id": ch.id, "created": ch.created.Unix(), "is_archived": ch.archived, "is_im": ch.kind == "im",
		"is_channel": ch.kind == "channel", "is_group": ch.kind == "group", "is_mpim": ch.kind == "mpim",
		"is_private": ch.kind != "channel", "is_org_shared": false, "is_ext_shared": false, "is_shared": false,
		"context_team_id": s.opt.TeamID,
	}
	if ch.kind == "im" {
		o["user"] = ch.user
		o["is_open"] = true
		return o
	}
	maps.Copy(o, object{
		"name": ch.name, "name_normalized": ch.name, "creator": s.users[0].ID, "is_general": ch.id == General,
		"is_member": ch.has(s.opt.BotUserID), "num_members": len(ch.members), "previous_names": []string{},
		"topic":   object{"value": "", "creator": "", "last_set": 0},
		"purpose": object{"value": "", "creator": "", "last_set": 0},
	})
	return o
}

// personLocked is a user object.
// Source: https://docs.slack.dev/reference/objects/user-object
func (s *Server) personLocked(u User) object {
	return object{
		"id": u.ID, "team_id": s.opt.TeamID, "name": u.Name, "real_name": u.Real, "deleted": false, "is_bot": false,
		"is_app_user": false, "tz": "Asia/Ho_Chi_Minh", "tz_offset": 25200, "updated": 1712345678, "locale": "en-US",
		"profile": object{
			"real_name": u.Real, "real_name_normalized": u.Real, "display_name": u.Display,
			"display_name_normalized": u.Display, "email": u.Name + "@example.com", "team": s.opt.TeamID,
		},
	}
}

// botLocked is the bot's user object.
func (s *Server) botLocked() object {
	o := s.personLocked(User{ID: s.opt.BotUserID, Name: s.opt.BotName, Real: s.opt.BotName})
	o["is_bot"] = true
	o["profile"] = object{
		"real_name": s.opt.BotName, "display_name": "", "api_app_id": s.opt.AppID, "bot_id": s.opt.BotID,
		"always_active": true, "team": s.opt.TeamID,
	}
	return o
}
