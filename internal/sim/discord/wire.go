package discord

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// stamp is a time as Discord writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

// userObject: https://docs.discord.com/developers/resources/user#user-object
func userObject(u *user) map[string]any {
	o := map[string]any{
		"id": u.ID, "username": u.Username, "global_name": nil, "avatar": nil, "discriminator": "0", "public_flags": 0,
	}
	if u.Name != u.Username {
		o["global_name"] = u.Name
	}
	if u.Bot {
		o["bot"] = true
	}
	return o
}

// memberObject: https://docs.discord.com/developers/resources/guild#guild-member-object
func (s *Server) memberObject(u *user, withUser bool) map[string]any {
	roles := []string{}
	if u == s.bot {
		roles = append(roles, s.botRoleID())
	}
	o := map[string]any{
		"roles": roles, "nick": nil, "avatar": nil, "joined_at": stamp(u.joined), "premium_since": nil,
		"deaf": false, "mute": false, "flags": 0, "pending": false, "communication_disabled_until": nil,
	}
	if withUser {
		o["user"] = userObject(u)
	}
	return o
}

// botRoleID is the id of the role that an invited bot gets from Discord.
func (s *Server) botRoleID() string {
	n, _ := strconv.ParseUint(s.bot.ID, 10, 64)
	return strconv.FormatUint(n+50, 10)
}

func role(id, name string, p Permission, position int) map[string]any {
	return map[string]any{
		"id": id, "name": name, "permissions": p.String(), "position": position, "color": 0, "hoist": false,
		"managed": false, "mentionable": false, "icon": nil, "unicode_emoji": nil, "flags": 0,
	}
}

func (s *Server) botRole() map[string]any {
	r := role(s.botRoleID(), s.bot.Name, s.permissions, 1)
	r["managed"] = true
	r["tags"] = map[string]any{"bot_id": s.bot.ID}
	return r
}

func (s *Server) roles() []map[string]any {
	return []map[string]any{role(s.guild.ID, "@everyone", 0, 0), s.botRole()}
}

// guildObject: https://docs.discord.com/developers/resources/guild#guild-object
func (s *Server) guildObject() map[string]any {
	owner := s.bot.ID
	if len(s.people) > 0 {
		owner = s.people[0]
	}
	return map[string]any{
		"id": s.guild.ID, "name": s.guild.Name, "icon": nil, "splash": nil, "owner_id": owner, "roles": s.roles(),
		"emojis": []any{}, "stickers": []any{}, "features": []string{}, "verification_level": 0,
		"default_message_notifications": 1, "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0,
		"premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US", "afk_timeout": 300,
		"system_channel_id": nil, "rules_channel_id": nil, "description": nil, "vanity_url_code": nil,
	}
}

// guildCreate: https://docs.discord.com/developers/events/gateway-events#guild-create
func (s *Server) guildCreate() map[string]any {
	g := s.guildObject()
	channels, threads := []any{}, []any{}
	for _, id := range s.rooms {
		if c := s.channels[id]; c != nil && c.guild != "" {
			channels = append(channels, s.channelObject(c))
		}
	}
	for _, id := range s.threads {
		if c := s.channels[id]; c != nil && !c.archived && s.sees(c) {
			threads = append(threads, s.channelObject(c))
		}
	}
	// Without the members intent only the bot and people in voice are listed.
	members := []any{s.memberObject(s.bot, true)}
	maps.Copy(g, map[string]any{
		"joined_at": stamp(s.bot.joined), "large": false, "unavailable": false, "member_count": len(s.users),
		"voice_states": []any{}, "members": members, "channels": channels, "threads": threads, "presences": []any{},
		"stage_instances": []any{}, "guild_scheduled_events": []any{}, "soundboard_sounds": []any{},
	})
	return g
}

