package discord

import (
	"context"
	"fmt"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

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

	app, err := p.checkApplication(ctx, add)
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

// checkApplication looks at what the developer portal sets: the intent, and that commands and presses come over the gateway.
func (p *Platform) checkApplication(ctx context.Context, add addLine) (appID string, err error) {
	const op = "discord.Check"
	app, err := p.application(ctx, op)
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
	if app.Endpoint != "" {
		add("commands and buttons", false, mendEndpoint)
		return app.ID, nil
	}
	if !isID(app.ID) {
		return "", nil
	}
	var commands lenient[wireAny]
	err = p.read(ctx, op, discordgo.EndpointApplicationGlobalCommands(app.ID), "commands", "", &commands)
	switch {
	case err == nil && len(commands) == 0:
		add("commands and buttons", true, "no commands registered yet: that is done at the next start")
	case err == nil:
		add("commands and buttons", true, fmt.Sprintf("%d commands registered", len(commands)))
	case !lasting(err):
		return "", err
	}
	return app.ID, nil
}

const mendEndpoint = "an Interactions Endpoint URL is set, so commands and presses do not come to the bridge: clear it at " +
	"https://discord.com/developers/applications, page General Information"

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
	guilds, err := p.guilds(ctx, "discord.Check")
	if err != nil {
		return err
	}
	if len(guilds) == 0 {
		add("servers", false, "the bot is in no server: invite it with "+InviteURL(appID))
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
			if n.optional || granted&(n.bit|discordgo.PermissionAdministrator) != 0 {
				continue
			}
			complete = false
			add("permission "+n.name+" in "+name, false,
				fmt.Sprintf("%s: grant it in Server Settings, Roles, or invite the bot again with %s", n.why, InviteURL(appID)))
		}
		if complete {
			add("permissions in "+name, true, "")
		}
	}
	return nil
}
