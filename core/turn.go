package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

const (
	groupSettle    = time.Second      // messages of one group come within this; then the question is asked
	contextTimeout = 10 * time.Second // for reading the earlier messages of a thread
	stopTimeout    = 5 * time.Second  // for telling ClickAI to stop
	maxBatch       = 50               // messages that become one question
)

// errAnswerTimeout is the cause of a turn's context when answer_timeout is over.
var errAnswerTimeout = errors.New("answer_timeout is over")

// errParked is the outcome of a turn that has to wait for someone to mend the bot; its journal stays for the next start.
var errParked = errors.New("the bot has to be mended first")

// turn is one question to an app and its whole answer, while it runs.
type turn struct {
	b     *Bridge
	bot   *bot
	app   App
	log   *slog.Logger
	batch []Pending // what people wrote, oldest first
	conv  Conversation
	user  string // the `user` of this turn
	reply *reply
	watch *watch // of the observer's
}

// converse answers all that waits in a conversation, for as long as the bot serves.
func (b *Bridge) converse(ctx context.Context, t *bot, conv ConvKey) {
	wait := newBackoff(time.Second, time.Minute)
	for ctx.Err() == nil && !t.leaving() {
		var more bool
		var err error
		if panicked := safely(t.log, func() { more, err = b.nextTurn(ctx, t, conv) }); panicked != nil {
			err = panicked
		}
		switch {
		case errors.Is(err, errParked), errors.Is(err, ErrShutdown):
			return
		case err != nil && ctx.Err() == nil:
			t.log.Error("turn could not be carried out", slog.String("conv", string(conv)), slog.String("turn_id", turnOf(err)), slog.Any("err", err))
			sleep(ctx, wait.next())
		case !more:
			return
		default:
			wait.reset()
		}
	}
}

// nextTurn runs the turn that was left unfinished, or one for the oldest waiting messages. more is false if there was
// nothing to do.
func (b *Bridge) nextTurn(ctx context.Context, bt *bot, conv ConvKey) (more bool, err error) {
	journal, resumed, err := b.store.Turn(ctx, conv)
	if err != nil {
		return false, fmt.Errorf("read the journal of %s: %w", conv, err)
	}
	waiting, err := b.store.Waiting(ctx, conv, maxBatch)
	if err != nil {
		return false, fmt.Errorf("read what waits in %s: %w", conv, err)
	}
	var batch []Pending
	if resumed {
		for _, p := range waiting {
			if slices.Contains(journal.Seqs, p.Seq) {
				batch = append(batch, p)
			}
		}
		if len(batch) == 0 {
			return true, b.store.EndTurn(ctx, journal, nil, nil)
		}
	} else {
		var settle time.Duration
		if batch, settle = bt.nextBatch(waiting, time.Now()); settle > 0 {
			return sleep(ctx, settle), nil
		}
		if len(batch) == 0 {
			return false, nil
		}
	}
	first := batch[0]
	again := isRetry(&first.Event)
	if first.Event.Kind == KindCommand && !again {
		return true, b.command(ctx, bt, first)
	}
	app, ok := b.app(first.App)
	if !ok {
		// The app was taken out of the configuration while the question waited.
		bt.log.Error("question dropped: its app is not configured any more", slog.String("app", first.App), slog.String("conv", string(conv)),
			slog.String("turn_id", newJournal(conv, batch).ID))
		first.Event.Handle = bt.handles.take(first.Event.Key)
		bt.refuse(&first.Event, NoticeSetup)
		return true, b.store.EndTurn(ctx, newJournal(conv, batch), nil, nil)
	}
	if !resumed {
		journal = newJournal(conv, batch)
	}
	if again && journal.Query == "" {
		if ok, err := b.again(ctx, bt, first, &journal); !ok || err != nil {
			return true, err
		}
	}
	t := &turn{b: b, bot: bt, app: app, batch: batch}
	t.log = bt.log.With(slog.String("conv", string(conv)), slog.String("turn_id", journal.ID), slog.String("app", app.Name()))
	err = nil
	if panicked := safely(t.log, func() { err = t.run(ctx, journal, resumed) }); panicked != nil {
		err = panicked
	}
	return true, ofTurn(journal.ID, err)
}

