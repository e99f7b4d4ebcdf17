package telegram

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/clickai/bridge/core"
)

// usernameShape is that of a public name. Source: https://core.telegram.org/bots/features#creating-a-new-bot and
// https://telegram.org/faq#usernames-and-t-me (those that are bought have four letters).
var usernameShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{3,31}$`)

var (
	errNoSuchName = errors.New("groups are found by their public name alone; one without is named by its id or its title")
	errNoUserName = errors.New("bots are not told who has a user name; write the person's id")
)

// FindRoom implements [core.Directory]: by id any chat that the bot is in, by name a group or channel with a public name
// (https://core.telegram.org/bots/api#getchat). Any other name may be the title of a private group, which Telegram does not
// look for: [core.Unsupported].
func (p *Platform) FindRoom(ctx context.Context, name string) (core.Room, bool, error) {
	const op = "FindRoom"
	name = strings.TrimSpace(name)
	if _, err := strconv.ParseInt(name, 10, 64); err == nil {
		c, ok, err := p.findChat(ctx, op, p.chatNow(name))
		if err != nil || !ok {
			return core.Room{}, false, err
		}
		return c.room(), true, nil
	}
	name = strings.TrimPrefix(name, "@")
	if !usernameShape.MatchString(name) {
		return core.Room{}, false, &core.Error{Op: "telegram." + op, Class: core.Unsupported, Err: errNoSuchName}
	}
	c, ok, err := p.findChat(ctx, op, "@"+name)
	switch {
	case err != nil:
		return core.Room{}, false, err
	case !ok || c.Type == "private":
		return core.Room{}, false, &core.Error{Op: "telegram." + op, Class: core.Unsupported, Err: errNoSuchName}
	}
	return c.room(), true, nil
}

// FindUser implements [core.Directory]: by id anyone who has written to the bot. Telegram does not find people by their
// user name: [core.Unsupported].
func (p *Platform) FindUser(ctx context.Context, name string) (core.User, bool, error) {
	const op = "FindUser"
	name = strings.TrimSpace(name)
	if id, err := strconv.ParseInt(name, 10, 64); err != nil || id <= 0 {
		return core.User{}, false, &core.Error{Op: "telegram." + op, Class: core.Unsupported, Err: errNoUserName}
	}
	c, ok, err := p.findChat(ctx, op, name)
	if err != nil || !ok {
		return core.User{}, false, err
	}
	return core.User{ID: c.key(), Name: c.name(), Handle: c.Username, Key: "telegram:" + c.key()}, true, nil
}

// findChat asks for a chat by its id or "@name"; ok is false if the bot can see none. The library's call fails on one kind of
// reaction or background that it does not know.
func (p *Platform) findChat(ctx context.Context, op, id string) (c chat, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for range 2 {
		err = p.call(ctx, "getChat", map[string]string{"chat_id": id}, &c)
		to := migratedTo(err)
		if to == 0 {
			break
		}
		id = strconv.FormatInt(to, 10)
	}
	switch err := p.fail(op, err, false); {
	case err == nil:
		return c, c.ID != 0, nil
	case core.ClassOf(err) == core.RoomGone:
		return chat{}, false, nil
	default:
		return chat{}, false, err
	}
}
