package telegram

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// Limits of https://core.telegram.org/bots/api#setmycommands and #botcommand.
const (
	maxCommands     = 100
	maxCommandName  = 32
	maxCommandText  = 256
	maxCommandLists = 1000 // this server's own
)

// Command is a command that clients offer.
type Command struct {
	Command     string `json:"command"` // without the slash
	Description string `json:"description"`
}

var (
	commandForm  = sim.Regexp(`^[a-z0-9_]+$`)
	languageForm = sim.Regexp(`^[a-z]{2}$`)
)

// The scopes of https://core.telegram.org/bots/api#botcommandscope.
const (
	scopeDefault     = "default"
	scopePrivate     = "all_private_chats"
	scopeGroups      = "all_group_chats"
	scopeAdmins      = "all_chat_administrators"
	scopeChat        = "chat"
	scopeChatAdmins  = "chat_administrators"
	scopeChatMembers = "chat_member"
)

// commandScope is for whom a list of commands is.
type commandScope struct {
	kind     string
	chat     int64
	user     int64
	language string // "" for people whose language has no list of its own
}

// scopeOf reads the scope and the language of a call. Called with mu held.
func (s *Server) scopeOf(p *params) (commandScope, error) {
	var in struct {
		Type   string          `json:"type"`
		ChatID json.RawMessage `json:"chat_id"`
		UserID int64           `json:"user_id"`
	}
	given, err := p.object("scope", &in)
	if err != nil {
		return commandScope{}, wrong("can't parse BotCommandScope: JSON object expected")
	}
	if !given {
		in.Type = scopeDefault
	}
	out := commandScope{kind: in.Type, language: p.str("language_code")}
	if out.language != "" && !languageForm().MatchString(out.language) {
		return out, wrong("invalid language code specified")
	}
	switch in.Type {
	case scopeDefault, scopePrivate, scopeGroups, scopeAdmins:
		return out, nil
	case scopeChat, scopeChatAdmins, scopeChatMembers:
	default:
		return out, wrong("can't parse BotCommandScope: Unsupported type specified")
	}
	c, err := s.chatOf(&params{values: map[string]string{"chat_id": strings.Trim(string(in.ChatID), `"`)}})
	if err != nil {
		return out, err
	}
	out.chat = c.id
	if in.Type == scopeChatMembers {
		if s.users[in.UserID] == nil {
			return out, bad("user not found")
		}
		out.user = in.UserID
	}
	return out, nil
}

// commandsOf reads a list of commands as the server cleans it.
func commandsOf(p *params) ([]Command, error) {
	var list []Command
	if _, err := p.list("commands", &list); err != nil {
		return nil, err
	}
	if len(list) > maxCommands {
		return nil, wrong("BOT_COMMANDS_TOO_MUCH")
	}
	for i, c := range list {
		c.Command = strings.TrimPrefix(strings.TrimSpace(c.Command), "/")
		c.Description = strings.TrimSpace(c.Description)
		switch {
		case c.Command == "":
			return nil, wrong("command must be non-empty")
		case len([]rune(c.Command)) > maxCommandName:
			return nil, wrong("command length must not exceed %d", maxCommandName)
		case c.Description == "":
			return nil, wrong("command description must be non-empty")
		case len([]rune(c.Description)) > maxCommandText:
			return nil, wrong("command description length must not exceed %d", maxCommandText)
		case !commandForm().MatchString(c.Command):
			return nil, wrong("BOT_COMMAND_INVALID")
		}
		list[i] = c
	}
	return list, nil
}

func (s *Server) setMyCommands(_ context.Context, p *params) (any, error) {
	list, err := commandsOf(p)
	if err != nil {
		return nil, err
	}
	if !p.has("commands") {
		return nil, wrong("can't parse commands JSON object")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	scope, err := s.scopeOf(p)
	if err != nil {
		return nil, err
	}
	if _, there := s.commands[scope]; !there && len(s.commands) >= maxCommandLists {
		return nil, bad("too many lists of commands")
	}
	s.commands[scope] = list
	if len(list) == 0 { // as deleteMyCommands
		delete(s.commands, scope)
	}
	s.changed.Notify()
	return true, nil
}

func (s *Server) getMyCommands(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scope, err := s.scopeOf(p)
	if err != nil {
		return nil, err
	}
	return append([]Command{}, s.commands[scope]...), nil
}

func (s *Server) deleteMyCommands(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scope, err := s.scopeOf(p)
	if err != nil {
		return nil, err
	}
	delete(s.commands, scope)
	s.changed.Notify()
	return true, nil
}

// Commands are what setMyCommands has stored for the default scope and no language, as "name: description".
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, c := range s.commands[commandScope{kind: scopeDefault}] {
		out = append(out, c.Command+": "+c.Description)
	}
	return out
}

// Menu is the list of commands that a person's client offers in a chat: the first that there is in the order of
// https://core.telegram.org/bots/api#determining-list-of-commands. language is that of the client; "" is the person's own. It
// is nil where there is no such chat or person.
func (s *Server) Menu(room, user, language string) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.room(room)
	if err != nil {
		return nil
	}
	u, err := s.person(user)
	if err != nil {
		return nil
	}
	if language == "" {
		language = u.LanguageCode
	}
	for _, scope := range scopesFor(c, u) {
		for _, scope.language = range []string{language, ""} {
			if list := s.commands[scope]; len(list) > 0 {
				return slices.Clone(list)
			}
		}
	}
	return nil
}

// scopesFor are the scopes that a person is in, the narrowest first, without their languages.
func scopesFor(c *chat, u *markup.User) []commandScope {
	if !c.isGroup() {
		return []commandScope{{kind: scopeChat, chat: c.id}, {kind: scopePrivate}, {kind: scopeDefault}}
	}
	admin := c.status(u.ID) == creator
	scopes := []commandScope{{kind: scopeChatMembers, chat: c.id, user: u.ID}}
	if admin {
		scopes = append(scopes, commandScope{kind: scopeChatAdmins, chat: c.id})
	}
	scopes = append(scopes, commandScope{kind: scopeChat, chat: c.id})
	if admin {
		scopes = append(scopes, commandScope{kind: scopeAdmins})
	}
	return append(scopes, commandScope{kind: scopeGroups}, commandScope{kind: scopeDefault})
}

// CommandLists is for how many scopes and languages there is a list, the default one among them.
func (s *Server) CommandLists() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.commands)
}

// CommandText is a command as a person's client sends it when it is chosen from the menu: in groups with the bot's name.
func (s *Server) CommandText(room, name string) string {
	id, err := strconv.ParseInt(room, 10, 64)
	if err == nil && id < 0 {
		return "/" + name + "@" + s.me.Username
	}
	return "/" + name
}