// nextBatch is the messages that become the next question: the oldest one and those that directly follow it from the same
// person to the same place. settle is how long to wait before looking again, while a group may still be arriving.
//
// A question of several messages is journalled before it is asked. So one that an earlier process may have asked, and of
// which there is no journal, was asked alone: only as such can it be known again in the app's history.
func (t *bot) nextBatch(waiting []Pending, now time.Time) (batch []Pending, settle time.Duration) {
	direct, groups := true, map[string]bool{}
	for _, p := range waiting {
		if len(batch) > 0 {
			first := batch[0]
			direct = direct && first.Event.Kind != KindCommand && p.Event.Kind != KindCommand
			direct = direct && !t.askedBefore(first)
			same := p.Event.Sender.Key == first.Event.Sender.Key && p.At == first.At && p.App == first.App
			direct = direct && same
			// Somebody else's message between the pictures of an album does not tear it apart.
			if album := same && p.Event.Group != "" && groups[p.Event.Group]; !direct && !album {
				continue
			}
		}
		groups[p.Event.Group] = true
		batch = append(batch, p)
	}
	for _, p := range batch {
		if p.Event.Group != "" {
			came := time.UnixMilli(p.Recv)
			if came.Before(t.started) {
				came = t.started // what belongs to it may not have been delivered to the process before
			}
			if left := came.Add(groupSettle).Sub(now); left <= groupSettle { // else the clock was put back
				settle = max(settle, left)
			}
		}
	}
	return batch, settle
}

func newJournal(conv ConvKey, batch []Pending) Turn {
	first := batch[0]
	j := Turn{
		ID: turnID(first.Event.Bot + "\x00" + first.Event.Key), Conv: conv, Bot: first.Event.Bot, App: first.App,
		At: first.At, Started: time.Now().UTC(),
	}
	for _, p := range batch {
		j.Keys = append(j.Keys, p.Event.Key)
		j.Seqs = append(j.Seqs, p.Seq)
	}
	return j
}

// run asks, shows the answer, and ends the turn in the store. An error means that the turn is to be run again.
func (t *turn) run(ctx context.Context, j Turn, resumed bool) (err error) {
	began := time.Now()
	t.watch = newWatch(t.b.observer, j, t.batch, resumed)
	defer func() { t.watch.left(err) }()
	ctx = t.watch.in(ctx)
	if err := t.remember(ctx, &j); err != nil {
		return err
	}
	t.reply = newReply(t, j, resumed)
	t.b.running.add(j.Conv, t.reply)
	defer t.b.running.remove(j.Conv)
	t.reply.start(t.watch.in(t.bot.work))
	defer t.reply.wait() // also when the turn panics: nothing outlives it

	outcome := t.ask(ctx, &j, resumed)
	t.watch.one.Answered()
	if errors.Is(outcome, ErrShutdown) {
		t.reply.abandon()
		t.reply.wait()
		return nil
	}
	t.reply.close(outcome)
	t.reply.wait()
	end := t.reply.result()
	switch {
	case errors.Is(end.err, errParked), ctx.Err() != nil && end.err != nil:
		return end.err
	case end.err != nil:
		t.log.Error("reply could not be shown", slog.Any("err", end.err))
	}

	c := t.conv
	c.Turns++
	c.Last = time.Now().UTC()
	c.ID, c.At, c.Again = end.journal.ConvID, end.journal.At, end.again
	c.Message = cmp.Or(end.journal.Message, c.Message) // what came before a turn without one is no answer to what comes next either
	link := t.link(end.journal)
	wait := newBackoff(100*time.Millisecond, 10*time.Second)
	for {
		// The reply stands; running the turn again would show it twice. So this goes on until it succeeds.
		one, cancel := lastWrite(t.b.work)
		err := t.b.store.EndTurn(one, end.journal, &c, &link)
		cancel()
		if err == nil {
			break
		}
		t.log.Error("end of turn not stored", slog.Any("err", err))
		if !sleep(t.b.work, wait.next()) {
			return err
		}
	}
	t.watch.ended(end, outcome)
	t.b.rater.wake() // a reaction may have come before it was known what it is on
	if outcome == nil && c.Turns == 1 && t.batch[0].Event.Room.Direct {
		first := t.batch[0].Event
		t.bot.aside(&first, "", func(ctx context.Context) error { // the next question need not wait for it
			t.bot.title(ctx, c.At, first.Text)
			return nil
		})
	}
	t.log.Info("turn finished",
		slog.String("outcome", outcomeName(outcome)), slog.String("message_id", end.journal.Message),
		slog.Int64("elapsed_ms", time.Since(began).Milliseconds()), slog.Int64("first_text_ms", end.firstText.Milliseconds()),
		slog.Int("bytes", end.bytes), slog.Int("edits", end.edits), slog.Int("messages", len(end.journal.Reply)),
		slog.Bool("resumed", resumed), slog.Any("err", outcome))
	return nil
}

