package discord

import "strconv"

// Permission is a set of permission bits.
// Source: https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
type Permission uint64

// The permissions that the stand-in checks.
const (
	AddReactions           Permission = 1 << 6
	ViewChannel            Permission = 1 << 10
	SendMessages           Permission = 1 << 11
	ManageChannels         Permission = 1 << 4
	ManageMessages         Permission = 1 << 13
	EmbedLinks             Permission = 1 << 14
	AttachFiles            Permission = 1 << 15
	ReadMessageHistory     Permission = 1 << 16
	MentionEveryone        Permission = 1 << 17
	UseExternalEmojis      Permission = 1 << 18
	ManageThreads          Permission = 1 << 34
	CreatePublicThreads    Permission = 1 << 35
	CreatePrivateThreads   Permission = 1 << 36
	SendMessagesInThreads  Permission = 1 << 38
	allPermissions         Permission = 1<<50 - 1
	directMessagePermitted            = ViewChannel | SendMessages | EmbedLinks | AttachFiles | ReadMessageHistory | AddReactions
)

// DefaultPermissions are what a chat bot is commonly invited with: it sees, writes, attaches, embeds, reads history,
// reacts, opens public threads and writes in them.
const DefaultPermissions = ViewChannel | SendMessages | EmbedLinks | AttachFiles | ReadMessageHistory | AddReactions |
	UseExternalEmojis | CreatePublicThreads | SendMessagesInThreads

// String is the decimal form that the API uses.
func (p Permission) String() string { return strconv.FormatUint(uint64(p), 10) }

// permitted is what the bot may do in a channel; threads inherit from their parent.
// Source: https://docs.discord.com/developers/topics/threads#permissions
func (s *Server) permitted(c *channel) Permission {
	if c.guild == "" {
		return directMessagePermitted
	}
	if c.isThread() {
		if p := s.channels[c.parent]; p != nil {
			return s.permissions &^ p.deny
		}
		return s.permissions
	}
	return s.permissions &^ c.deny
}

// require refuses what the bot may not do: without the view of a channel Discord speaks of missing access, else of
// missing permissions.
func (s *Server) require(c *channel, need Permission) *apiError {
	have := s.permitted(c)
	if have&ViewChannel == 0 || (c.typ == typePrivateThread && !c.members[s.bot.ID] && have&ManageThreads == 0) {
		return errMissingAccess
	}
	if have&need != need {
		return errMissingPermissions
	}
	return nil
}

// sees tells whether the bot gets events of a channel.
func (s *Server) sees(c *channel) bool { return s.require(c, 0) == nil }

// SetPermissions changes what the bot may do in the whole guild. Clients learn it from GUILD_ROLE_UPDATE.
func (s *Server) SetPermissions(p Permission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.permissions = p
	s.dispatchGuild("GUILD_ROLE_UPDATE", intentGuilds, map[string]any{"guild_id": s.guild.ID, "role": s.botRole()})
	s.notify.Notify()
}

// Deny takes permissions from the bot in one channel (and its threads); 0 gives all back. Clients learn it from
// CHANNEL_UPDATE. It reports false for an unknown channel.
func (s *Server) Deny(channelID string, p Permission) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil || c.guild == "" || c.isThread() {
		return false
	}
	c.deny = p
	s.dispatchGuild("CHANNEL_UPDATE", intentGuilds, s.channelObject(c))
	s.notify.Notify()
	return true
}
