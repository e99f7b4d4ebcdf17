package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	commandTimeout  = time.Minute      // for what a command asks of ClickAI
	commandFor      = 10 * time.Minute // after so long what a command says is not tried again
	shownTurns      = 5                // of `history`
	shownText       = 400              // characters of one question or answer in it
	listed          = 10               // of `conversations`
	maxConversation = 60               // characters of a conversation's name in a list
)

// given is a command that is being carried out.
type given struct {
	b    *Bridge
	bot  *bot
	app  App
	p    Pending
	conv ConvKey
	// handle answers the command in the platform's own way; "" once another one has it, or if there is none.
	handle string
}

// said is what a command answers.
type said struct {
	notice  Notice
	text    string // Markdown, in the notice's stead
	buttons Buttons
	secret  bool // for the person alone
}

// command carries out the oldest command of a lane and strikes it off. An error means that it is to be carried out again:
// each one can be.
func (b *Bridge) command(ctx context.Context, bt *bot, p Pending) error {
	bt.known.mark(&p.Event)
	g := &given{b: b, bot: bt, p: p, conv: p.Conv.Conversation(), handle: bt.handles.take(p.Event.Key)}
	log := bt.log.With(slog.String("conv", string(g.conv)), slog.String("command", p.Event.Command.Name), slog.String("event_key", p.Event.Key))
	what, err := said{notice: Notice{Kind: NoticeSetup}}, error(nil)
	if app, ok := b.app(p.App); ok {
		g.app = app
		what, err = g.carryOut(ctx)
	} else {
		log.Error("command dropped: its app is not configured any more", slog.String("app", p.App))
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errStore):
		bt.handles.put(p.Event.Key, g.handle)
		return err
	case err != nil:
		what = said{notice: g.failure(log, err)}
		refused := what.notice.Kind == NoticeNotYours || what.notice.Kind == NoticeInPrivate
		if refused && g.handle == "" && !bt.told.allow(p.Event.Sender.Key, time.Now()) {
			what = said{}
		}
	}
	if what.text == "" && what.notice.Kind != "" {
		what.text = bt.words.line(what.notice, reference(&p.Event, what.notice.Kind))
	}
	j := newJournal(p.Conv, []Pending{p})
	if what.text != "" {
		until := time.UnixMilli(p.Recv).Add(commandFor)
		_, err = bt.say(ctx, saying{
			at: p.At, replyTo: p.Event.MessageID, key: p.Event.Bot + p.Event.Key, handle: g.handle, text: what.text, buttons: what.buttons,
			secret: what.secret, again: bt.triedBefore(p), to: p.Event.Sender, until: until,
		})
		switch class := ClassOf(err); {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case (class == Transient || class == RateLimited) && bt.leaving() && time.Now().Before(until):
			return fmt.Errorf("%w: answer of command %s not shown: %w", ErrShutdown, p.Event.Key, err) // whoever comes next goes on
		default:
			log.Warn("command's answer not shown", slog.Any("err", err))
		}
	} else if g.handle != "" {
		ev := p.Event
		ev.Handle = g.handle
		bt.took(&ev)
	}
	log.Info("command carried out", slog.String("notice", string(what.notice.Kind)))
	return b.store.EndTurn(ctx, j, nil, nil)
}

// failure is what a person is told of a command that was not carried out.
func (g *given) failure(log *slog.Logger, err error) Notice {
	if e, ok := errors.AsType[*denial](err); ok {
		return Notice{Kind: e.kind}
	}
	log.Warn("command failed", slog.Any("err", err))
	e, ok := errors.AsType[*AppError](err)
	switch {
	case ok && e.Class == NotFound:
		return Notice{Kind: g.nothing()}
	case ok && e.Notice.Kind != "" && e.Notice.Kind != NoticeRetry: // that line offers to ask a question again
		return e.Notice
	}
	return Notice{Kind: NoticeFailed}
}

// errStore marks failures of the store, after which a command is carried out again.
var errStore = errors.New("store")

func stored(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(errStore, err)
}

func (g *given) carryOut(ctx context.Context) (said, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	switch g.p.Event.Command.Name {
	case cmdNew:
		return g.begin(ctx)
	case cmdHistory:
		return g.history(ctx)
	case cmdConversations:
		return g.conversations(ctx)
	case cmdUse:
		return g.use(ctx, g.p.Event.Command.Args)
	case cmdRename:
		return g.rename(ctx)
	case cmdDelete:
		return g.remove(ctx)
	case cmdStatus:
		return g.status(ctx)
	case cmdWelcome:
		return g.welcome(ctx)
	default:
		return g.help(), nil
	}
}

