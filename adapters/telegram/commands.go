package telegram

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/core"
)

// Bounds of the list of commands. Sources: https://core.telegram.org/bots/api#botcommand, #setmycommands
const (
	maxCommands     = 100
	maxCommandDoes  = 256 // characters
	opened          = "start"
	languageLetters = 2
)

var commandShape = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// usualCommands are those that a message can give as long as nobody has said which there are.
var usualCommands = []string{"help", "new", "stop", "retry", "history", "conversations", "rename", "delete", "status"}

// menu are the commands that a message can give. The zero value has the usual ones.
type menu struct {
	mu    sync.Mutex
	names map[string]struct{} // nil: the usual ones
}

func (m *menu) has(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names == nil {
		return slices.Contains(usualCommands, name)
	}
	_, ok := m.names[name]
	return ok
}

func (m *menu) set(names map[string]struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.names = names
}

// SetCommands implements [core.Commander]: the list for everybody, in the bot's language, and one for people whose client
// has one of the further languages. Lists for single chats, groups or administrators are left alone. From then on
// messages give these commands, whether Telegram has taken the list or not.
// Source: https://core.telegram.org/bots/api#setmycommands
func (p *Platform) SetCommands(ctx context.Context, all []core.CommandInfo) error {
	const op = "SetCommands"
	names, languages := map[string]struct{}{}, map[string]struct{}{}
	for _, c := range all {
		if !commandShape.MatchString(c.Name) || strings.TrimSpace(c.Does) == "" {
			return invalid(op, fmt.Errorf("command %q: its name is not of a-z, 0-9 and _, or it has no description", c.Name))
		}
		names[c.Name] = struct{}{}
		for code := range c.In {
			if len(code) == languageLetters {
				languages[code] = struct{}{}
			}
		}
	}
	if len(names) > maxCommands {
		return invalid(op, fmt.Errorf("%d commands, limit %d", len(names), maxCommands))
	}
	p.menu.set(names)
	for _, code := range append([]string{""}, slices.Sorted(maps.Keys(languages))...) {
		params := &tgbot.SetMyCommandsParams{Commands: commandsIn(all, code), LanguageCode: code}
		one, cancel := context.WithTimeout(ctx, callTimeout)
		_, err := p.bot.SetMyCommands(one, params)
		cancel()
		if err != nil {
			return p.fail(op, err, false)
		}
	}
	return nil
}

// commandsIn is the list in a language; "" is the bot's.
func commandsIn(all []core.CommandInfo, language string) []models.BotCommand {
	list := make([]models.BotCommand, 0, len(all)) // null would be refused
	for _, c := range all {
		does := cmp.Or(strings.TrimSpace(c.In[language]), strings.TrimSpace(c.Does))
		list = append(list, models.BotCommand{Command: c.Name, Description: oneLine(does, maxCommandDoes-1)})
	}
	return list
}

// addressee is for whom a command in a message is.
type addressee int

const (
	nobody     addressee = iota // there is no command
	thisBot                     // or any bot that knows it
	anotherBot                  // it names one
)

// command is the command that a message begins with, in lower case, and what follows it; the bot's mention may stand
// before it. What somebody else wrote and the person has passed on is none.
// Source: https://core.telegram.org/bots/features#commands
func (m *message) command(me *user) (name, args string, to addressee) {
	if m.Forward != nil || m.Text == "" {
		return "", "", nobody
	}
	units := utf16.Encode([]rune(m.Text))
	at := m.behindMention(units, me)
	for _, e := range m.Entities {
		if e.Type != "bot_command" || e.Offset != at || e.Length <= 1 || e.Length > len(units)-at {
			continue
		}
		end := at + e.Length
		name, bot, addressed := strings.Cut(strings.TrimPrefix(string(utf16.Decode(units[at:end])), "/"), "@")
		if addressed && !strings.EqualFold(bot, me.Username) {
			return "", "", anotherBot
		}
		var behind []entity
		for _, e := range m.Entities {
			if e.Offset >= end {
				e.Offset -= end
				behind = append(behind, e)
			}
		}
		args, _ = plain(string(utf16.Decode(units[end:])), behind, me)
		return strings.ToLower(name), strings.TrimSpace(args), thisBot
	}
	return "", "", nobody
}

// behindMention is where a message goes on behind the bot's mention; 0 if it does not begin with it.
func (m *message) behindMention(units []uint16, me *user) int {
	for _, e := range m.Entities {
		if e.Offset != 0 || e.Length <= 0 || e.Length > len(units) || e.Type == "bot_command" {
			continue
		}
		if _, own, _ := e.plain(string(utf16.Decode(units[:e.Length])), me); own {
			at := e.Length
			for at < len(units) && strings.ContainsRune(" ,:\n", rune(units[at])) {
				at++
			}
			return at
		}
	}
	return 0
}

// commanded makes of a message the command that it gives, if it gives one; ok is false if it is for another bot alone. /start
// is what a person sends by opening a private chat; what follows it is for programs. In groups it stays a message.
func (p *Platform) commanded(ev *core.Event, m *message, me *user) (ok bool) {
	name, args, to := m.command(me)
	switch {
	case to == anotherBot:
		return ev.Reach != core.ReachAmbient
	case to != thisBot:
	case name == opened && ev.Room.Direct:
		ev.Kind, ev.Text = core.KindOpened, ""
	case p.menu.has(name):
		ev.Kind, ev.Text, ev.Command = core.KindCommand, "", &core.Command{Name: name, Args: args}
		if !ev.Room.Direct {
			ev.Reach = core.ReachMention
		}
	}
	return true
}
