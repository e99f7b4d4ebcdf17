package discord

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/bwmarrin/discordgo"
)

// directory knows the servers of the bot: channels, threads, roles, and what the bot may do there. The gateway fills it;
// what a resumed session does not tell again is looked up once (lookup.go). discordgo's State is not used: it hands out
// pointers that its own updates write to, and keeps members, emojis and voice states that nobody needs here.
//
// It holds what Discord lists: at most 500 channels and 1,000 active threads in each server.
type directory struct {
	mu       sync.RWMutex
	self     string // the bot's user id
	app      string // the application's id
	guilds   map[string]*guild
	channels map[string]channel
}

type guild struct {
	id, name, owner string
	tier            int
	roles           map[string]wireRole
	own             []string // the bot's roles
	members         bool     // own has been told
}

// channel is a channel, thread or forum post.
type channel struct {
	id, guild, parent, name string
	kind                    discordgo.ChannelType
	overwrites              []wireOverwrite
	last                    snowflake // of the newest message, when it was told
}

func newDirectory() *directory {
	return &directory{guilds: map[string]*guild{}, channels: map[string]channel{}}
}

func (c *channel) isThread() bool {
	switch c.kind {
	case discordgo.ChannelTypeGuildNewsThread, discordgo.ChannelTypeGuildPublicThread, discordgo.ChannelTypeGuildPrivateThread:
		return true
	default:
		return false
	}
}

// hasMessages tells whether messages stand in the channel itself; a forum's last_message_id is that of a post.
func (c *channel) hasMessages() bool {
	switch c.kind {
	case discordgo.ChannelTypeGuildText, discordgo.ChannelTypeGuildNews, discordgo.ChannelTypeGuildVoice, discordgo.ChannelTypeGuildStageVoice:
		return true
	default:
		return c.isThread()
	}
}

func (d *directory) identify(self, app string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if self != "" {
		d.self = self
	}
	if app != "" {
		d.app = app
	}
}

func (d *directory) me() string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.self
}

// application is the application's id; "" if no connection has told it yet.
func (d *directory) application() string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.app
}

func (d *directory) channel(id string) (channel, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	c, ok := d.channels[id]
	return c, ok
}

func (d *directory) hasGuild(id string) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	_, ok := d.guilds[id]
	return ok
}

func (d *directory) roleName(guildID, id string) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if g := d.guilds[guildID]; g != nil {
		return g.roles[id].Name
	}
	return ""
}

// ownRole tells whether the role is the one that Discord made for the bot.
func (d *directory) ownRole(guildID, id string) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	g := d.guilds[guildID]
	return g != nil && d.self != "" && g.roles[id].Tags.BotID == d.self
}

func (d *directory) uploadLimit(guildID string) int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if g := d.guilds[guildID]; g != nil {
		return maxFile(g.tier)
	}
	return maxFile(0)
}

// putGuild takes in GUILD_CREATE: all that is known of the server is replaced.
func (d *directory) putGuild(w *wireGuild) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropGuildLocked(w.ID)
	g := &guild{id: w.ID, roles: map[string]wireRole{}}
	d.guilds[w.ID] = g
	d.describeLocked(g, w)
	for i := range w.Channels {
		d.putChannelLocked(&w.Channels[i], w.ID)
	}
	for i := range w.Threads {
		d.putChannelLocked(&w.Threads[i], w.ID)
	}
	for _, m := range w.Members {
		if m.User != nil && m.User.ID == d.self {
			g.own, g.members = m.Roles, true
		}
	}
}

// describeGuild takes in GUILD_UPDATE, which tells of no channels.
func (d *directory) describeGuild(w *wireGuild) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if g := d.guilds[w.ID]; g != nil {
		d.describeLocked(g, w)
	}
}

func (d *directory) describeLocked(g *guild, w *wireGuild) {
	g.name, g.owner, g.tier = w.Name, w.OwnerID, w.PremiumTier
	clear(g.roles)
	for _, r := range w.Roles {
		g.roles[r.ID] = r
	}
}

func (d *directory) dropGuild(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropGuildLocked(id)
}

func (d *directory) dropGuildLocked(id string) {
	delete(d.guilds, id)
	maps.DeleteFunc(d.channels, func(_ string, c channel) bool { return c.guild == id })
}

// putChannel takes in a channel or thread. An archived thread is forgotten: it comes back with its next message.
func (d *directory) putChannel(w *wireChannel, guildID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.putChannelLocked(w, guildID)
}