// channelObject: https://docs.discord.com/developers/resources/channel#channel-object
func (s *Server) channelObject(c *channel) map[string]any {
	var last any
	if c.last != "" {
		last = c.last
	}
	o := map[string]any{"id": c.id, "type": c.typ, "last_message_id": last, "flags": 0}
	if c.typ == typeDM {
		o["recipients"] = []any{userObject(s.users[c.recipient])}
		return o
	}
	o["guild_id"] = c.guild
	o["name"] = c.name
	o["rate_limit_per_user"] = c.slowmode
	o["parent_id"] = nil
	if c.isThread() {
		o["parent_id"] = c.parent
		o["owner_id"] = c.owner
		o["message_count"] = c.count
		o["total_message_sent"] = c.total
		o["member_count"] = min(len(c.members), 50)
		o["thread_metadata"] = map[string]any{
			"archived": c.archived, "locked": c.locked, "auto_archive_duration": c.autoArchive,
			"archive_timestamp": stamp(c.archivedAt), "create_timestamp": stamp(c.since),
		}
		if p := s.channels[c.parent]; p != nil && p.typ == typeForum {
			o["applied_tags"] = []any{}
		}
		if c.members[s.bot.ID] {
			o["member"] = threadMember(c, s.bot.ID)
		}
		return o
	}
	o["position"] = c.position
	o["nsfw"] = false
	o["topic"] = nil
	if c.topic != "" {
		o["topic"] = c.topic
	}
	o["permission_overwrites"] = []any{}
	if c.deny != 0 {
		o["permission_overwrites"] = []any{map[string]any{"id": s.bot.ID, "type": 1, "allow": "0", "deny": c.deny.String()}}
	}
	if c.typ == typeForum {
		o["available_tags"] = []any{}
		o["default_reaction_emoji"] = nil
		o["default_sort_order"] = nil
		o["default_forum_layout"] = 0
	}
	return o
}

func threadMember(c *channel, userID string) map[string]any {
	return map[string]any{"id": c.id, "user_id": userID, "join_timestamp": stamp(c.since), "flags": 0}
}

// view says how much of a message its reader gets.
type view struct {
	event   bool // gateway events carry guild_id and member, REST reactions
	hide    bool // the reader lacks the message content intent
	shallow bool // inside another message: no further referenced message
}

// messageObject: https://docs.discord.com/developers/resources/message#message-object
func (s *Server) messageObject(m *message, v view) map[string]any {
	c := m.channel
	hidden := v.hide && s.hidden(m)
	author := s.users[m.author]
	o := map[string]any{
		"id": m.id, "channel_id": c.id, "type": m.typ, "author": userObject(author), "content": "",
		"timestamp": stamp(m.at), "edited_timestamp": nil, "tts": false, "pinned": false, "flags": m.flags,
		"mention_everyone": m.everyone, "mentions": s.mentionObjects(m, v), "mention_roles": nonNil(m.mentionRoles),
		"attachments": []any{}, "embeds": []any{}, "components": []any{},
	}
	if !m.edited.IsZero() {
		o["edited_timestamp"] = stamp(m.edited)
	}
	if !hidden {
		o["content"] = m.content
		o["attachments"] = s.attachmentObjects(m)
		if len(m.embeds) > 0 && m.flags&flagSuppressEmbeds == 0 {
			o["embeds"] = m.embeds
		}
		if len(m.components) > 0 {
			o["components"] = m.components
		}
	}
	if v.event && c.guild != "" {
		o["guild_id"] = c.guild
		if !m.webhook {
			o["member"] = s.memberObject(author, false)
		}
	}
	if !v.event && len(m.reactions) > 0 {
		o["reactions"] = s.reactionObjects(m)
	}
	if len(m.nonce) > 0 {
		o["nonce"] = m.nonce
	}
	if m.webhook {
		o["webhook_id"] = m.author
	}
	if m.interaction != nil {
		o["application_id"] = s.appID()
		o["webhook_id"] = s.appID()
		o["interaction_metadata"] = m.interaction.metadata(s)
	}
	if m.flags&flagHasThread != 0 {
		if t := s.channels[m.id]; t != nil {
			o["thread"] = s.channelObject(t)
		}
	}
	if c.isThread() {
		o["position"] = c.total
	}
	s.addReference(o, m, v)
	for k, raw := range m.extra {
		if !hidden || (k != "message_snapshots" && k != "poll" && k != "components" && k != "embeds") {
			o[k] = raw
		}
	}
	return o
}

