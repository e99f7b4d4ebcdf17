package discord

import (
	"fmt"

	"github.com/bwmarrin/discordgo"
)

// needed are the permissions of the bot in a server: what an invitation asks for and what [Platform.Check] looks at.
// Source: https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
var needed = []struct {
	bit      bits
	name     string // as the settings of a role call it
	why      string
	optional bool // asked for, but not missed
}{
	{bit: discordgo.PermissionViewChannel, name: "View Channels", why: "to see any message"},
	{bit: discordgo.PermissionSendMessages, name: "Send Messages", why: "to answer in channels"},
	{bit: discordgo.PermissionReadMessageHistory, name: "Read Message History", why: "to find what was missed, and to reply"},
	{bit: discordgo.PermissionCreatePublicThreads, name: "Create Public Threads", why: "to answer in a thread of the question"},
	{bit: discordgo.PermissionSendMessagesInThreads, name: "Send Messages in Threads", why: "to answer in threads and forum posts"},
	{bit: discordgo.PermissionAddReactions, name: "Add Reactions", why: "to offer ratings"},
	{bit: discordgo.PermissionAttachFiles, name: "Attach Files", why: "to send files"},
	{bit: discordgo.PermissionEmbedLinks, name: "Embed Links", why: "to show what links lead to"},
	{bit: discordgo.PermissionUseExternalEmojis, name: "Use External Emojis", why: "to show emoji of other servers", optional: true},
}

// InvitePermissions are the permissions that an invitation asks for, as the number that Discord writes them as.
func InvitePermissions() int64 {
	var all bits
	for _, n := range needed {
		all |= n.bit
	}
	return int64(all)
}

// InviteURL is the address at which somebody who manages a server adds the bot to it, with its commands and all permissions that
// it needs. An id that is none leaves a place to fill in.
// Source: https://docs.discord.com/developers/topics/oauth2#bot-authorization-flow
func InviteURL(applicationID string) string {
	if !isID(applicationID) {
		applicationID = "YOUR_APPLICATION_ID"
	}
	return fmt.Sprintf("https://discord.com/oauth2/authorize?client_id=%s&scope=bot+applications.commands&permissions=%d",
		applicationID, InvitePermissions())
}
