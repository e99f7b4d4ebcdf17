package discord

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// getGateway: https://docs.discord.com/developers/events/gateway#get-gateway
func getGateway(c *call) (int, any, error) {
	return http.StatusOK, map[string]any{"url": c.s.GatewayURL()}, nil
}

func getGatewayBot(c *call) (int, any, error) {
	left := max(0, maxIdentifies-c.s.gw.identifies)
	return http.StatusOK, map[string]any{
		"url": c.s.GatewayURL(), "shards": 1,
		"session_start_limit": map[string]any{
			"total": maxIdentifies, "remaining": left, "max_concurrency": 1,
			"reset_after": int((24*time.Hour - time.Since(c.s.gw.since)).Milliseconds()),
		},
	}, nil
}

func getMe(c *call) (int, any, error) {
	o := userObject(c.s.bot)
	o["verified"], o["mfa_enabled"], o["email"], o["flags"], o["locale"] = true, false, nil, 0, "en-US"
	return http.StatusOK, o, nil
}

func getUser(c *call) (int, any, error) {
	u := c.s.users[c.param("user")]
	if u == nil {
		return 0, nil, errUnknownUser
	}
	return http.StatusOK, userObject(u), nil
}

func getMyGuilds(c *call) (int, any, error) {
	return http.StatusOK, []any{map[string]any{
		"id": c.s.guild.ID, "name": c.s.guild.Name, "icon": nil, "owner": false,
		"permissions": c.s.permissions.String(), "features": []string{},
	}}, nil
}

