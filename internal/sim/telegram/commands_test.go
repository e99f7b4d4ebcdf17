package telegram_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/internal/sim/telegram"
)

// TestMenus: a person is offered the list of the narrowest scope that there is, in the language of the client where it has one
// (https://core.telegram.org/bots/api#determining-list-of-commands).
func TestMenus(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	lists := []struct {
		name, language string
		scope          obj
	}{
		{"default", "", nil},
		{"default_vi", "vi", nil},
		{"private", "", obj{"type": "all_private_chats"}},
		{"groups_vi", "vi", obj{"type": "all_group_chats"}},
		{"admins", "", obj{"type": "all_chat_administrators"}},
		{"chat", "", obj{"type": "chat", "chat_id": telegram.Minh}},
		{"chat_admins", "", obj{"type": "chat_administrators", "chat_id": -1002000000001}},
		{"chat_member", "", obj{"type": "chat_member", "chat_id": telegram.Forum, "user_id": 5000000003}},
	}
	menu := func(room, user, language string) string {
		var names []string
		for _, c := range s.Menu(room, user, language) {
			names = append(names, c.Command)
		}
		return strings.Join(names, " ")
	}
	if got := menu(telegram.Minh, telegram.Minh, ""); got != "" {
		t.Errorf("before there is any: %q", got)
	}
	for _, l := range lists {
		params := obj{"commands": []obj{{"command": l.name, "description": "x"}}, "language_code": l.language}
		if l.scope != nil {
			params["scope"] = l.scope
		}
		r.ok(r.call("setMyCommands", params), nil)
	}
	if n := s.CommandLists(); n != len(lists) {
		t.Errorf("%d lists", n)
	}
	tests := []struct{ name, room, user, language, want string }{
		{"a chat with its own", telegram.Minh, telegram.Minh, "", "chat"},
		{"private", telegram.Anna, telegram.Anna, "", "private"},
		{"the scope goes before the language", telegram.Anna, telegram.Anna, "vi", "private"},
		{"group, in a language", telegram.Group, telegram.Minh, "", "groups_vi"},
		{"group, without one", telegram.Group, telegram.Tom, "", "default"},
		{"administrator", telegram.Group, telegram.Anna, "", "admins"},
		{"administrator of a chat", telegram.Forum, telegram.Anna, "", "chat_admins"},
		{"member of a chat", telegram.Forum, telegram.Tom, "", "chat_member"},
		{"nobody", telegram.Forum, "@nobody", "", ""},
		{"nowhere", "5", telegram.Tom, "", ""},
	}
	for _, tt := range tests {
		if got := menu(tt.room, tt.user, tt.language); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	// Taking one away, by either method, leaves what is wider.
	r.ok(r.call("deleteMyCommands", obj{"scope": obj{"type": "all_private_chats"}}), nil)
	r.ok(r.call("setMyCommands", obj{"commands": []obj{}, "scope": obj{"type": "chat", "chat_id": telegram.Minh}}), nil)
	if got := menu(telegram.Minh, telegram.Minh, ""); got != "default_vi" {
		t.Errorf("after two were taken away: %q", got)
	}
	if got := menu(telegram.Minh, telegram.Minh, "de"); got != "default" {
		t.Errorf("in another language: %q", got)
	}
	if got := s.CommandText(telegram.Minh, "new") + " " + s.CommandText(telegram.Group, "new"); got != "/new /new@acme_support_bot" {
		t.Errorf("as it is sent: %q", got)
	}
	noViolations(t, s)
}

func TestCommandsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	one := func(name, text string) obj { return obj{"commands": []obj{{"command": name, "description": text}}} }
	add := func(o obj, key string, v any) obj { o[key] = v; return o }
	tests := []struct {
		name   string
		params obj
		want   string
	}{
		{"upper case", one("New", "x"), "Bad Request: BOT_COMMAND_INVALID"},
		{"hyphen", one("new-one", "x"), "Bad Request: BOT_COMMAND_INVALID"},
		{"no name", one(" / ", "x"), "Bad Request: command must be non-empty"},
		{"long name", one(strings.Repeat("a", 33), "x"), "Bad Request: command length must not exceed 32"},
		{"no description", one("new", " "), "Bad Request: command description must be non-empty"},
		{"long description", one("new", strings.Repeat("đ", 257)), "Bad Request: command description length must not exceed 256"},
		{"too many", obj{"commands": slices.Repeat([]obj{{"command": "new", "description": "x"}}, 101)}, "Bad Request: BOT_COMMANDS_TOO_MUCH"},
		{"no list", obj{}, "Bad Request: can't parse commands JSON object"},
		{"language of three letters", add(one("new", "x"), "language_code", "vie"), "Bad Request: invalid language code specified"},
		{"unknown scope", add(one("new", "x"), "scope", obj{"type": "planet"}), "Bad Request: can't parse BotCommandScope: Unsupported type specified"},
		{"scope that is none", add(one("new", "x"), "scope", "all"), "Bad Request: can't parse BotCommandScope: JSON object expected"},
		{"unknown chat", add(one("new", "x"), "scope", obj{"type": "chat", "chat_id": 5}), "Bad Request: chat not found"},
		{"unknown member", add(one("new", "x"), "scope", obj{"type": "chat_member", "chat_id": telegram.Forum, "user_id": 5}), "Bad Request: user not found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRaw(t, s)
			r.want(r.call("setMyCommands", tt.params), http.StatusBadRequest, tt.want)
		})
	}
	if n := s.CommandLists(); n != 0 {
		t.Errorf("%d lists", n)
	}
	r.ok(r.call("setMyCommands", one(" /new ", " x ")), nil)
	if got := s.Commands(); len(got) != 1 || got[0] != "new: x" {
		t.Errorf("as cleaned: %q", got)
	}
}

// TestLibraryCommands: a real library sets, reads and deletes lists for scopes and languages.
func TestLibraryCommands(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	b := library(t, s)
	scope := &models.BotCommandScopeChat{ChatID: telegram.Group}
	list := []models.BotCommand{{Command: "new", Description: "Start anew"}, {Command: "stop", Description: "Stop"}}
	if _, err := b.SetMyCommands(t.Context(), &tgbot.SetMyCommandsParams{Commands: list, Scope: scope, LanguageCode: "en"}); err != nil {
		t.Fatal(err)
	}
	if got := s.Menu(telegram.Group, telegram.Anna, ""); len(got) != 2 || got[1] != (telegram.Command{Command: "stop", Description: "Stop"}) {
		t.Errorf("menu: %+v", got)
	}
	if got := s.Menu(telegram.Forum, telegram.Anna, ""); got != nil {
		t.Errorf("menu elsewhere: %+v", got)
	}
	got, err := b.GetMyCommands(t.Context(), &tgbot.GetMyCommandsParams{Scope: scope, LanguageCode: "en"})
	if err != nil || len(got) != 2 || got[0].Command != "new" {
		t.Errorf("read: %+v, %v", got, err)
	}
	if got, err := b.GetMyCommands(t.Context(), &tgbot.GetMyCommandsParams{Scope: scope}); err != nil || len(got) != 0 {
		t.Errorf("read in no language: %+v, %v", got, err)
	}
	if _, err := b.DeleteMyCommands(t.Context(), &tgbot.DeleteMyCommandsParams{Scope: scope, LanguageCode: "en"}); err != nil || s.CommandLists() != 0 {
		t.Errorf("deleted: %v", err)
	}
	noViolations(t, s)
}
