package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
	"github.com/clickai/bridge/store"
)

// asked is the message that explain judges.
type asked struct {
	bot, room, roomName, space, user, userName, text, thread string
	direct, reply, mention                                   bool
}

func (p *program) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain --bot NAME --room ROOM --user USER --text TEXT",
		Short: "Say whether a message would be answered, where, by which app, and which rule says so",
		Long: "Say whether a message would be answered, where, by which app, and which rule of the configuration says so. No service\n" +
			"is asked. ROOM and USER are ids, or names written #room and @user; where the rules use the other form, add --room-name\n" +
			"or --user-name. The text mentions the bot when it holds @ and the bot's name in the configuration.",
		Example: "  bridge explain --bot acme-slack --room C024BE91L --user U0123ABCD --text \"@acme-slack what does the warranty cover?\"",
		Args:    noArgs,
	}
	path := p.configFlag(cmd)
	var a asked
	flags := cmd.Flags()
	flags.StringVar(&a.bot, "bot", "", "`name` of the bot in the configuration")
	flags.StringVar(&a.room, "room", "", "`room` where the message stands: its id, or #name")
	flags.StringVar(&a.user, "user", "", "`user` who wrote it: the id, or @name")
	flags.StringVar(&a.text, "text", "", "`text` of the message")
	flags.StringVar(&a.thread, "thread", "", "`id` of the thread or topic that it stands in")
	flags.StringVar(&a.roomName, "room-name", "", "`name` of the room, besides its id")
	flags.StringVar(&a.userName, "user-name", "", "unique `name` of the user, besides the id")
	flags.StringVar(&a.space, "space", "", "`id` of the workspace or server that the room belongs to")
	flags.BoolVar(&a.direct, "direct", false, "it stands in a direct chat with the bot")
	flags.BoolVar(&a.reply, "reply", false, "it replies to a message of the bot")
	flags.BoolVar(&a.mention, "mention", false, "it mentions the bot, whatever the text says")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, need := range []struct{ flag, value string }{{"bot", a.bot}, {"room", a.room}, {"user", a.user}} {
			if need.value == "" {
				return usageError{fmt.Errorf("--%s is needed", need.flag)}
			}
		}
		if !flags.Changed("text") {
			return usageError{errors.New("--text is needed; it may be empty for a message of files alone")}
		}
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		names := botNames(c)
		i := slices.Index(names, a.bot)
		if i < 0 {
			return noBot(a.bot, names)
		}
		e := explain(cmd.Context(), &a, &c.Bots[i], i, c.Store.Path)
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), e)
		}
		e.print(cmd.OutOrStdout())
		return nil
	}
	return cmd
}

// explanation is what explain says.
type explanation struct {
	Answer       bool     `json:"answer"`
	Denied       bool     `json:"denied"`                // by allow or deny: a direct chat gets one line, a room silence
	Rule         string   `json:"rule"`                  // the key of the configuration, and its value
	Because      string   `json:"because"`               // the rule in a sentence
	App          string   `json:"app,omitempty"`         //
	AppRule      string   `json:"app_rule,omitempty"`    // the key that names the app
	Where        string   `json:"where,omitempty"`       //
	Place        place    `json:"place,omitzero"`        //
	Conversation string   `json:"conversation,omitzero"` // its key
	Scope        string   `json:"scope,omitempty"`       // the key that says what shares it
	Notes        []string `json:"notes"`                 // what was assumed
}

type place struct {
	Room   string `json:"room"`
	Thread string `json:"thread,omitempty"`
}

// newMessage stands for the id that the platform will give the message.
const newMessage = "MESSAGE"

