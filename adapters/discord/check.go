package discord

import (
	"context"
	"fmt"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// needed are the permissions of the bot in a server.
// Source: https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
var needed = []struct {
	bit  bits
	name string // as the settings of a role call it
	why  string
}{
	{discordgo.PermissionViewChannel, "View Channels", "to see any message"},
	{discordgo.PermissionSendMessages, "Send Messages", "to answer in channels"},
	{discordgo.PermissionReadMessageHistory, "Read Message History", "to find what was missed, and to reply"},
	{discordgo.PermissionCreatePublicThreads, "Create Public Threads", "to answer in a thread of the question"},
	{discordgo.PermissionSendMessagesInThreads, "Send Messages in Threads", "to answer in threads and forum posts"},
	{discordgo.PermissionAddReactions, "Add Reactions", "to offer ratings"},
	{discordgo.PermissionAttachFiles, "Attach Files", "to send files"},
	{discordgo.PermissionEmbedLinks, "Embed Links", "to show what links lead to"},
}

// invitePermissions are what an invitation asks for: needed, and external emoji.
const invitePermissions = 309238025280

const maxCheckedGuilds = 200 // https://docs.discord.com/developers/resources/user#get-current-user-guilds

// Flags of an application that has the message content intent, approved or of an application in few servers.
// Source: https://docs.discord.com/developers/resources/application#application-object-application-flags
const flagMessageContent, flagMessageContentLimited = 1 << 18, 1 << 19

// Check asks Discord for everything that the bot needs: the token, the intent, the starts left for today, and the
// permissions in each server. Permissions that single channels take away again are not looked at.
func (p *Platform) Check(ctx context.Context) ([]core.Check, error) {
	p.api.forget()
	var found []core.Check
	add := func(what string, ok bool, mend string) {
		found = append(found, core.Check{What: what, OK: ok, Mend: mend})
	}

	var me wireUser
	if err := p.read(ctx, "discord.Check", discordgo.EndpointUser("@me"), "users", "", &me); err != nil {
		if core.ClassOf(err) == core.Auth {
			add("token", false, mendToken)
			return found, nil
		}
		return nil, err
	}
	if !isID(me.ID) {
		return nil, &core.Error{Op: "discord.Check", Class: core.Transient, Err: errNotOwn}
	}
	p.dir.identify(me.ID, "")
	add("token", true, displayName(&me, nil))

	app, err := p.checkIntent(ctx, add)
	if err != nil {
		return nil, err
	}
	if err := p.checkGateway(ctx, add); err != nil {
		return nil, err
	}
	if err := p.checkGuilds(ctx, app, add); err != nil {
		return nil, err
	}
	return found, nil
}

type addLine func(what string, ok bool, mend string)

func (p *Platform) checkIntent(ctx context.Context, add addLine) (appID string, err error) {
	var app struct {
		ID    string `json:"id"`
		Flags int64  `json:"flags"`
	}
	err = p.read(ctx, "discord.Check", discordgo.EndpointAPI+"applications/@me", "applications", "", &app)
	if lasting(err) {
		err = p.read(ctx, "discord.Check", discordgo.EndpointOAuth2+"applications/@me", "oauth2", "", &app)
	}
	if lasting(err) {
		return "", nil // a server without applications has no intents to switch
	}
	if err != nil {
		return "", err
	}
	if app.Flags&(flagMessageContent|flagMessageContentLimited) != 0 {
		add("intent MESSAGE_CONTENT", true, "")
	} else {
		add("intent MESSAGE_CONTENT", false, mendIntent)
	}
	return app.ID, nil
}

func (p *Platform) checkGateway(ctx context.Context, add addLine) error {
	var bot struct {
		Shards int `json:"shards"`
		Limit  *struct {
			Total      int     `json:"total"`
			Remaining  int     `json:"remaining"`
			ResetAfter float64 `json:"reset_after"`
		} `json:"session_start_limit"`
	}
	err := p.read(ctx, "discord.Check", discordgo.EndpointGatewayBot, "gateway bot", "", &bot)
	if lasting(err) {
		err = p.read(ctx, "discord.Check", discordgo.EndpointGateway, "gateway", "", &bot)
	}
	switch {
	case err != nil:
		return err
	case bot.Shards > 1:
		add("gateway", false, fmt.Sprintf("Discord recommends %d connections for so many servers: remove the bot from some, sharding is not supported", bot.Shards))
	case bot.Limit != nil && bot.Limit.Remaining <= 0:
		add("gateway", false, fmt.Sprintf("all starts of today are used up: wait %s", secondsOf(bot.Limit.ResetAfter/1000)))
	case bot.Limit != nil:
		add("gateway", true, fmt.Sprintf("%d of %d starts left today", bot.Limit.Remaining, bot.Limit.Total))
	default:
		add("gateway", true, "")
	}
	return nil
}

func (p *Platform) checkGuilds(ctx context.Context, appID string, add addLine) error {
	var guilds lenient[struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Owner       bool   `json:"owner"`
		Permissions *bits  `json:"permissions"`
	}]
	address := fmt.Sprintf("%s?limit=%d", discordgo.EndpointUserGuilds("@me"), maxCheckedGuilds)
	if err := p.read(ctx, "discord.Check", address, "users guilds", "", &guilds); err != nil {
		return err
	}
	if len(guilds) == 0 {
		add("servers", false, "the bot is in no server: invite it with "+inviteURL(appID))
	}
	for _, g := range guilds {
		var granted bits
		switch {
		case g.Owner:
			granted = ^bits(0)
		case g.Permissions != nil:
			granted = *g.Permissions
		default:
			if err := p.loadGuild(ctx, g.ID); err != nil {
				return err
			}
			granted, _ = p.dir.inServer(g.ID)
		}
		name := oneLine(strings.TrimSpace(g.Name), 80)
		complete := true
		for _, n := range needed {
			if granted&(n.bit|discordgo.PermissionAdministrator) != 0 {
				continue
			}
			complete = false
			add("permission "+n.name+" in "+name, false,
				fmt.Sprintf("%s: grant it in Server Settings, Roles, or invite the bot again with %s", n.why, inviteURL(appID)))
		}
		if complete {
			add("permissions in "+name, true, "")
		}
	}
	return nil
}

// inviteURL is the address at which an administrator adds the bot with all permissions.
// Source: https://docs.discord.com/developers/topics/oauth2#bot-authorization-flow
func inviteURL(appID string) string {
	if !isID(appID) {
		appID = "YOUR_APPLICATION_ID"
	}
	return fmt.Sprintf("https://discord.com/oauth2/authorize?client_id=%s&scope=bot+applications.commands&permissions=%d", appID, invitePermissions)
}
