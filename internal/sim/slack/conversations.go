package slack

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// scopeFor checks the scope that a method needs for this kind of room: "channels:history", "im:read" and so on.
func (c *call) scopeFor(ch *channel, what string) *apiError {
	family := map[string]string{"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}[ch.kind]
	need := family + ":" + what
	if slices.Contains(c.s.opt.Scopes, need) {
		return nil
	}
	return missingScope([]string{need}, c.s.opt.Scopes)
}

// room finds the channel argument for reading. A private room without the bot does not exist for it.
func (c *call) room(what string, member bool) (*channel, *apiError) {
	ch := c.s.byID[c.str("channel")]
	if c.str("channel") == "" {
		return nil, refuse("invalid_arguments").broken().say("[ERROR] missing required field: channel")
	}
	if ch == nil || (ch.kind != "channel" && !ch.has(c.s.opt.BotUserID)) {
		return nil, refuse("channel_not_found")
	}
	if fail := c.scopeFor(ch, what); fail != nil {
		return nil, fail
	}
	if member && !ch.has(c.s.opt.BotUserID) {
		return nil, refuse("not_in_channel")
	}
	return ch, nil
}

// page cuts a list by the limit and cursor arguments; the cursor is opaque to the caller.
// Source: https://docs.slack.dev/apis/web-api/pagination
func page[T any](c *call, all []T, usual, most int) ([]T, string, *apiError) {
	from := 0
	if cursor := c.str("cursor"); cursor != "" {
		raw, err := base64.StdEncoding.DecodeString(cursor)
		at, ok := strings.CutPrefix(string(raw), "next:")
		n, err2 := strconv.Atoi(at)
		if err != nil || err2 != nil || !ok || n < 0 {
			return nil, "", refuse("invalid_cursor").broken()
		}
		from = n
	}
	limit := c.int("limit", usual)
	if limit <= 0 {
		limit = usual
	}
	if limit > most {
		return nil, "", refuse("invalid_limit").broken()
	}
	from = min(from, len(all))
	to := min(from+limit, len(all))
	if to == len(all) {
		return all[from:to], "", nil
	}
	return all[from:to], base64.StdEncoding.EncodeToString([]byte("next:" + strconv.Itoa(to))), nil
}

func conversationsInfo(c *call) (object, *apiError) {
	ch, fail := c.room("read", false)
	if fail != nil {
		return nil, fail
	}
	return object{"channel": c.s.channelLocked(ch)}, nil
}

func conversationsList(c *call) (object, *apiError) {
	types := c.list("types")
	if len(types) == 0 {
		types = []string{"public_channel"}
	}
	kinds := map[string]string{"public_channel": "channel", "private_channel": "group", "mpim": "mpim", "im": "im"}
	for _, t := range types {
		kind, ok := kinds[strings.TrimSpace(t)]
		if !ok {
			return nil, refuse("invalid_types").broken()
		}
		if fail := c.scopeFor(&channel{kind: kind}, "read"); fail != nil {
			return nil, fail
		}
	}
	var all []object
	for _, ch := range c.s.channels {
		wanted := slices.ContainsFunc(types, func(t string) bool { return kinds[strings.TrimSpace(t)] == ch.kind })
		if !wanted || (ch.archived && c.bool("exclude_archived")) ||
			(ch.kind != "channel" && !ch.has(c.s.opt.BotUserID)) {
			continue
		}
		all = append(all, c.s.channelLocked(ch))
	}
	part, next, fail := page(c, all, 100, 1000)
	if fail != nil {
		return nil, fail
	}
	return object{"channels": append([]object{}, part...), "response_metadata": object{"next_cursor": next}}, nil
}

func conversationsMembers(c *call) (object, *apiError) {
	ch, fail := c.room("read", false)
	if fail != nil {
		return nil, fail
	}
	part, next, fail := page(c, ch.members, 100, 1000)
	if fail != nil {
		return nil, fail
	}
	return object{"members": append([]string{}, part...), "response_metadata": object{"next_cursor": next}}, nil
}

// between keeps messages by the oldest, latest and inclusive arguments.
func (c *call) between(ts string) bool {
	oldest, latest, inclusive := c.str("oldest"), c.str("latest"), c.bool("inclusive")
	if oldest != "" && (tsLess(ts, oldest) || (!inclusive && !tsLess(oldest, ts))) {
		return false
	}
	if latest != "" && (tsLess(latest, ts) || (!inclusive && !tsLess(ts, latest))) {
		return false
	}
	return true
}

// conversationsHistory lists a channel's messages without the replies of threads, newest first.
// Source: https://docs.slack.dev/reference/methods/conversations.history
func conversationsHistory(c *call) (object, *apiError) {
	ch, fail := c.room("history", true)
	if fail != nil {
		return nil, fail
	}
	var all []*message
	for _, m := range slices.Backward(ch.messages) {
		if (m.thread == "" || m.broadcast) && c.between(m.ts) {
			all = append(all, m)
		}
	}
	return c.messages(ch, all, 100)
}

// conversationsReplies lists a thread, its parent first.
// Source: https://docs.slack.dev/reference/methods/conversations.replies
func conversationsReplies(c *call) (object, *apiError) {
	ch, fail := c.room("history", true)
	if fail != nil {
		return nil, fail
	}
	ts := c.str("ts")
	parent := ch.byTS[ts]
	if parent == nil {
		return nil, refuse("thread_not_found")
	}
	if parent.thread != "" { // a reply's ts gives that message alone
		return c.messages(ch, []*message{parent}, 1000)
	}
	all := []*message{parent}
	for _, reply := range parent.replies {
		if m := ch.byTS[reply]; m != nil && c.between(m.ts) {
			all = append(all, m)
		}
	}
	return c.messages(ch, all, 1000)
}

func (c *call) messages(ch *channel, all []*message, usual int) (object, *apiError) {
	part, next, fail := page(c, all, usual, 1000)
	if fail != nil {
		return nil, fail
	}
	out := make([]object, 0, len(part))
	for _, m := range part {
		out = append(out, c.s.messageLocked(ch, m, c.bool("include_all_metadata")))
	}
	return object{
		"messages": out, "has_more": next != "", "pin_count": 0, "response_metadata": object{"next_cursor": next},
	}, nil
}

// conversationsOpen opens a direct chat with one person, or a group chat with several.
// Source: https://docs.slack.dev/reference/methods/conversations.open
func conversationsOpen(c *call) (object, *apiError) {
	s := c.s
	if id := c.str("channel"); id != "" {
		ch := s.byID[id]
		if ch == nil || (ch.kind != "im" && ch.kind != "mpim") {
			return nil, refuse("channel_not_found")
		}
		return object{"no_op": true, "already_open": true, "channel": s.channelLocked(ch)}, nil
	}
	users := c.list("users")
	for _, u := range users {
		if _, ok := s.userLocked(u); !ok {
			return nil, refuse("user_not_found")
		}
	}
	switch {
	case len(users) == 0:
		return nil, refuse("users_list_not_supplied").broken()
	case len(users) > 8:
		return nil, refuse("too_many_users").broken()
	case len(users) == 1:
		if fail := c.scopeFor(&channel{kind: "im"}, "write"); fail != nil {
			return nil, fail
		}
		return object{"no_op": true, "already_open": true, "channel": c.opened(s.byID[DM(users[0])])}, nil
	}
	if fail := c.scopeFor(&channel{kind: "mpim"}, "write"); fail != nil {
		return nil, fail
	}
	members := append(slices.Sorted(slices.Values(users)), s.opt.BotUserID)
	for _, ch := range s.channels {
		if ch.kind == "mpim" && slices.Equal(ch.members, members) {
			return object{"no_op": true, "already_open": true, "channel": c.opened(ch)}, nil
		}
	}
	ch := &channel{id: s.newIDLocked("C"), name: "mpdm-" + strings.ToLower(strings.Join(members, "--")) + "-1", kind: "mpim", members: members}
	if err := s.addChannelLocked(ch); err != nil {
		return nil, refuse("internal_error").because(err.Error())
	}
	return object{"channel": c.opened(ch)}, nil
}

// opened is the short form unless return_im asks for the whole one.
func (c *call) opened(ch *channel) object {
	if c.bool("return_im") {
		return c.s.channelLocked(ch)
	}
	return object{"id": ch.id}
}