func outcomeName(err error) string {
	switch {
	case err == nil:
		return "answered"
	case errors.Is(err, ErrStopped):
		return "stopped"
	}
	return "failed"
}

// remember reads the conversation, or begins it with the person who asks.
func (t *turn) remember(ctx context.Context, j *Turn) error {
	c, ok, err := t.b.store.Conversation(ctx, j.Conv)
	if err != nil {
		return fmt.Errorf("read conversation %s: %w", j.Conv, err)
	}
	first := t.batch[0]
	sender := first.Event.Sender
	idle := t.bot.settings.IdleReset
	if ok && idle > 0 && j.Message == "" && silentFor(c, first) > idle {
		t.log.Info("conversation reset after silence", slog.String("conversation_id", c.ID))
		ok = false
	}
	if !ok {
		c = Conversation{
			User: cmp.Or(j.User, sender.Key), App: t.app.Name(), Owner: sender, People: 1,
			Started: time.Now().UTC(), At: first.At, Bot: first.Event.Bot,
		}
	}
	if sender.Key != c.Owner.Key {
		c.People = 2
	}
	c.Title = first.Event.ThreadName
	if c.Title == "" {
		c.Title = first.Event.Room.Name
	}
	c.Asked = t.batch[len(t.batch)-1].Event.SentAt
	t.conv = c
	t.user = cmp.Or(j.User, sender.Key)
	if t.app.Conversational() {
		t.user = c.User // ClickAI binds the conversation to it
		if j.ConvID == "" {
			j.ConvID = c.ID
		}
	}
	j.User = t.user
	return nil
}