// known reads the conversation. It is a *denial if there is none at ClickAI yet.
func (g *given) known(ctx context.Context) (Conversation, Archive, error) {
	archive, ok := g.app.(Archive)
	if !ok || !g.app.Conversational() {
		return Conversation{}, nil, &denial{NoticeNoMemory}
	}
	c, ok, err := g.b.store.Conversation(ctx, g.conv)
	if err != nil {
		return c, nil, stored(err)
	}
	if !ok || c.ID == "" {
		return c, nil, &denial{g.nothing()}
	}
	return c, archive, nil
}

// nothing is the line for a place without a conversation, or one that says how to ask where there is one.
func (g *given) nothing() NoticeKind { return g.bot.elsewhere(&g.p.Event, NoticeNone) }

// elsewhere is the line for a command in a room whose conversations stand in threads, where it can mean none of them; otherwise
// notice.
func (t *bot) elsewhere(ev *Event, notice NoticeKind) NoticeKind {
	opens := t.settings.OpenThread && (t.threads != nil || !t.platform.Limits(Place{Room: ev.Room.ID}).ReplyToRoom)
	if !ev.Room.Direct && ev.Thread == "" && opens && t.settings.Conversation != "room" {
		return NoticeInThread
	}
	return notice
}

func (g *given) begin(ctx context.Context) (said, error) {
	if !g.app.Conversational() {
		return said{}, &denial{NoticeNoMemory}
	}
	_, ok, err := g.b.store.Conversation(ctx, g.conv)
	if err != nil {
		return said{}, stored(err)
	}
	if !ok && g.nothing() == NoticeInThread && !g.bot.triedBefore(g.p) {
		return said{}, &denial{NoticeInThread}
	}
	return said{notice: Notice{Kind: NoticeNew}}, stored(g.b.store.DeleteConversation(ctx, g.conv))
}

func (g *given) remove(ctx context.Context) (said, error) {
	c, archive, err := g.known(ctx)
	if denial, ok := errors.AsType[*denial](err); ok && denial.kind == g.nothing() && g.bot.triedBefore(g.p) {
		return said{notice: Notice{Kind: NoticeDeleted}}, nil
	}
	if err != nil {
		return said{}, err
	}
	if err := g.bot.mayDelete(ctx, &g.p.Event, g.conv); err != nil {
		if _, ok := errors.AsType[*denial](err); ok {
			return said{}, err
		}
		return said{}, stored(err)
	}
	if err := archive.Delete(ctx, c.User, c.ID); err != nil && appClass(err) != NotFound {
		return said{}, err
	}
	g.bot.log.Info("conversation deleted", slog.String("conv", string(g.conv)), slog.String("conversation_id", c.ID), slog.String("by", g.p.Event.Sender.Key))
	return said{notice: Notice{Kind: NoticeDeleted}}, stored(g.b.store.DeleteConversation(ctx, g.conv))
}

func (g *given) rename(ctx context.Context) (said, error) {
	c, archive, err := g.known(ctx)
	if err != nil {
		return said{}, err
	}
	name, err := archive.Rename(ctx, c.User, c.ID, oneLine(clip(g.p.Event.Command.Args, 4*maxConversation)))
	if err != nil {
		return said{}, err
	}
	g.bot.title(ctx, c.At, name)
	return said{notice: Notice{Kind: NoticeRenamed, Detail: short(name, maxConversation)}}, nil
}

func (g *given) history(ctx context.Context) (said, error) {
	c, archive, err := g.known(ctx)
	if err != nil {
		return said{}, err
	}
	past, err := archive.History(ctx, c.User, c.ID, shownTurns)
	if err != nil {
		return said{}, err
	}
	if len(past) == 0 {
		return said{notice: Notice{Kind: NoticeNone}}, nil
	}
	var b strings.Builder
	for _, turn := range past {
		fmt.Fprintf(&b, "%s\n\n%s\n\n", quoteBlock("**"+escapeMarkdown(short(turn.Query, shownText))+"**"), escapeMarkdown(short(turn.Answer, shownText)))
	}
	return said{text: b.String()}, nil
}

