package core

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// The commands that people may give in chat.
const (
	cmdHelp          = "help"
	cmdNew           = "new"
	cmdStop          = "stop"
	cmdRetry         = "retry"
	cmdHistory       = "history"
	cmdConversations = "conversations"
	cmdRename        = "rename"
	cmdDelete        = "delete"
	cmdStatus        = "status"

	// These have no name that people type.
	cmdUse     = "use"     // go on with the conversation whose ClickAI id is the argument
	cmdWelcome = "welcome" // a direct chat was opened
)

// commands are those that people are told of, in the order of help.
var commands = []string{cmdHelp, cmdNew, cmdStop, cmdRetry, cmdHistory, cmdConversations, cmdRename, cmdDelete, cmdStatus}

// inOrder tells whether a command takes its place among the questions of its conversation, since it changes what they mean, or
// goes ahead of them. The others are carried out beside them.
func inOrder(name string) bool {
	switch name {
	case cmdNew, cmdRetry, cmdDelete, cmdUse, cmdWelcome:
		return true
	default:
		return false
	}
}

// lane is the element that the key of a conversation's commands has at its end. A "!" in a name is escaped, see [NewConvKey].
const lane = "/!"

// Commands is the key under which the commands of a conversation wait that need not wait for its questions.
func (k ConvKey) Commands() ConvKey { return k + lane }

// Conversation is the conversation that a key of [ConvKey.Commands] belongs to; k itself if it is none.
func (k ConvKey) Conversation() ConvKey { return ConvKey(strings.TrimSuffix(string(k), lane)) }

// CommandInfos are the commands as a platform is told of them, in a bot's language and, by code, in all others.
func CommandInfos(language string) []CommandInfo {
	w := wordsFor(language)
	all := make([]CommandInfo, 0, len(commands))
	for _, name := range commands {
		c := CommandInfo{Name: name, Does: w.commands[name].does, Arg: w.commands[name].arg, In: map[string]string{}}
		for _, other := range catalogue {
			if other.language != language {
				c.In[other.language] = other.commands[name].does
			}
		}
		all = append(all, c)
	}
	return all
}

// textCommand reads a command that was written as text: "!new", "!rename Invoices". An exclamation mark before any other
// word is just that.
func textCommand(text string) (c Command, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "!")
	if !ok {
		return Command{}, false
	}
	name, args, _ := strings.Cut(rest, " ")
	if at := strings.IndexAny(name, "\n\t"); at >= 0 {
		name, args = name[:at], name[at+1:]+" "+args
	}
	c = Command{Name: strings.ToLower(name), Args: strings.TrimSpace(args)}
	return c, isCommand(c.Name)
}

func isCommand(name string) bool { return slices.Contains(commands, name) }

// once has f deal with an event that has not been dealt with yet: delivered again, it has no effect and counts for no limit.
func (t *bot) once(ctx context.Context, ev *Event, f func(context.Context, *Event) error) error {
	known, err := t.bridge.store.Seen(ctx, ev.Bot, ev.Key)
	if err != nil || known {
		return err
	}
	return f(ctx, ev)
}

// acceptCommand takes a command. Those that cost something or change something wait in the store like questions do; each is
// carried out once, also when the process dies meanwhile.
func (t *bot) acceptCommand(ctx context.Context, ev *Event) (err error) {
	now := time.Now()
	if t.tooOld(ev, now) {
		return nil
	}
	d, err := t.decideCommand(ctx, ev)
	switch {
	case err != nil:
		return err
	case !d.Answer && !onlyLooked(ev) && (d.Denied && ev.Room.Direct || ev.Handle != ""):
		t.log.Info("command denied", slog.String("event_key", ev.Key), slog.String("rule", d.Why))
		t.refuse(ev, NoticeDenied)
		return nil
	case !d.Answer:
		return nil
	}
	ev.Kind = KindCommand
	ev.Text = clip(ev.Text, maxText)
	if !t.commands.allow(ev.Sender.Key, now) {
		return t.turnAway(ctx, ev, NoticeTooMany)
	}
	defer func() {
		if err != nil {
			t.commands.giveBack(ev.Sender.Key) // it will be delivered again
		}
	}()
	name, conv := ev.Command.Name, d.Conv
	switch name {
	case cmdStop:
		return t.acceptStop(ctx, ev, conv, "")
	case cmdDelete:
		err := t.mayDelete(ctx, ev, conv)
		if denial, ok := errors.AsType[*denial](err); ok {
			return t.turnAway(ctx, ev, denial.kind)
		} else if err != nil {
			return err
		}
	}
	if !inOrder(name) {
		conv = conv.Commands()
	}
	fresh, err := t.putCommand(ctx, Pending{Conv: conv, App: d.App, At: d.At, Event: *ev, Recv: now.UnixMilli()})
	if fresh && name == cmdDelete {
		t.bridge.halt(conv, "") // it need not be waited for
	}
	return err
}