// createDM gives the direct channel with a person, the same one each time.
func createDM(c *call) (int, any, error) {
	var in struct {
		Recipient string `json:"recipient_id"`
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	u := c.s.users[in.Recipient]
	if u == nil || u.Bot {
		return 0, nil, errRecipient
	}
	return http.StatusOK, c.s.channelObject(c.s.channels[u.dm]), nil
}

func getApplication(c *call) (int, any, error) {
	return http.StatusOK, c.s.applicationObject(), nil
}

func (c *call) guild() *apiError {
	if c.param("guild") != c.s.guild.ID {
		return errUnknownGuild
	}
	return nil
}

func getGuild(c *call) (int, any, error) {
	if err := c.guild(); err != nil {
		return 0, nil, err
	}
	g := c.s.guildObject()
	if c.query.Get("with_counts") == "true" {
		g["approximate_member_count"], g["approximate_presence_count"] = len(c.s.users), len(c.s.users)
	}
	return http.StatusOK, g, nil
}

// getGuildChannels lists all channels of the guild but its threads, also those that the bot cannot view.
func getGuildChannels(c *call) (int, any, error) {
	if err := c.guild(); err != nil {
		return 0, nil, err
	}
	out := []any{}
	for _, id := range c.s.rooms {
		if ch := c.s.channels[id]; ch != nil && ch.guild != "" {
			out = append(out, c.s.channelObject(ch))
		}
	}
	return http.StatusOK, out, nil
}

func getRoles(c *call) (int, any, error) {
	if err := c.guild(); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.roles(), nil
}

// getMembers needs the privileged members intent.
// Source: https://docs.discord.com/developers/resources/guild#list-guild-members
func getMembers(c *call) (int, any, error) {
	if err := c.guild(); err != nil {
		return 0, nil, err
	}
	if !c.s.opt.GuildMembers {
		return 0, nil, errMissingAccess
	}
	out := []any{c.s.memberObject(c.s.bot, true)}
	for _, id := range c.s.people {
		out = append(out, c.s.memberObject(c.s.users[id], true))
	}
	return http.StatusOK, out, nil
}

// searchMembers finds members whose name begins with the query. It needs no intent.
// Source: https://docs.discord.com/developers/resources/guild#search-guild-members
func searchMembers(c *call) (int, any, error) {
	if err := c.guild(); err != nil {
		return 0, nil, err
	}
	f := form{}
	limit := 1
	if q := c.query.Get("limit"); q != "" {
		n, err := strconv.Atoi(q)
		if err != nil || n < 1 || n > 1000 {
			f.add("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 1000.")
		}
		limit = n
	}
	query := strings.ToLower(c.query.Get("query"))
	if query == "" {
		f.required("query")
	}
	if err := f.err(); err != nil {
		return 0, nil, err
	}
	out := []any{}
	for _, id := range append([]string{c.s.bot.ID}, c.s.people...) {
		u := c.s.users[id]
		if len(out) < limit && (strings.HasPrefix(u.Username, query) || strings.HasPrefix(strings.ToLower(u.Name), query)) {
			out = append(out, c.s.memberObject(u, true))
		}
	}
	return http.StatusOK, out, nil
}

func getMember(c *call) (int, any, error) {
	if err := c.guild(); err != nil {
		return 0, nil, err
	}
	u := c.s.users[c.param("user")]
	if u == nil {
		return 0, nil, errUnknownMember
	}
	return http.StatusOK, c.s.memberObject(u, true), nil
}

func getChannel(c *call) (int, any, error) {
	ch, err := c.channel(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.channelObject(ch), nil
}

type channelPatch struct {
	Name        *string `json:"name"`
	Topic       *string `json:"topic"`
	Archived    *bool   `json:"archived"`
	Locked      *bool   `json:"locked"`
	AutoArchive *int    `json:"auto_archive_duration"`
	Slowmode    *int    `json:"rate_limit_per_user"`
}

// patchChannel: https://docs.discord.com/developers/topics/threads#editing--deleting-threads
func patchChannel(c *call) (int, any, error) {
	ch, err := c.channel(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	if ch.guild == "" {
		return 0, nil, errDMChannel
	}
	var in channelPatch
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := in.allowed(c.s, ch); err != nil {
		return 0, nil, err
	}
	f := form{}
	if in.Name != nil && !goodName(*in.Name) {
		f.badLength("name", 1, maxThreadName)
	}
	if in.AutoArchive != nil && !goodArchive(*in.AutoArchive) {
		f.add("auto_archive_duration", "BASE_TYPE_CHOICES", "Value must be one of (60, 1440, 4320, 10080).")
	}
	if err := f.err(); err != nil {
		return 0, nil, err
	}
	if in.Name != nil && *in.Name != ch.name {
		if u := c.s.limits.take(limitRename, ch.id, time.Now()); !u.ok {
			return 0, nil, &rateLimitError{u: u, scope: "shared"}
		}
	}
	in.apply(c.s, ch)
	return http.StatusOK, c.s.channelObject(ch), nil
}

func (in *channelPatch) allowed(s *Server, ch *channel) *apiError {
	if !ch.isThread() {
		return s.require(ch, ManageChannels)
	}
	moderator := s.permitted(ch)&ManageThreads != 0
	if moderator {
		return nil
	}
	opening := in.Archived != nil && !*in.Archived
	if ch.archived && !opening {
		return errArchived
	}
	owner := ch.owner == s.bot.ID
	switch {
	case in.Locked != nil || in.Slowmode != nil, ch.locked && !owner:
		return errMissingPermissions
	case in.Name != nil || in.AutoArchive != nil || (in.Archived != nil && *in.Archived):
		if !owner {
			return errMissingPermissions
		}
	case opening && !ch.members[s.bot.ID] && !owner:
		return errMissingPermissions
	}
	return nil
}

func (in *channelPatch) apply(s *Server, ch *channel) {
	if in.Name != nil {
		ch.name = strings.TrimSpace(*in.Name)
	}
	if in.Topic != nil {
		ch.topic = *in.Topic
	}
	if in.Slowmode != nil {
		ch.slowmode = *in.Slowmode
	}
	if in.Locked != nil {
		ch.locked = *in.Locked
	}
	if in.AutoArchive != nil {
		ch.autoArchive = *in.AutoArchive
	}
	if in.Archived != nil && *in.Archived != ch.archived {
		ch.archived = *in.Archived
		ch.archivedAt = time.Now()
	}
	s.dispatchChannelUpdate(ch)
}

func (s *Server) dispatchChannelUpdate(ch *channel) {
	event := "CHANNEL_UPDATE"
	if ch.isThread() {
		event = "THREAD_UPDATE"
	}
	s.dispatchChannel(event, ch, guildIntents, s.channelObject(ch))
	s.notify.Notify()
}

// deleteChannel closes a direct channel (it stays, and opens with the next message) or deletes a channel or thread.
func deleteChannel(c *call) (int, any, error) {
	ch, err := c.channel(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	o := c.s.channelObject(ch)
	if ch.guild == "" {
		return http.StatusOK, o, nil
	}
	need := ManageChannels
	if ch.isThread() {
		need = ManageThreads
	}
	if err := c.s.require(ch, need); err != nil {
		return 0, nil, err
	}
	c.s.deleteChannel(ch)
	return http.StatusOK, o, nil
}
