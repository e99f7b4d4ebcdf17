package core

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// NewConvKey names the conversation of an app in a place, or of one person in it when user is not "". Its form is
// bot/app/room[/thread][/@user] with each element escaped as in a URL path. It is stored and never changes.
func NewConvKey(bot, app string, p Place, user string) ConvKey {
	parts := []string{url.PathEscape(bot), url.PathEscape(app), url.PathEscape(p.Room)}
	if p.Thread != "" {
		parts = append(parts, url.PathEscape(p.Thread))
	}
	if user != "" {
		parts = append(parts, "@"+url.PathEscape(user))
	}
	return ConvKey(strings.Join(parts, "/"))
}

// Bot is the name of the bot that the conversation belongs to.
func (k ConvKey) Bot() string {
	first, _, _ := strings.Cut(string(k), "/")
	name, err := url.PathUnescape(first)
	if err != nil {
		return first
	}
	return name
}

// Decision says whether a message is answered, where and by which app, and which rule said so.
type Decision struct {
	Answer bool
	Why    string // the rule, for `bridge explain` and the log: "mention", "deny.users", …
	Denied bool   // by allow or deny, rather than by not being meant
	App    string
	Conv   ConvKey
	At     Place
	Opens  bool // the thread of At is yet to be opened from the message
	Marks  bool // the message is a question that roots the thread of At
}

// Decide judges a message by a bot's settings. mark is what is known of the thread that it stands in.
func Decide(s *BotSettings, ev *Event, mark ThreadMark) Decision {
	if why, ok := allowed(s, ev); !ok {
		return Decision{Why: why, Denied: true}
	}
	why, ok := meant(s, ev, mark)
	if !ok {
		return Decision{Why: why}
	}
	d := Decision{Answer: true, Why: why, App: s.App, At: ev.Place()}
	for _, r := range s.Routes {
		if slices.ContainsFunc(r.Rooms, func(p string) bool { return matchesRoom(p, ev.Room) }) {
			d.App = r.App
			break
		}
	}
	roots := ev.Roots
	if roots == "" && ev.Thread == ev.MessageID {
		roots = ev.Thread // the first message of a thread stands in it
	}
	if !ev.Room.Direct && roots != "" {
		d.Marks = ev.Thread == "" || ev.Thread == roots
		if ev.Thread == "" && s.OpenThread {
			d.At.Thread, d.Opens = roots, true
		}
	}
	scope, user := d.At, ""
	switch s.Conversation {
	case "room":
		scope.Thread = ""
	case "user":
		user = ev.Sender.ID
	}
	d.Conv = NewConvKey(s.Name, d.App, scope, user)
	return d
}

// meant tells whether the message is for the bot, as `respond` has it.
func meant(s *BotSettings, ev *Event, mark ThreadMark) (string, bool) {
	if ev.Reach == ReachDirect || ev.Room.Direct {
		return "direct", true
	}
	if s.Respond == "direct" {
		return "respond: direct", false
	}
	switch {
	case ev.Reach == ReachMention || ev.Reach == ReachReply:
		return string(ev.Reach), true
	case ev.Thread != "" && mark.Opened:
		return "thread of a question", true
	case ev.Thread != "" && mark.Answered && s.Respond == "thread":
		return "respond: thread", true
	case s.Respond == "all":
		return "respond: all", true
	}
	return "not mentioned", false
}

// allowed applies deny, then allow. An allow list of rooms holds for direct chats too: they are rooms that it does not name.
func allowed(s *BotSettings, ev *Event) (string, bool) {
	inRoom := func(p string) bool { return matchesRoom(p, ev.Room) }
	isUser := func(p string) bool { return matchesUser(p, ev.Sender) }
	switch {
	case slices.ContainsFunc(s.Deny.Users, isUser):
		return "deny.users", false
	case slices.ContainsFunc(s.Deny.Rooms, inRoom):
		return "deny.rooms", false
	case len(s.Allow.Users) > 0 && !slices.ContainsFunc(s.Allow.Users, isUser):
		return "allow.users", false
	case len(s.Allow.Rooms) > 0 && !slices.ContainsFunc(s.Allow.Rooms, inRoom):
		return "allow.rooms", false
	}
	return "", true
}

// matchesRoom compares ids exactly and names without case. What looks like an id is compared with no name, so that nobody gets
// in by naming a room after another's id. A direct chat has no name but the display name of the person, who is free to choose it.
func matchesRoom(pattern string, r Room) bool {
	if pattern == r.ID || r.Also.has(pattern) || r.Space != "" && pattern == r.Space {
		return true
	}
	return r.Name != "" && !r.Direct && !isID(pattern) && strings.EqualFold(strings.TrimLeft(pattern, "#@"), strings.TrimLeft(r.Name, "#@"))
}

// matchesUser compares ids and the unique handle. Display names are free to choose, so they let nobody in.
func matchesUser(pattern string, u User) bool {
	if pattern == u.ID || pattern == u.Key || u.Also.has(pattern) {
		return true
	}
	return u.Handle != "" && !isID(pattern) && strings.EqualFold(strings.TrimPrefix(pattern, "@"), strings.TrimPrefix(u.Handle, "@"))
}

// isID tells whether a pattern can only be meant as an id: 15 digits or more (Discord,
// https://docs.discord.com/developers/reference#snowflakes), a negative number (a Telegram group), or 8 or more capital letters
// and digits (Slack). A name that looks like one is written with # or @.
func isID(pattern string) bool {
	digits, capitals := 0, 0
	rest, negative := strings.CutPrefix(pattern, "-")
	for _, c := range []byte(rest) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			capitals++
		default:
			return false
		}
	}
	switch {
	case capitals == 0:
		return digits >= 15 || negative && digits >= 5
	case negative || rest[0] <= '9':
		return false
	}
	return digits > 0 && digits+capitals >= 8
}

// tooOld tells whether a message is from before the bot's first start, or from further back than is caught up.
// skew forgives a platform's clock that is a little behind.
func tooOld(sent, now, firstStart, processStart time.Time, catchUp time.Duration) bool {
	const skew = 5 * time.Second
	if sent.IsZero() {
		return false
	}
	if sent.Before(firstStart.Add(-skew)) {
		return true
	}
	if catchUp == 0 {
		return sent.Before(processStart.Add(-skew))
	}
	return now.Sub(sent) > catchUp
}