// decideCommand is [Decide] for a command.
func (t *bot) decideCommand(ctx context.Context, ev *Event) (Decision, error) {
	about := *ev
	typed := ev.Kind == KindMessage
	switch {
	case typed && ev.Thread == "":
		about.Roots = "" // it means the room's own conversation, and opens no thread
	case !typed && ev.Reach == "":
		about.Reach = ReachMention
	}
	var mark ThreadMark
	if ev.Thread != "" {
		var err error
		if mark, err = t.bridge.store.Thread(ctx, ev.Bot, ev.Place()); err != nil {
			return Decision{}, err
		}
	}
	mark.Opened = mark.Opened || mark.Answered && t.settings.Respond != "direct" // a bare command is meant for whoever has answered
	d := Decide(&t.settings, &about, mark)
	if typed && t.threads == nil && ev.Thread == "" && t.settings.OpenThread {
		d.At.Thread = ev.Roots // where threads open by themselves, what the bridge says stands under the command
	}
	return d, nil
}

// onlyLooked tells whether a person has opened the chat without writing, and waits for no answer.
func onlyLooked(ev *Event) bool {
	return ev.Command != nil && ev.Command.Name == cmdWelcome && ev.MessageID == ""
}

// putCommand stores a command and has it carried out. fresh is false if it is not, of which the person has been told.
func (t *bot) putCommand(ctx context.Context, p Pending) (fresh bool, err error) {
	ev := p.Event
	if t.bridge.dispatch.full(p.Conv) {
		return false, t.turnAway(ctx, &ev, NoticeQueueFull)
	}
	kept := t.handles.put(ev.Key, ev.Handle) // before it is stored: a worker may take it at once
	p, fresh, err = t.bridge.store.Put(ctx, Put{Pending: p, MaxWaiting: t.settings.Limits.QueuePerConversation + 1})
	if !fresh {
		t.handles.take(ev.Key)
	}
	switch {
	case errors.Is(err, ErrQueueFull):
		return false, t.turnAway(ctx, &ev, NoticeQueueFull)
	case err != nil || !fresh:
		return false, err
	case !kept:
		t.took(&ev) // nothing else would end the wait that the platform shows
	}
	t.bridge.dispatch.wake(p.Conv)
	return true, nil
}

// acceptStop ends the running turn, if it is that one; "" for any. That is done before the command is remembered, so that one
// that is delivered again after a crash still ends the turn, which by then knows that it was ended.
func (t *bot) acceptStop(ctx context.Context, ev *Event, conv ConvKey, turn string) error {
	stopped := t.bridge.halt(conv, turn)
	if _, err := t.bridge.store.See(ctx, ev.Bot, ev.Key); err != nil {
		return err
	}
	t.log.Info("stop", slog.String("conv", string(conv)), slog.Bool("running", stopped), slog.String("event_key", ev.Key))
	switch {
	case !stopped && ev.Press == nil:
		t.refuse(ev, t.elsewhere(ev, NoticeNothingRuns))
	case !stopped:
		t.refuse(ev, NoticeNothingRuns)
	case ev.Handle != "":
		t.answer(ev, NoticeStopped) // elsewhere the answer itself says so
	}
	return nil
}

// turnAway tells a person why something is not done, and remembers it.
func (t *bot) turnAway(ctx context.Context, ev *Event, why NoticeKind) error {
	fresh, err := t.bridge.store.See(ctx, ev.Bot, ev.Key)
	if err == nil && fresh && !onlyLooked(ev) {
		t.log.Info("turned away", slog.String("event_key", ev.Key), slog.String("notice", string(why)))
		t.refuse(ev, why)
	}
	return err
}

// denial is why someone may not do something.
type denial struct{ kind NoticeKind }

func (d *denial) Error() string { return "refused: " + string(d.kind) }

// mayDelete is nil if the person began the conversation or is one of the bot's admins, a *denial if not.
func (t *bot) mayDelete(ctx context.Context, ev *Event, conv ConvKey) error {
	c, ok, err := t.bridge.store.Conversation(ctx, conv)
	if err != nil || !ok || c.Owner.Key == ev.Sender.Key {
		return err
	}
	if slices.ContainsFunc(t.settings.Admins, func(a string) bool { return matchesUser(a, ev.Sender) }) {
		return nil
	}
	return &denial{NoticeNotYours}
}
