package discord

import (
	"net/http"
	"strings"
	"sync"
)

// routes are the endpoints that the stand-in knows, in the order they are tried: fixed segments stand before
// parameters.
var routes = sync.OnceValue(buildRoutes)

func buildRoutes() []route {
	const (
		get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete

		msgs     = "channels/{channel}/messages"
		msg      = msgs + "/{message}"
		react    = msg + "/reactions/{emoji}"
		hook     = "webhooks/{app}/{token}"
		original = hook + "/messages/{message}"
		global   = "applications/{app}/commands"
		scoped   = "applications/{app}/guilds/{guild}/commands"
	)
	rt := func(method, path string, l limit, major string, h func(*call) (int, any, error)) route {
		return route{method: method, parts: strings.Split(path, "/"), limit: l, major: major, handle: h}
	}
	open := func(r route) route { r.open = true; return r }
	inter := func(r route) route { r.interaction = true; return r }
	return []route{
		open(rt(get, "gateway", limit{}, "", getGateway)),
		rt(get, "gateway/bot", limitRead, "", getGatewayBot),

		rt(get, "users/@me", limitRead, "", getMe),
		rt(get, "users/@me/guilds", limitRead, "", getMyGuilds),
		rt(post, "users/@me/channels", limitDM, "", createDM),
		rt(get, "users/{user}", limitRead, "", getUser),
		rt(get, "applications/@me", limitRead, "", getApplication),
		rt(get, "oauth2/applications/@me", limitRead, "", getApplication),

		rt(get, "guilds/{guild}", limitRead, "guild", getGuild),
		rt(get, "guilds/{guild}/channels", limitRead, "guild", getGuildChannels),
		rt(get, "guilds/{guild}/roles", limitRead, "guild", getRoles),
		rt(get, "guilds/{guild}/members", limitRead, "guild", getMembers),
		rt(get, "guilds/{guild}/members/search", limitRead, "guild", searchMembers),
		rt(get, "guilds/{guild}/members/{user}", limitRead, "guild", getMember),
		rt(get, "guilds/{guild}/threads/active", limitRead, "guild", getActiveThreads),

		rt(get, "channels/{channel}", limitRead, "channel", getChannel),
		rt(patch, "channels/{channel}", limitChannel, "channel", patchChannel),
		rt(del, "channels/{channel}", limitChannel, "channel", deleteChannel),
		rt(post, "channels/{channel}/typing", limitTyping, "channel", postTyping),
		rt(post, "channels/{channel}/threads", limitThreads, "channel", startThread),
		rt(get, "channels/{channel}/threads/archived/public", limitRead, "channel", getArchivedThreads),
		rt(get, "channels/{channel}/thread-members", limitRead, "channel", getThreadMembers),
		rt(put, "channels/{channel}/thread-members/{user}", limitReactions, "channel", putThreadMember),
		rt(del, "channels/{channel}/thread-members/{user}", limitReactions, "channel", deleteThreadMember),

		rt(get, msgs, limitHistory, "channel", getMessages),
		rt(post, msgs, limitPost, "channel", postMessage),
		rt(post, msgs+"/bulk-delete", limitBulk, "channel", bulkDelete),
		rt(get, msg, limitMessage, "channel", getMessage),
		rt(patch, msg, limitEdit, "channel", patchMessage),
		rt(del, msg, limitDelete, "channel", deleteMessage),
		rt(post, msg+"/threads", limitThreads, "channel", startThreadFromMessage),

		rt(get, react, limitReactions, "channel", getReactions),
		rt(del, react, limitReactions, "channel", deleteEmojiReactions),
		rt(del, msg+"/reactions", limitReactions, "channel", deleteAllReactions),
		rt(put, react+"/{user}", limitReactions, "channel", putReaction),
		rt(del, react+"/{user}", limitReactions, "channel", deleteReaction),

		rt(get, global, limitCommands, "", getCommands),
		rt(put, global, limitCommands, "", putCommands),
		rt(post, global, limitCommands, "", postCommand),
		rt(del, global+"/{command}", limitCommands, "", deleteCommand),
		rt(get, scoped, limitCommands, "guild", getCommands),
		rt(put, scoped, limitCommands, "guild", putCommands),
		rt(post, scoped, limitCommands, "guild", postCommand),
		rt(del, scoped+"/{command}", limitCommands, "guild", deleteCommand),

		inter(rt(post, "interactions/{interaction}/{token}/callback", limit{}, "", interactionCallback)),
		inter(rt(post, hook, limitWebhook, "token", createFollowup)),
		inter(rt(get, original, limitWebhook, "token", getFollowup)),
		inter(rt(patch, original, limitWebhook, "token", editFollowup)),
		inter(rt(del, original, limitWebhook, "token", deleteFollowup)),
	}
}
