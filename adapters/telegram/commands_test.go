package telegram_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

var someCommands = []core.CommandInfo{
	{Name: "new", Does: "start a new conversation", In: map[string]string{"vi": "bắt đầu cuộc trò chuyện mới"}},
	{Name: "rename", Does: "name the conversation", Arg: "name", In: map[string]string{"vi": "đặt tên", "vie": "no code of two letters"}},
	{Name: "weather", Does: "tell the weather"},
}

// TestSetCommands: everybody is offered the commands in the bot's language, and those whose language there is in theirs.
func TestSetCommands(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	// Somebody has made a list for one chat with @BotFather, or with another program.
	own := map[string]any{"commands": []map[string]string{{"command": "lunch", "description": "order lunch"}}, "scope": map[string]any{"type": "chat", "chat_id": simtelegram.Group}}
	if err := telegram.Call(t.Context(), p, "setMyCommands", own, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same again does no harm
		if err := p.SetCommands(t.Context(), someCommands); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ name, room, user, language, want string }{
		{"the bot's language", simtelegram.Anna, simtelegram.Anna, "", "new: start a new conversation|rename: name the conversation|weather: tell the weather"},
		{"a further language", simtelegram.Minh, simtelegram.Minh, "", "new: bắt đầu cuộc trò chuyện mới|rename: đặt tên|weather: tell the weather"},
		{"a language that there is not", simtelegram.Anna, simtelegram.Anna, "de", "new: start a new conversation|rename: name the conversation|weather: tell the weather"},
		{"a topic group", simtelegram.Forum, simtelegram.Minh, "", "new: bắt đầu cuộc trò chuyện mới|rename: đặt tên|weather: tell the weather"},
		{"a chat with its own list", simtelegram.Group, simtelegram.Minh, "", "lunch: order lunch"},
	}
	for _, tt := range tests {
		var got []string
		for _, c := range s.Menu(tt.room, tt.user, tt.language) {
			got = append(got, c.Command+": "+c.Description)
		}
		if strings.Join(got, "|") != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	if n := s.CommandLists(); n != 3 {
		t.Errorf("%d lists", n)
	}
	long := []core.CommandInfo{{Name: "long", Does: strings.Repeat("đ", 300)}}
	if err := p.SetCommands(t.Context(), long); err != nil {
		t.Errorf("a long description: %v", err)
	}
	if err := p.SetCommands(t.Context(), nil); err != nil || len(s.Menu(simtelegram.Anna, simtelegram.Anna, "")) != 0 {
		t.Errorf("no commands: %v", err)
	}
}

func TestSetCommandsFails(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	many := make([]core.CommandInfo, 0, 101)
	for i := range 101 {
		many = append(many, core.CommandInfo{Name: "c" + strings.Repeat("x", i%20) + string(rune('a'+i/20)), Does: "x"})
	}
	for name, list := range map[string][]core.CommandInfo{
		"upper case": {{Name: "New", Does: "x"}}, "slash": {{Name: "/new", Does: "x"}}, "no name": {{Does: "x"}},
		"no description": {{Name: "new", Does: " "}}, "long name": {{Name: strings.Repeat("a", 33), Does: "x"}}, "too many": many,
	} {
		if err := p.SetCommands(t.Context(), list); core.ClassOf(err) != core.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := s.Calls("setMyCommands"); n != 0 {
		t.Errorf("%d calls with what cannot be right", n)
	}
	s.Faults().Add(simtelegram.TooManyRequests("setMyCommands", 7, 1))
	if err := p.SetCommands(t.Context(), someCommands); core.ClassOf(err) != core.RateLimited || core.RetryAfterOf(err).Seconds() != 7 {
		t.Errorf("429: %v", err)
	}
	s.Faults().Add(sim.Fault{Match: "setMyCommands", Times: 1, Status: http.StatusBadGateway, Body: "<html>"})
	if err := p.SetCommands(t.Context(), someCommands); core.ClassOf(err) != core.Transient {
		t.Errorf("502: %v", err)
	}
}

// TestCommands: what people choose from the menu or type arrives as a command, and what is no command as a message.
func TestCommands(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{PrivacyOff: true})
	clean(t, s)
	own := post(t, p, core.Place{Room: simtelegram.Group}, "hello")
	type want struct {
		kind       core.Kind
		reach      core.Reach
		name, args string
		text       string
	}
	private := func(text string) sim.Say {
		return sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: text}
	}
	group := func(text string) sim.Say {
		return sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: text}
	}
	n := 0
	expect := func(name string, said sim.Say, w want) {
		t.Helper()
		m := say(t, s, said)
		n++
		ev := h.event(t, "", n)
		got := want{kind: ev.Kind, reach: ev.Reach, text: ev.Text}
		if ev.Command != nil {
			got.name, got.args = ev.Command.Name, ev.Command.Args
		}
		if got != w || ev.Key != "m:"+said.Room+":"+m.ID || ev.MessageID != m.ID || ev.Thread != said.Thread || ev.ReplyTo != said.ReplyTo ||
			ev.Sender.ID != said.User || ev.Handle != "" || ev.SentAt.IsZero() {
			t.Errorf("%s: got %+v, want %+v of %s", name, got, w, asJSON(t, ev))
		}
	}
	expect("usual", private("/new"), want{kind: core.KindCommand, reach: core.ReachDirect, name: "new"})
	expect("with words behind it", private("/rename  My trip 🏝"), want{kind: core.KindCommand, reach: core.ReachDirect, name: "rename", args: "My trip 🏝"})
	expect("with a line behind it", private("/Rename\nHuế"), want{kind: core.KindCommand, reach: core.ReachDirect, name: "rename", args: "Huế"})
	expect("unknown", private("/weather Hanoi"), want{kind: core.KindMessage, reach: core.ReachDirect, text: "/weather Hanoi"})
	expect("not at the beginning", private("what is /new?"), want{kind: core.KindMessage, reach: core.ReachDirect, text: "what is /new?"})
	expect("opened", private("/start"), want{kind: core.KindOpened, reach: core.ReachDirect})
	expect("opened with a parameter", private("/start ref_42"), want{kind: core.KindOpened, reach: core.ReachDirect})
	expect("group", group("/status"), want{kind: core.KindCommand, reach: core.ReachMention, name: "status"})
	expect("from the menu of a group", group(s.CommandText(simtelegram.Group, "stop")), want{kind: core.KindCommand, reach: core.ReachMention, name: "stop"})
	expect("mention first", group("@acme_support_bot /history"), want{kind: core.KindCommand, reach: core.ReachMention, name: "history"})
	expect("start in a group", group("/start@acme_support_bot x"), want{kind: core.KindMessage, reach: core.ReachMention})

	toBot := group("/retry")
	toBot.ReplyTo = own.ID
	expect("in reply to the bot", toBot, want{kind: core.KindCommand, reach: core.ReachMention, name: "retry"})
	other := group("/new@other_bot")
	other.ReplyTo = own.ID
	expect("for another in reply to the bot", other, want{kind: core.KindMessage, reach: core.ReachReply, text: "/new@other_bot"})
	say(t, s, group("/new@other_bot"))
	topic := sim.Say{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling, User: simtelegram.Tom, Text: "/new"}
	expect("topic, and one for another bot before it", topic, want{kind: core.KindCommand, reach: core.ReachMention, name: "new"})

	if err := p.SetCommands(t.Context(), someCommands); err != nil {
		t.Fatal(err)
	}
	expect("one of those that are set", private("/weather Hanoi"), want{kind: core.KindCommand, reach: core.ReachDirect, name: "weather", args: "Hanoi"})
	expect("a usual one that is not", private("/status"), want{kind: core.KindMessage, reach: core.ReachDirect, text: "/status"})
	expect("opened as ever", private("/start"), want{kind: core.KindOpened, reach: core.ReachDirect})
}

// TestEditedCommands: a command is given when it is sent. Editing one, or making one of a question, changes nothing.
func TestEditedCommands(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	clean(t, s)
	command, question := ask(t, s, "/new"), ask(t, s, "how are you?")
	h.event(t, "", 2)
	edit := func(m sim.Message, text string) {
		t.Helper()
		if err := s.Edit(t.Context(), m.Ref, simtelegram.Minh, text); err != nil {
			t.Fatal(err)
		}
	}
	edit(command, "/stop")
	edit(question, "/start")
	edit(question, "/delete")
	edit(question, "how is it?")
	if ev := h.event(t, "", 3); ev.Kind != core.KindEdit || ev.Text != "how is it?" {
		t.Errorf("event = %s", asJSON(t, ev))
	}
}
