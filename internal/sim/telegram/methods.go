package telegram

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// method runs one call. It locks by itself; its result is plain data.
type method func(*Server, context.Context, *params) (any, error)

// methods are those of https://core.telegram.org/bots/api#available-methods that this server has, by lower-case name:
// the real server takes any case.
var methods = map[string]method{
	"getme":                  (*Server).getMe,
	"logout":                 (*Server).logOut,
	"close":                  (*Server).closeBot,
	"getupdates":             (*Server).getUpdates,
	"setwebhook":             (*Server).setWebhook,
	"deletewebhook":          (*Server).deleteWebhook,
	"getwebhookinfo":         (*Server).getWebhookInfo,
	"sendmessage":            (*Server).sendMessage,
	"editmessagetext":        (*Server).editMessageText,
	"editmessagecaption":     (*Server).editMessageCaption,
	"editmessagereplymarkup": (*Server).editMessageReplyMarkup,
	"deletemessage":          (*Server).deleteMessage,
	"deletemessages":         (*Server).deleteMessages,
	"sendchataction":         (*Server).sendChatAction,
	"sendphoto":              sender("photo"),
	"senddocument":           sender("document"),
	"sendaudio":              sender("audio"),
	"sendvoice":              sender("voice"),
	"sendvideo":              sender("video"),
	"sendanimation":          sender("animation"),
	"sendmediagroup":         (*Server).sendMediaGroup,
	"setmessagereaction":     (*Server).setMessageReaction,
	"getfile":                (*Server).getFile,
	"getchat":                (*Server).getChat,
	"getchatmember":          (*Server).getChatMember,
	"getchatadministrators":  (*Server).getChatAdministrators,
	"getchatmembercount":     (*Server).getChatMemberCount,
	"leavechat":              (*Server).leaveChat,
	"setmycommands":          (*Server).setMyCommands,
	"getmycommands":          (*Server).getMyCommands,
	"deletemycommands":       (*Server).deleteMyCommands,
	"answercallbackquery":    (*Server).answerCallbackQuery,
	"createforumtopic":       (*Server).createForumTopic,
	"editforumtopic":         (*Server).editForumTopic,
	"closeforumtopic":        (*Server).closeForumTopic,
	"reopenforumtopic":       (*Server).reopenForumTopic,
	"deleteforumtopic":       (*Server).deleteForumTopic,
}

func (s *Server) method(name string) (method, bool) {
	name = strings.ToLower(name)
	switch {
	case name == "sendmessagedraft" && !s.opts.NoDrafts:
		return (*Server).sendMessageDraft, true
	case name == "sendrichmessage" && s.opts.RichMessages:
		return (*Server).sendRichMessage, true
	case name == "sendrichmessagedraft" && s.opts.RichMessages:
		return (*Server).sendRichMessageDraft, true
	}
	m, ok := methods[name]
	return m, ok
}

func (s *Server) getMe(context.Context, *params) (any, error) {
	return map[string]any{
		"id": s.me.ID, "is_bot": true, "first_name": s.me.FirstName, "username": s.me.Username,
		"can_join_groups": true, "can_read_all_group_messages": s.opts.PrivacyOff, "supports_inline_queries": false,
		"can_connect_to_business": false, "has_main_web_app": false, "has_topics_enabled": s.opts.PrivateTopics,
		"allows_users_to_create_topics": s.opts.PrivateTopics,
	}, nil
}

// logOut ends the use of this server: https://core.telegram.org/bots/api#logout.
func (s *Server) logOut(context.Context, *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loggedOut = true
	return true, nil
}

// closeBot is close; a bot is free to call the server again afterwards.
func (s *Server) closeBot(context.Context, *params) (any, error) { return true, nil }

type botCommand struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

var (
	commandForm   = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)
	commandScopes = []string{
		"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat", "chat_administrators", "chat_member",
	}
)

// maxCommandScopes bounds how many scopes and languages are kept.
const maxCommandScopes = 1000

// commandScope makes a key of scope and language.
func commandScope(p *params) (string, error) {
	var scope struct {
		Type   string          `json:"type"`
		ChatID json.RawMessage `json:"chat_id"`
		UserID int64           `json:"user_id"`
	}
	given, err := p.object("scope", &scope)
	if err != nil {
		return "", wrong("can't parse BotCommandScope: JSON object expected")
	}
	if !given {
		scope.Type = "default"
	}
	if !slices.Contains(commandScopes, scope.Type) {
		return "", wrong("can't parse BotCommandScope: Unsupported type specified")
	}
	return strings.Join([]string{scope.Type, string(scope.ChatID), formatID(scope.UserID), p.str("language_code")}, "|"), nil
}

func (s *Server) setMyCommands(_ context.Context, p *params) (any, error) {
	key, err := commandScope(p)
	if err != nil {
		return nil, err
	}
	var list []botCommand
	if _, err := p.list("commands", &list); err != nil {
		return nil, err
	}
	if len(list) > 100 {
		return nil, wrong("BOT_COMMANDS_TOO_MUCH")
	}
	for i, c := range list {
		list[i].Command = strings.TrimPrefix(c.Command, "/")
		if !commandForm.MatchString(list[i].Command) {
			return nil, wrong("BOT_COMMAND_INVALID")
		}
		if n := len([]rune(c.Description)); n < 1 || n > 256 {
			return nil, wrong("BOT_COMMAND_DESCRIPTION_INVALID")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.commands[key]; !there && len(s.commands) >= maxCommandScopes {
		return nil, bad("too many command scopes")
	}
	s.commands[key] = list
	return true, nil
}

func (s *Server) getMyCommands(_ context.Context, p *params) (any, error) {
	key, err := commandScope(p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]botCommand{}, s.commands[key]...), nil
}

func (s *Server) deleteMyCommands(_ context.Context, p *params) (any, error) {
	key, err := commandScope(p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.commands, key)
	return true, nil
}

// press is one press of an inline button.
type press struct {
	at       time.Time
	answered bool
	text     string
	alert    bool
}

// callbackLife is how long a press can be answered; the documentation names no time, the server's queue keeps it 150 s.
const callbackLife = 150 * time.Second

func (s *Server) answerCallbackQuery(_ context.Context, p *params) (any, error) {
	if len([]rune(p.str("text"))) > 200 {
		return nil, wrong("MESSAGE_TOO_LONG")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.buttons[p.str("callback_query_id")]
	if q == nil || time.Since(q.at) > callbackLife {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	q.answered, q.text, q.alert = true, p.str("text"), p.bool("show_alert")
	s.changed.Notify()
	return true, nil
}
