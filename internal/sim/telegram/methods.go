package telegram

import (
	"context"
	"strings"
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