// explain judges a message by the very rules of a running bridge. index is the bot's in the configuration.
func explain(ctx context.Context, a *asked, b *config.Bot, index int, storePath string) *explanation {
	e := &explanation{Notes: []string{}}
	ev := a.event(b)
	mark := e.mark(ctx, &ev, b.Name, storePath)
	d := core.Decide(&b.BotSettings, &ev, mark)
	e.Answer, e.Denied = d.Answer, d.Denied
	path := fmt.Sprintf("bots[%d]", index)
	e.Rule, e.Because = ruleOf(&b.BotSettings, &ev, d)
	e.names(&b.BotSettings, a)
	if word, _, _ := strings.Cut(a.text, " "); len(word) > 1 && word[0] == '!' {
		e.note("A command like !help is carried out by the bridge itself and asks no app, for those whom allow and deny let in.")
	}
	if !d.Answer {
		return e
	}
	e.App, e.AppRule = d.App, path+".app"
	if i := routeOf(&b.BotSettings, &ev, mark); i >= 0 {
		e.AppRule = fmt.Sprintf("%s.routes[%d]", path, i)
	}
	e.Place, e.Where = place{d.At.Room, d.At.Thread}, whereOf(&ev, d, b)
	e.Conversation, e.Scope = string(d.Conv), "conversation: "+b.Conversation
	if strings.Contains(e.Conversation, newMessage) {
		e.note(newMessage + " stands for the id that the platform gives the message.")
	}
	return e
}

func (e *explanation) note(text string) { e.Notes = append(e.Notes, text) }

// event is the message as an adapter would pass it on.
func (a *asked) event(b *config.Bot) core.Event {
	ev := core.Event{
		Key: "explain", Kind: core.KindMessage, Reach: core.ReachAmbient, Bot: b.Name, Platform: b.Platform, MessageID: newMessage, Text: a.text,
		Room:   core.Room{ID: a.room, Name: cmp.Or(a.roomName, strings.TrimLeft(a.room, "#@")), Space: a.space, Direct: a.direct},
		Sender: core.User{ID: a.user, Handle: cmp.Or(a.userName, strings.TrimPrefix(a.user, "@"))},
		Thread: a.thread,
	}
	ev.Sender.Key = b.Platform + ":" + a.user
	switch {
	case a.direct:
		ev.Reach = core.ReachDirect
	case a.mention || mentions(a.text, b.Name):
		ev.Reach = core.ReachMention
	case a.reply:
		ev.Reach = core.ReachReply
	}
	for _, k := range platforms() {
		if k.Name == b.Platform && k.Threads && !a.direct && a.thread == "" {
			ev.Roots = newMessage
		}
	}
	return ev
}

// mentions tells whether a text names @name, and not a longer name.
func mentions(text, name string) bool {
	text, name = strings.ToLower(text), "@"+strings.ToLower(name)
	for {
		i := strings.Index(text, name)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(name):])
		if !isWordRune(before) && !isWordRune(after) {
			return true
		}
		text = text[i+len(name):]
	}
}

