package discord

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

var errManyServers = errors.New("the bot is in more servers than are searched")

// FindRoom finds a channel by its id or name, a server by its id, and a direct chat by its id. Where several channels have the
// name, it is the one with the lowest id. Without a connection the channels of at most 25 servers are asked for; where that is not
// all, the class of a room that is not found is [core.Unsupported].
func (p *Platform) FindRoom(ctx context.Context, name string) (core.Room, bool, error) {
	const op = "discord.FindRoom"
	name = strings.TrimLeft(strings.TrimSpace(name), "#@")
	if name == "" {
		return core.Room{}, false, nil
	}
	if isID(name) {
		if room, ok, err := p.roomOf(ctx, op, name); ok || err != nil || onlyID(name) {
			return room, ok, err
		}
	}
	if room, ok := p.dir.findRoom(name); ok {
		return room, true, nil
	}
	complete, err := p.loadGuilds(ctx, op)
	if err != nil {
		return core.Room{}, false, err
	}
	if room, ok := p.dir.findRoom(name); ok {
		return room, true, nil
	}
	if !complete {
		return core.Room{}, false, &core.Error{Op: op, Class: core.Unsupported, Err: errManyServers}
	}
	return core.Room{}, false, nil
}

// onlyID tells whether digits are so many that they are meant as an id: whoever takes another's id for a name is not found by it.
func onlyID(s string) bool { return len(s) >= 15 && isID(s) }

// roomOf finds a room by its id. A thread is none.
func (p *Platform) roomOf(ctx context.Context, op, id string) (core.Room, bool, error) {
	if room, ok := p.dir.findRoom(id); ok {
		return room, true, nil
	}
	if _, known := p.dir.channel(id); known {
		return core.Room{}, false, nil
	}
	var w wireChannel
	err := p.read(ctx, op, discordgo.EndpointChannel(id), "channel", id, &w)
	switch {
	case lasting(err):
		return core.Room{}, false, nil
	case err != nil:
		return core.Room{}, false, err
	}
	ch := channel{id: w.ID, guild: w.GuildID, name: w.Name, kind: w.Type}
	if w.ID != id || !ch.isRoom() && w.Type != discordgo.ChannelTypeDM {
		return core.Room{}, false, nil
	}
	return core.Room{ID: id, Name: w.Name, Space: w.GuildID, Direct: w.Type == discordgo.ChannelTypeDM}, true, nil
}

// isRoom tells whether questions stand in the channel, or in its threads.
func (c *channel) isRoom() bool {
	switch c.kind {
	case discordgo.ChannelTypeGuildForum, discordgo.ChannelTypeGuildMedia:
		return true
	default:
		return c.hasMessages() && !c.isThread()
	}
}

// findRoom looks for an id or a name among what is known. A server's id stands for its rooms.
func (d *directory) findRoom(name string) (core.Room, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if g := d.guilds[name]; g != nil {
		return core.Room{ID: g.id, Name: g.name, Space: g.id}, true
	}
	best, known := d.channels[name]
	switch {
	case known && best.isRoom():
	case onlyID(name):
		return core.Room{}, false
	default:
		best = channel{}
		for _, c := range d.channels {
			if c.isRoom() && strings.EqualFold(c.name, name) && (best.id == "" || idOf(c.id) < idOf(best.id)) {
				best = c
			}
		}
	}
	return core.Room{ID: best.id, Name: best.name, Space: best.guild}, best.id != ""
}

// known lists the servers that are known.
func (d *directory) known() []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	ids := make([]string, 0, len(d.guilds))
	for id := range d.guilds {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(idOf(a), idOf(b)) })
	return ids
}

// loadGuilds asks for the servers that are not known yet. complete is false if there are more than it asks for.
func (p *Platform) loadGuilds(ctx context.Context, op string) (complete bool, err error) {
	guilds, err := p.guilds(ctx, op)
	if err != nil {
		return false, err
	}
	complete = len(guilds) < maxCheckedGuilds
	asked := 0
	for _, g := range guilds {
		if !isID(g.ID) || p.dir.hasGuild(g.ID) {
			continue
		}
		if asked++; asked > maxSearched {
			return false, nil
		}
		switch err := p.loadGuild(ctx, g.ID); {
		case lasting(err):
			complete = false
		case err != nil:
			return false, err
		}
	}
	return complete, nil
}

type wireOwnGuild struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Owner       bool   `json:"owner"`
	Permissions *bits  `json:"permissions"`
}

// guilds are the servers of the bot, at most maxCheckedGuilds.
func (p *Platform) guilds(ctx context.Context, op string) ([]wireOwnGuild, error) {
	var guilds lenient[wireOwnGuild]
	address := fmt.Sprintf("%s?limit=%d", discordgo.EndpointUserGuilds("@me"), maxCheckedGuilds)
	err := p.read(ctx, op, address, "users guilds", "", &guilds)
	return guilds, err
}

// FindUser finds a person by id, or by the unique name in the servers of the bot, of which at most 25 are searched. The class is
// [core.Unsupported] where a server is left out or refuses, since nobody can tell then that there is none of that name.
// Source: https://docs.discord.com/developers/resources/guild#search-guild-members
func (p *Platform) FindUser(ctx context.Context, name string) (core.User, bool, error) {
	const op = "discord.FindUser"
	name = strings.TrimPrefix(strings.TrimSpace(name), "@")
	if name == "" {
		return core.User{}, false, nil
	}
	if isID(name) {
		var u wireUser
		err := p.read(ctx, op, discordgo.EndpointUser(name), "users", "", &u)
		switch {
		case err == nil && u.ID == name:
			return person(&u, nil), true, nil
		case err != nil && !lasting(err):
			return core.User{}, false, err
		case onlyID(name):
			return core.User{}, false, nil
		}
	}
	servers := p.dir.known()
	if len(servers) == 0 {
		all, err := p.guilds(ctx, op)
		if err != nil {
			return core.User{}, false, err
		}
		for _, g := range all {
			if isID(g.ID) {
				servers = append(servers, g.ID)
			}
		}
	}
	var unsure error
	if len(servers) > maxSearched {
		servers, unsure = servers[:maxSearched], errManyServers
	}
	for _, guild := range servers {
		u, ok, err := p.searchMember(ctx, op, guild, name)
		switch {
		case lasting(err):
			unsure = err
		case err != nil || ok:
			return u, ok, err
		}
	}
	if unsure != nil {
		return core.User{}, false, &core.Error{Op: op, Class: core.Unsupported, Err: unsure}
	}
	return core.User{}, false, nil
}

const maxFoundMembers = 100 // names that begin like the one that is looked for; up to 1,000 can be asked for

func (p *Platform) searchMember(ctx context.Context, op, guild, name string) (core.User, bool, error) {
	var found lenient[wireMember]
	query := url.Values{"query": {name}, "limit": {fmt.Sprint(maxFoundMembers)}}
	err := p.read(ctx, op, discordgo.EndpointGuildMembersSearch(guild)+"?"+query.Encode(), "guild search", guild, &found)
	if err != nil {
		return core.User{}, false, err
	}
	for i := range found {
		if u := found[i].User; u != nil && isID(u.ID) && strings.EqualFold(u.Username, name) {
			return person(u, &found[i]), true, nil
		}
	}
	return core.User{}, false, nil
}