func (d *directory) putChannelLocked(w *wireChannel, guildID string) {
	if guildID == "" {
		guildID = w.GuildID
	}
	if !isID(w.ID) || guildID == "" {
		return
	}
	if w.Thread != nil && w.Thread.Archived {
		delete(d.channels, w.ID)
		return
	}
	last := idOf(w.LastMessageID)
	if old, ok := d.channels[w.ID]; ok {
		last = max(last, old.last)
	}
	d.channels[w.ID] = channel{
		id: w.ID, guild: guildID, parent: w.ParentID, name: w.Name, kind: w.Type, overwrites: w.Overwrites, last: last,
	}
}

func (d *directory) dropChannel(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.channels, id)
	maps.DeleteFunc(d.channels, func(_ string, c channel) bool { return c.parent == id && c.isThread() })
}

func (d *directory) putRole(guildID string, r wireRole) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if g := d.guilds[guildID]; g != nil {
		g.roles[r.ID] = r
	}
}

func (d *directory) dropRole(guildID, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if g := d.guilds[guildID]; g != nil {
		delete(g.roles, id)
	}
}

// putOwnRoles takes in the bot's own membership.
func (d *directory) putOwnRoles(guildID string, roles []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if g := d.guilds[guildID]; g != nil {
		g.own, g.members = roles, true
	}
}

// inGuild lists the channels and threads of a server that hold messages.
func (d *directory) inGuild(guildID string) []channel {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var found []channel
	for _, c := range d.channels {
		if c.guild == guildID && c.hasMessages() {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b channel) int { return cmp.Compare(b.last, a.last) })
	return found
}

// basePermissions are the bot's by its roles, before what channels change.
func (g *guild) basePermissions() bits {
	granted := g.roles[g.id].Permissions
	for _, id := range g.own {
		granted |= g.roles[id].Permissions
	}
	return granted
}

// inServer are the bot's permissions in a server, before what channels change; ok as for permissions.
func (d *directory) inServer(guildID string) (granted bits, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	g := d.guilds[guildID]
	if g == nil || !g.members {
		return 0, false
	}
	if g.owner == d.self {
		return ^bits(0), true
	}
	return g.basePermissions(), true
}

// permissions are the bot's in a channel; a thread has its parent's. ok is false while the server or the bot's roles in
// it are unknown.
// Source: https://docs.discord.com/developers/topics/permissions#permission-overwrites
func (d *directory) permissions(channelID string) (granted bits, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	c, ok := d.channels[channelID]
	if !ok {
		return 0, false
	}
	if c.isThread() {
		if c, ok = d.channels[c.parent]; !ok {
			return 0, false
		}
	}
	g := d.guilds[c.guild]
	if g == nil || !g.members {
		return 0, false
	}
	if g.owner == d.self {
		return ^bits(0), true
	}
	granted = g.basePermissions()
	if granted&discordgo.PermissionAdministrator != 0 {
		return ^bits(0), true
	}
	var everyone, roles, member wireOverwrite
	for _, o := range c.overwrites {
		switch {
		case o.ID == g.id:
			everyone = o
		case o.Type == int(discordgo.PermissionOverwriteTypeMember) && o.ID == d.self:
			member = o
		case o.Type == int(discordgo.PermissionOverwriteTypeRole) && slices.Contains(g.own, o.ID):
			roles.Allow |= o.Allow
			roles.Deny |= o.Deny
		}
	}
	for _, o := range []wireOverwrite{everyone, roles, member} {
		granted = granted&^o.Deny | o.Allow
	}
	return granted, true
}

// canOpenThread tells whether the bot may open a thread from a message of the channel and write in it.
func (d *directory) canOpenThread(c *channel) bool {
	if c.kind != discordgo.ChannelTypeGuildText && c.kind != discordgo.ChannelTypeGuildNews {
		return false
	}
	const need = discordgo.PermissionViewChannel | discordgo.PermissionCreatePublicThreads | discordgo.PermissionSendMessagesInThreads
	granted, ok := d.permissions(c.id)
	return ok && granted&need == need
}

// canReadHistory tells whether a request for the channel's messages is of use; true if unknown.
func (d *directory) canReadHistory(c *channel) bool {
	const need = discordgo.PermissionViewChannel | discordgo.PermissionReadMessageHistory
	granted, ok := d.permissions(c.id)
	return !ok || granted&need == need
}
