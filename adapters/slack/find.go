package slack

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"

	"github.com/clickai/bridge/core"
)

// lists remember the rooms and people of the workspace by name.
type lists struct {
	once singleflight.Group

	mu    sync.Mutex
	rooms byName[core.Room]
	users byName[core.User]
}

// byName is a list by name, as of a time.
type byName[T any] struct {
	all map[string]T
	at  time.Time
}

var errTooMany = errors.New("the workspace has more than are looked through")

// FindRoom finds a room that the bot can see: by its id, or by its name without #, which for public and private channels is
// unique in a workspace. A workspace is found by its id, as a room of that id. Lists are taken as they are for five minutes;
// the first 10,000 rooms are looked through.
// Sources: https://docs.slack.dev/reference/methods/conversations.info and conversations.list
func (p *Platform) FindRoom(ctx context.Context, name string) (core.Room, bool, error) {
	const op = "slack.FindRoom"
	name = strings.TrimLeft(strings.TrimSpace(name), "#@")
	if name == "" {
		return core.Room{}, false, nil
	}
	me, err := p.me(ctx)
	if err != nil {
		return core.Room{}, false, err
	}
	if name == me.team {
		return core.Room{ID: me.team, Name: me.teamName, Space: me.team}, true, nil
	}
	if looksLikeID(name) {
		var out struct {
			Channel wireRoom `json:"channel"`
		}
		_, err := p.call(ctx, op, method("conversations.info"), func(ctx context.Context) error {
			_, err := p.api.GetConversationInfoContext(ctx, &slackgo.GetConversationInfoInput{ChannelID: name})
			return err //nolint:wrapcheck // call classifies it
		}, &out)
		if c := core.ClassOf(err); c == core.RoomGone || c == core.NotFound || codeOf(err) == "invalid_arguments" {
			return core.Room{}, false, nil
		}
		if err != nil {
			return core.Room{}, false, err
		}
		return out.Channel.found(me.team), true, nil
	}
	all, err := listed(ctx, p, "rooms", &p.lists.rooms, func(ctx context.Context) (map[string]core.Room, error) { return p.roomsByName(ctx, op, me.team) })
	if err != nil {
		return core.Room{}, false, err
	}
	r, ok := all[strings.ToLower(name)]
	return r, ok, nil
}

// FindUser finds a person by id, or by the unique name that Slack calls the username; display names are not unique. The first
// 10,000 people are looked through.
// Sources: https://docs.slack.dev/reference/methods/users.info and users.list
func (p *Platform) FindUser(ctx context.Context, name string) (core.User, bool, error) {
	const op = "slack.FindUser"
	name = strings.TrimLeft(strings.TrimSpace(name), "@")
	if name == "" {
		return core.User{}, false, nil
	}
	me, err := p.me(ctx)
	if err != nil {
		return core.User{}, false, err
	}
	if looksLikeID(name) {
		var out struct {
			User wireUser `json:"user"`
		}
		_, err := p.call(ctx, op, method("users.info"), func(ctx context.Context) error {
			_, err := p.api.GetUserInfoContext(ctx, name)
			return err //nolint:wrapcheck // call classifies it
		}, &out)
		if core.ClassOf(err) == core.NotFound {
			return core.User{}, false, nil
		}
		if err != nil {
			return core.User{}, false, err
		}
		return out.User.found(me.team), true, nil
	}
	all, err := listed(ctx, p, "users", &p.lists.users, func(ctx context.Context) (map[string]core.User, error) { return p.usersByName(ctx, op, me.team) })
	if err != nil {
		return core.User{}, false, err
	}
	u, ok := all[strings.ToLower(name)]
	return u, ok, nil
}

// looksLikeID tells ids from names: those of rooms and people have no capital letters.
func looksLikeID(s string) bool {
	if len(s) < 2 || strings.IndexByte("CGDUWT", s[0]) < 0 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}