// conversations lists the person's own conversations. Their names are nobody else's business: in a room they are shown only
// where the platform can show them to that person alone.
func (g *given) conversations(ctx context.Context) (said, error) {
	archive, ok := g.app.(Archive)
	if !ok || !g.app.Conversational() {
		return said{}, &denial{NoticeNoMemory}
	}
	ev := &g.p.Event
	all, err := archive.Conversations(ctx, ev.Sender.Key, listed)
	if err != nil {
		return said{}, err
	}
	n, err := strconv.Atoi(ev.Command.Args)
	chosen := err == nil
	outside := g.nothing() == NoticeInThread // no question would go on with what is chosen here
	if chosen && outside {
		return said{}, &denial{NoticeInThread}
	}
	if chosen {
		if n < 1 || n > len(all) {
			return said{}, &denial{NoticeNotFound}
		}
		return g.goOn(ctx, all[n-1].ID)
	}
	alone := g.handle != "" && ev.Command.Private // after a restart, no handle is left to answer
	if !ev.Room.Direct && !alone {
		return said{}, &denial{NoticeInPrivate}
	}
	if len(all) == 0 {
		return said{notice: Notice{Kind: NoticeNone}}, nil
	}
	now, _, err := g.b.store.Conversation(ctx, g.conv)
	if err != nil {
		return said{}, stored(err)
	}
	w := g.bot.words
	var b strings.Builder
	var buttons []Button
	b.WriteString(w.yourConversations + "\n\n")
	room := g.bot.platform.Limits(g.p.At).Buttons
	for i, c := range all {
		name := short(c.Name, maxConversation)
		here := ""
		if c.ID == now.ID {
			here = " ✓"
		} else if !outside && len(buttons) < room && len(pressUse+c.ID) <= MaxButtonID {
			buttons = append(buttons, Button{ID: pressUse + c.ID, Label: cmp.Or(name, strconv.Itoa(i+1))})
		}
		fmt.Fprintf(&b, "%d. %s%s\n", i+1, escapeMarkdown(name), here)
	}
	how := w.chooseHow
	if outside {
		how = w.line(Notice{Kind: NoticeInThread}, "")
	}
	b.WriteString("\n" + how)
	return said{text: b.String(), buttons: NewButtons(buttons...), secret: !ev.Room.Direct}, nil
}

// goOn lets the choice take its place among the questions of the conversation.
func (g *given) goOn(ctx context.Context, id string) (said, error) {
	p := g.p
	p.Conv = g.conv
	p.Event.Key = clip(p.Event.Key, maxKey-4) + "/use"
	p.Event.Command = &Command{Name: cmdUse, Args: id}
	p.Event.Handle, g.handle = g.handle, ""
	_, err := g.bot.putCommand(ctx, p)
	return said{}, stored(err)
}

// use makes another conversation of the person the one of this place.
func (g *given) use(ctx context.Context, id string) (said, error) {
	archive, ok := g.app.(Archive)
	if !ok || !g.app.Conversational() {
		return said{}, &denial{NoticeNoMemory}
	}
	if g.nothing() == NoticeInThread {
		return said{}, &denial{NoticeInThread}
	}
	ev := &g.p.Event
	all, err := archive.Conversations(ctx, ev.Sender.Key, listed)
	if err != nil {
		return said{}, err
	}
	for _, one := range all {
		if one.ID != id {
			continue
		}
		now := time.Now().UTC()
		c := Conversation{
			ID: id, User: ev.Sender.Key, App: g.app.Name(), Owner: ev.Sender, People: 1, Started: now, Last: now, At: g.p.At, Bot: ev.Bot,
			Title: ev.Room.Name,
		}
		return said{notice: Notice{Kind: NoticeChosen, Detail: short(one.Name, maxConversation)}}, stored(g.b.store.PutConversation(ctx, g.conv, c))
	}
	return said{}, &denial{NoticeNotFound}
}

func (g *given) status(ctx context.Context) (said, error) {
	w := g.bot.words
	c, ok, err := g.b.store.Conversation(ctx, g.conv)
	if err != nil {
		return said{}, stored(err)
	}
	waiting, err := g.b.store.Waiting(ctx, g.conv, g.bot.settings.Limits.QueuePerConversation+1)
	if err != nil {
		return said{}, stored(err)
	}
	lines := []string{fill(w.statusApp, escapeMarkdown(g.app.Name()))}
	if ok && (c.ID != "" || c.Turns > 0) {
		lines = append(lines, fill(w.statusTurns, strconv.Itoa(c.Turns)), fill(w.statusSince, c.Started.Format("2006-01-02 15:04")+" UTC"))
	} else {
		lines = append(lines, w.line(Notice{Kind: g.nothing()}, ""))
	}
	if n := len(waiting); n > 0 {
		lines = append(lines, fill(w.statusWaiting, strconv.Itoa(n)))
	}
	return said{text: "- " + strings.Join(lines, "\n- ")}, nil
}

func (g *given) help() said {
	w := g.bot.words
	var b strings.Builder
	b.WriteString(w.helpHead + "\n\n")
	for _, name := range commands {
		c := w.commands[name]
		arg := ""
		if c.arg != "" {
			arg = " " + c.arg
		}
		fmt.Fprintf(&b, "- `!%s%s` – %s\n", name, arg, c.does)
	}
	return said{text: b.String()}
}

// short is text in one line of at most n characters.
func short(s string, n int) string {
	s = oneLine(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