func isWordRune(r rune) bool {
	return r == '-' || r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// mark is what the store knows of the thread. It only matters for a message in one.
func (e *explanation) mark(ctx context.Context, ev *core.Event, bot, storePath string) core.ThreadMark {
	if ev.Thread == "" || ev.Reach != core.ReachAmbient {
		return core.ThreadMark{}
	}
	m, err := store.ReadThread(ctx, storePath, bot, ev.Place())
	switch {
	case errors.Is(err, store.ErrInUse):
		e.note("The store is in use by a running bridge: it was assumed that the bot has not been asked in this thread.")
	case err != nil:
		e.note("The store could not be read (" + err.Error() + "): it was assumed that the bot has not been asked in this thread.")
	case m.Opened:
		e.note("The store says that a question to the bot opened this thread.")
	case m.Answered:
		e.note("The store says that the bot has been asked in this thread.")
	default:
		e.note("The store does not know this thread: the bot has not been asked in it.")
	}
	return m
}

// ruleOf names the key that decided, and says it in a sentence.
func ruleOf(s *core.BotSettings, ev *core.Event, d core.Decision) (rule, because string) {
	if d.Denied {
		return deniedBy(s, ev, d.Why)
	}
	respond := "respond: " + s.Respond
	switch d.Why {
	case "direct":
		return "direct chat", "In a direct chat every message is answered."
	case "mention":
		return respond, "The message mentions the bot."
	case "reply":
		return respond, "The message replies to one of the bot's."
	case "thread of a question":
		return respond, "It stands in a thread that a question to the bot opened."
	case "respond: thread":
		return respond, "It stands in a thread in which the bot has been asked."
	case "respond: all":
		return respond, "Every message is answered."
	case "respond: direct":
		return respond, "The bot answers in direct chats only."
	case "not mentioned":
		return respond, "It neither mentions the bot nor replies to it, and stands in no thread where that is not needed."
	}
	return d.Why, "The rule is " + d.Why + "."
}

// deniedBy finds the entry of a list that refused.
func deniedBy(s *core.BotSettings, ev *core.Event, list string) (rule, because string) {
	var entries []string
	with := func(entry string) core.BotSettings {
		return core.BotSettings{Deny: core.AccessList{Users: []string{entry}}}
	}
	switch list {
	case "allow.users":
		return list, "The user is not in the list of those who may use the bot."
	case "allow.rooms":
		return list, "The room is not in the list of those where the bot may be used."
	case "deny.users":
		entries = s.Deny.Users
	case "deny.rooms":
		entries = s.Deny.Rooms
		with = func(entry string) core.BotSettings {
			return core.BotSettings{Deny: core.AccessList{Rooms: []string{entry}}}
		}
	}
	for i, entry := range entries {
		alone := with(entry)
		if core.Decide(&alone, ev, core.ThreadMark{}).Denied {
			return fmt.Sprintf("%s[%d]", list, i), fmt.Sprintf("%q is in the list of those that are refused.", entry)
		}
	}
	return list, "It is in the list of those that are refused."
}

// routeOf is the index of the route that names the app; -1 if none does.
func routeOf(s *core.BotSettings, ev *core.Event, mark core.ThreadMark) int {
	const here = "\x00here"
	for i, r := range s.Routes {
		alone := *s
		alone.Routes = []core.Route{{Rooms: r.Rooms, App: here}}
		if core.Decide(&alone, ev, mark).App == here {
			return i
		}
	}
	return -1
}

func whereOf(ev *core.Event, d core.Decision, b *config.Bot) string {
	switch {
	case ev.Room.Direct && ev.Thread == "":
		return "in the direct chat"
	case d.Opens:
		return "in a thread that the question opens (open_thread: true)"
	case ev.Thread != "":
		return "in the thread " + ev.Thread
	case ev.Roots != "" && !b.OpenThread:
		return "in the room (open_thread: false)"
	}
	return "in the room"
}

// names says where an id was given and the rules that matter go by names.
func (e *explanation) names(s *core.BotSettings, a *asked) {
	rooms := slices.Concat(s.Allow.Rooms, s.Deny.Rooms)
	for _, r := range s.Routes {
		rooms = append(rooms, r.Rooms...)
	}
	if strings.HasPrefix(a.room, "#") || strings.HasPrefix(a.user, "@") {
		e.note("Rules that go by ids were not compared with names.")
	}
	if named(rooms) && a.roomName == "" && !strings.HasPrefix(a.room, "#") {
		e.note("Rules go by names of rooms: with an id for --room, add --room-name.")
	}
	if named(slices.Concat(s.Allow.Users, s.Deny.Users)) && a.userName == "" && !strings.HasPrefix(a.user, "@") {
		e.note("Rules go by names of users: with an id for --user, add --user-name.")
	}
}

// named tells whether one of the entries is written as a name.
func named(entries []string) bool {
	return slices.ContainsFunc(entries, func(s string) bool { return strings.HasPrefix(s, "#") || strings.HasPrefix(s, "@") })
}

func (e *explanation) print(out io.Writer) {
	verdict := "✗ not answered"
	if e.Answer {
		verdict = "✓ answered"
	}
	fmt.Fprintln(out, verdict)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(out, "  %-13s %s\n", name, value)
		}
	}
	line("rule", e.Rule)
	line("because", e.Because)
	if e.Answer {
		line("app", e.App+" ("+e.AppRule+")")
		line("where", e.Where)
		line("conversation", e.Conversation+" ("+e.Scope+")")
	}
	for _, n := range e.Notes {
		line("note", n)
	}
}