// ask carries the question to the app and what comes back to the reply. It returns nil when the answer is complete.
func (t *turn) ask(parent context.Context, j *Turn, resumed bool) (err error) {
	ctx, cancel := context.WithTimeoutCause(parent, t.bot.settings.Limits.AnswerTimeout, errAnswerTimeout)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	t.reply.onGiveUp(stop)
	defer func() {
		if r := recover(); r != nil {
			err = panicError(r)
			t.log.Error("turn panicked", slog.Any("err", err))
		}
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if errors.Is(err, errAnswerTimeout) || errors.Is(err, ErrStopped) {
			t.stopApp(parent)
		}
	}()
	if j.Stopped {
		return ErrStopped
	}
	if j.Query == "" {
		if err := t.bot.greetOnce(ctx, t.app, t.batch[0]); err != nil {
			t.log.Warn("greeting left out", slog.Any("err", err))
		}
		if err := t.prepare(ctx, j); err != nil {
			return err
		}
	}
	first := t.batch[0].Event
	q := Question{
		Conversation: j.ConvID, User: t.user, Query: j.Query, Files: j.Files,
		Vars: Vars{
			User: VarsUser{ID: first.Sender.ID, Name: first.Sender.DisplayName()}, Platform: first.Platform, Bot: first.Bot,
			Room: VarsNamed{ID: first.Room.ID, Name: first.Room.Name}, Thread: VarsNamed{ID: t.batch[0].At.Thread, Name: first.ThreadName},
		},
		// A question that was accepted before this process began may have been asked by the one before it.
		Retried: resumed || t.bot.askedBefore(t.batch[0]), MessageID: j.Message, Begun: j.Begun, After: t.conv.Message,
		AskedAt: time.UnixMilli(t.batch[0].Recv),
		Suggest: t.bot.platform.Limits(j.At).Buttons > 0,
	}
	t.reply.asking(*j)
	t.watch.one.Asked()
	if len(t.batch) > 1 {
		if err := t.reply.journal(ctx, true); err != nil {
			return err
		}
	}
	ended := false
	for d, err := range t.app.Ask(ctx, q) {
		if err != nil {
			return err
		}
		t.watch.took(d.Kind)
		t.reply.take(d)
		ended = ended || d.Kind == DeltaEnd
	}
	if !ended {
		return &AppError{Notice: Notice{Kind: NoticeCut}, Class: Transient, Begun: true, Err: errors.New("the app's answer has no end")}
	}
	return nil
}

// prepare makes the query and sends the files ahead.
func (t *turn) prepare(ctx context.Context, j *Turn) error {
	files, err := t.sendFiles(ctx, j.Uploads)
	if err != nil {
		return err
	}
	j.Files = files
	j.Query = clip(t.threadContext(ctx), maxText) + clip(t.query(), maxText)
	return nil
}

// query is what people wrote, as one text.
func (t *turn) query() string {
	w := t.bot.words
	var texts, names []string
	for _, p := range t.batch {
		if s := strings.TrimSpace(p.Event.Text); s != "" {
			texts = append(texts, s)
		}
		for _, a := range p.Event.Attachments {
			names = append(names, attachmentName(a))
		}
	}
	q := strings.Join(texts, "\n")
	switch {
	case q != "":
	case len(names) > 0:
		q = w.files + strings.Join(names, ", ")
	default:
		q = w.emptyMention // an edit has left nothing
	}
	if t.conv.People > 1 && t.app.Conversational() {
		q = t.batch[0].Event.Sender.DisplayName() + ": " + q
	}
	return q
}

// threadContext is what was said in a running thread before the bot was called for the first time, to go ahead of the query.
func (t *turn) threadContext(ctx context.Context) string {
	first := t.batch[0]
	limit := t.bot.settings.ThreadContext
	if !first.First || limit == 0 || t.bot.reader == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, contextTimeout)
	defer cancel()
	past, err := t.bot.reader.ThreadBefore(ctx, first.Event.Ref(), limit)
	if err != nil {
		t.log.Warn("earlier messages of the thread could not be read", slog.Any("err", err))
		return ""
	}
	var b strings.Builder
	for _, m := range past {
		if text := strings.TrimSpace(m.Text); text != "" {
			fmt.Fprintf(&b, "%s: %s\n", m.From.DisplayName(), text)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	w := t.bot.words
	return w.context + "\n" + b.String() + "\n" + w.contextEnd + "\n"
}

// stopApp tells ClickAI to end the run, as far as it can; closing the stream alone may not.
func (t *turn) stopApp(parent context.Context) {
	task := t.reply.taskID()
	if task == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), stopTimeout)
	defer cancel()
	if err := t.app.Stop(ctx, t.user, task); err != nil {
		t.log.Info("stop", slog.Any("err", err))
	}
}

func (t *turn) link(j Turn) Link {
	return Link{App: j.App, User: j.User, Message: j.Message, ConvID: j.ConvID, Conv: j.Conv, Turn: j.ID, At: time.Now().UTC()}
}

func attachmentName(a Attachment) string {
	if a.Name != "" {
		return a.Name
	}
	return "file"
}