func (s *Server) addReference(o map[string]any, m *message, v view) {
	if m.ref == nil {
		return
	}
	ref := map[string]any{"type": 0, "channel_id": m.ref.channel}
	if m.ref.message != "" {
		ref["message_id"] = m.ref.message
	}
	if m.ref.guild != "" {
		ref["guild_id"] = m.ref.guild
	}
	o["message_reference"] = ref
	if v.shallow || (m.typ != messageReply && m.typ != messageStarter) {
		return
	}
	// null tells that the message is gone, absence that it was not looked up.
	o["referenced_message"] = nil
	if c := s.channels[m.ref.channel]; c != nil {
		if r := c.message(m.ref.message); r != nil {
			o["referenced_message"] = s.messageObject(r, view{hide: v.hide, shallow: true})
		}
	}
}

// hidden: without the message content intent an app gets content in its own messages, in direct messages and where it
// is mentioned. Source: https://docs.discord.com/developers/events/gateway#message-content-intent
func (s *Server) hidden(m *message) bool {
	return m.author != s.bot.ID && m.channel.guild != "" && !slices.Contains(m.mentions, s.bot.ID)
}

func (s *Server) mentionObjects(m *message, v view) []any {
	out := make([]any, 0, len(m.mentions))
	for _, id := range m.mentions {
		if u := s.users[id]; u != nil {
			o := userObject(u)
			if v.event && m.channel.guild != "" {
				o["member"] = s.memberObject(u, false)
			}
			out = append(out, o)
		}
	}
	return out
}

func (s *Server) attachmentObjects(m *message) []any {
	out := make([]any, 0, len(m.attachments))
	for _, a := range m.attachments {
		u := s.signedURL(a)
		o := map[string]any{
			"id": a.id, "filename": a.filename, "size": a.size, "url": u, "proxy_url": u, "flags": 0,
		}
		if a.contentType != "" {
			o["content_type"] = a.contentType
		}
		if a.title != "" {
			o["title"] = a.title
		}
		if a.description != "" {
			o["description"] = a.description
		}
		if a.width > 0 {
			o["width"], o["height"] = a.width, a.height
		}
		out = append(out, o)
	}
	return out
}

func emojiObject(emoji string) map[string]any { return map[string]any{"id": nil, "name": emoji} }

func (s *Server) reactionObjects(m *message) []any {
	out := make([]any, 0, len(m.reactions))
	for _, r := range m.reactions {
		out = append(out, map[string]any{
			"emoji": emojiObject(r.emoji), "count": len(r.users), "me": slices.Contains(r.users, s.bot.ID),
			"me_burst": false, "burst_colors": []any{},
			"count_details": map[string]any{"burst": 0, "normal": len(r.users)},
		})
	}
	return out
}

func (s *Server) appID() string {
	if s.bot.ID == BotID {
		return AppID
	}
	return s.bot.ID // apps made since 2016 share one id with their bot
}

// applicationObject: https://docs.discord.com/developers/resources/application#application-object
func (s *Server) applicationObject() map[string]any {
	var endpoint any
	if s.endpoint != "" {
		endpoint = s.endpoint
	}
	return map[string]any{
		"id": s.appID(), "name": s.bot.Name, "icon": nil, "description": "", "bot_public": true,
		"bot_require_code_grant": false, "verify_key": "", "team": nil, "summary": "", "flags": s.appFlags(),
		"bot": userObject(s.bot), "approximate_guild_count": 1, "interactions_endpoint_url": endpoint,
	}
}

// appFlags tells the intents that are switched on in the portal; an app in fewer than 100 guilds has the limited ones.
// Source: https://docs.discord.com/developers/resources/application#application-object-application-flags
func (s *Server) appFlags() int {
	flags := 0
	if !s.noContent {
		flags |= 1 << 19 // GATEWAY_MESSAGE_CONTENT_LIMITED
	}
	if s.opt.GuildMembers {
		flags |= 1 << 15 // GATEWAY_GUILD_MEMBERS_LIMITED
	}
	if s.opt.Presences {
		flags |= 1 << 13 // GATEWAY_PRESENCE_LIMITED
	}
	return flags
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // only plain values are passed
		panic(err)
	}
	return b
}
