package standins

import (
	"fmt"
	"strconv"

	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// Crowd is many people in many rooms. All are in all rooms (on Telegram the i-th person is in one group, the i-th modulo the
// number of groups), and each has a direct chat with the bot.
type Crowd struct{ People, Rooms int }

// Slack puts the crowd into a workspace.
func (c Crowd) Slack(opt slack.Options) slack.Options {
	opt.Users, opt.Channels = []slack.User{}, []slack.Channel{}
	for i := range c.People {
		n := strconv.Itoa(i + 1)
		opt.Users = append(opt.Users, slack.User{ID: fmt.Sprintf("U0LOAD%05d", i+1), Name: "person." + n, Real: "Person " + n, Display: "Person " + n})
	}
	for i := range c.Rooms {
		opt.Channels = append(opt.Channels, slack.Channel{ID: fmt.Sprintf("C0LOAD%05d", i+1), Name: "room-" + strconv.Itoa(i+1)})
	}
	return opt
}

// Discord puts the crowd into a server. A server has at most 500 channels:
// https://docs.discord.com/developers/topics/opcodes-and-status-codes#json (30013).
func (c Crowd) Discord(opt discord.Options) discord.Options {
	opt.People, opt.Channels = []discord.Person{}, []discord.Channel{}
	for i := range c.People {
		opt.People = append(opt.People, discord.Person{
			ID: fmt.Sprintf("11000000000010%05d", i+1), Name: "Person " + strconv.Itoa(i+1), DM: fmt.Sprintf("11000000000020%05d", i+1),
		})
	}
	for i := range c.Rooms {
		opt.Channels = append(opt.Channels, discord.Channel{ID: fmt.Sprintf("11000000000030%05d", i+1), Name: "room-" + strconv.Itoa(i+1)})
	}
	return opt
}

// Telegram makes the crowd's private chats and groups.
func (c Crowd) Telegram(opt telegram.Options) telegram.Options {
	opt.Users, opt.Chats = []telegram.User{}, []telegram.Chat{}
	for i := range c.People {
		opt.Users = append(opt.Users, telegram.User{ID: 6_000_000_001 + int64(i), FirstName: "Person " + strconv.Itoa(i+1), Language: "en"})
	}
	for i := range c.Rooms {
		chat := telegram.Chat{ID: -5_000_000_001 - int64(i), Type: "group", Title: "Room " + strconv.Itoa(i+1)}
		for p := i; p < c.People; p += c.Rooms {
			chat.Members = append(chat.Members, opt.Users[p].ID)
		}
		opt.Chats = append(opt.Chats, chat)
	}
	return opt
}