// listed is a list that is fresh, read if need be; one caller reads for all who ask meanwhile.
func listed[T any](ctx context.Context, p *Platform, what string, l *byName[T], read func(context.Context) (map[string]T, error)) (map[string]T, error) {
	fresh := func() (map[string]T, bool) {
		p.lists.mu.Lock()
		defer p.lists.mu.Unlock()
		return l.all, l.all != nil && time.Since(l.at) < listFresh
	}
	if all, ok := fresh(); ok {
		return all, nil
	}
	_, err, _ := p.lists.once.Do(what, func() (any, error) {
		all, err := read(ctx)
		if err != nil {
			return nil, err
		}
		p.lists.mu.Lock()
		defer p.lists.mu.Unlock()
		l.all, l.at = all, time.Now()
		return nil, nil
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // it is one of this package's
	}
	all, _ := fresh()
	return all, nil
}

func (p *Platform) roomsByName(ctx context.Context, op, team string) (map[string]core.Room, error) {
	found := map[string]core.Room{}
	var denied error
	for _, kind := range []string{"public_channel", "private_channel"} { // each has a scope of its own
		cursor := ""
		for page := 0; ; page++ {
			if page == maxRoomPages {
				p.log.Warn("rooms not looked through to the end", logErr(errTooMany))
				break
			}
			var out struct {
				Channels []wireRoom `json:"channels"`
				Metadata struct {
					NextCursor string `json:"next_cursor"`
				} `json:"response_metadata"`
			}
			_, err := p.call(ctx, op, method("conversations.list"), func(ctx context.Context) error {
				_, _, err := p.api.GetConversationsContext(ctx, &slackgo.GetConversationsParameters{
					Cursor: cursor, ExcludeArchived: true, Limit: pageSize, Types: []string{kind},
				})
				return err //nolint:wrapcheck // call classifies it
			}, &out)
			if core.ClassOf(err) == core.Denied {
				denied = err
				break
			}
			if err != nil {
				return nil, err
			}
			for i := range out.Channels {
				if w := &out.Channels[i]; isID(w.ID) && w.Name != "" {
					found[strings.ToLower(w.Name)] = w.found(team)
				}
			}
			if cursor = out.Metadata.NextCursor; cursor == "" {
				break
			}
		}
	}
	if len(found) == 0 && denied != nil {
		return nil, &core.Error{Op: op, Class: core.Unsupported, Err: denied}
	}
	return found, nil
}

func (p *Platform) usersByName(ctx context.Context, op, team string) (map[string]core.User, error) {
	found, cursor := map[string]core.User{}, ""
	for range maxUserPages {
		var out struct {
			Members  []wireUser `json:"members"`
			Metadata struct {
				NextCursor string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		_, err := p.call(ctx, op, method("users.list"), func(ctx context.Context) error {
			_, err := p.api.GetUsersPaginated(slackgo.GetUsersOptionLimit(pageSize), slackgo.GetUsersOptionCursor(cursor),
				slackgo.GetUsersOptionIncludeLocale(false)).Next(ctx)
			return err //nolint:wrapcheck // call classifies it
		}, &out)
		if core.ClassOf(err) == core.Denied {
			return nil, &core.Error{Op: op, Class: core.Unsupported, Err: err}
		}
		if err != nil {
			return nil, err
		}
		for i := range out.Members {
			if w := &out.Members[i]; isID(w.ID) && w.Name != "" && !w.Deleted {
				found[strings.ToLower(w.Name)] = w.found(team)
			}
		}
		if cursor = out.Metadata.NextCursor; cursor == "" {
			return found, nil
		}
	}
	p.log.Warn("people not looked through to the end", logErr(errTooMany))
	return found, nil
}

func (w *wireRoom) found(team string) core.Room {
	return core.Room{ID: w.ID, Name: w.Name, Space: team, Direct: w.IsIM}
}

func (w *wireUser) found(team string) core.User {
	u := w.person()
	return core.User{ID: w.ID, Name: u.name, Handle: u.handle, Key: userKey(w.ID, w.TeamID, team)}
}
