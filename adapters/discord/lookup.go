package discord

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// lookups remembers which channels could not be looked up, so that each is asked for once in a while only.
type lookups struct {
	mu     sync.Mutex
	failed map[string]time.Time // until when
}

func (l *lookups) skip(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.failed[id])
}

func (l *lookups) fail(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil || len(l.failed) >= maxLookups {
		l.failed = map[string]time.Time{}
	}
	l.failed[id] = time.Now().Add(10 * time.Minute)
}

// resolve finds a channel: in the directory, else by request. A channel of no server is a direct chat. One that cannot be
// looked up for good is taken as a room of its own; an error means that it may be known later.
func (p *Platform) resolve(ctx context.Context, channelID, guildID string) (channel, error) {
	if c, ok := p.dir.channel(channelID); ok {
		return c, nil
	}
	plain := channel{id: channelID, guild: guildID, kind: unknownKind}
	if guildID == "" || !isID(channelID) || !isID(guildID) || p.lookups.skip(channelID) {
		return plain, nil
	}
	// After a resume in a new process nothing of the server is known yet.
	if !p.dir.hasGuild(guildID) && !p.lookups.skip(guildID) {
		if err := p.loadGuild(ctx, guildID); err != nil {
			if !lasting(err) {
				return channel{}, err
			}
			p.lookups.fail(guildID)
		}
		if c, ok := p.dir.channel(channelID); ok {
			return c, nil
		}
	}
	var w wireChannel
	if err := p.read(ctx, "discord.Channel", discordgo.EndpointChannel(channelID), "channel", channelID, &w); err != nil {
		if !lasting(err) {
			return channel{}, err
		}
		p.lookups.fail(channelID)
		return plain, nil
	}
	if w.Thread != nil {
		w.Thread.Archived = false // somebody writes in it just now
	}
	p.dir.putChannel(&w, guildID)
	if c, ok := p.dir.channel(channelID); ok {
		return c, nil
	}
	return plain, nil
}

const unknownKind discordgo.ChannelType = -1

// loadGuild asks for what GUILD_CREATE tells.
func (p *Platform) loadGuild(ctx context.Context, id string) error {
	var w wireGuild
	if err := p.read(ctx, "discord.Guild", discordgo.EndpointGuild(id), "guild", id, &w); err != nil {
		return err
	}
	if err := p.read(ctx, "discord.Guild", discordgo.EndpointGuildChannels(id), "guild channels", id, &w.Channels); err != nil {
		return err
	}
	var active struct {
		Threads lenient[wireChannel] `json:"threads"`
	}
	if err := p.read(ctx, "discord.Guild", discordgo.EndpointGuildActiveThreads(id), "guild threads", id, &active); err != nil {
		return err
	}
	w.Threads = active.Threads
	if me := p.dir.me(); isID(me) {
		var m wireMember
		if err := p.read(ctx, "discord.Guild", discordgo.EndpointGuildMember(id, me), "guild members", id, &m); err != nil {
			return err
		}
		m.User = &wireUser{ID: me}
		w.Members = append(w.Members, m)
	}
	w.ID = id
	p.dir.putGuild(&w)
	return nil
}

// read makes a GET. major is the channel or server in the address.
func (p *Platform) read(ctx context.Context, op, url, route, major string, out any) error {
	return p.api.do(ctx, call{op: op, method: http.MethodGet, url: url, route: route, major: major, wait: waitRead}, out)
}

// me is the bot's user id, asked for if no connection has told it yet.
func (p *Platform) me(ctx context.Context) (string, error) {
	if id := p.dir.me(); id != "" {
		return id, nil
	}
	var u wireUser
	if err := p.read(ctx, "discord.Me", discordgo.EndpointUser("@me"), "users", "", &u); err != nil {
		return "", err
	}
	if !isID(u.ID) {
		return "", &core.Error{Op: "discord.Me", Class: core.Transient, Err: errNotOwn}
	}
	p.dir.identify(u.ID, "")
	return u.ID, nil
}

// lasting tells whether the same request would fail again: the thing is gone or not for the bot.
func lasting(err error) bool {
	e, ok := errors.AsType[*core.Error](err)
	if !ok {
		return false
	}
	switch e.Class {
	case core.Transient, core.RateLimited, core.Auth:
		return false
	default:
		return true
	}
}
