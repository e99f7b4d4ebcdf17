package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// maxKey bounds Event.Key, since keys are stored for as long as a platform may deliver again.
const maxKey = 200

// maxText bounds the text of one question in bytes. No platform lets a person write as much in one message.
const maxText = 256 << 10

const (
	noticesAtOnce     = 8   // of a bot
	maxNoticesWaiting = 256 // of a bot, those that are being sent included
)

// bot is one Platform at work: it is the Host of its adapter and knows the adapter's capabilities.
type bot struct {
	bridge   *Bridge
	settings BotSettings
	platform Platform
	log      *slog.Logger
	words    *words

	// The capabilities of platform; nil where it lacks one.
	editor   Editor
	deleter  Deleter
	typist   Typist
	threads  ThreadOpener
	opener   AttachmentOpener
	upload   Uploader
	reader   ThreadReader
	renderer Renderer
	pacer    Pacer
	drafter  Drafter
	streamer Streamer
	answerer Answerer
	forms    FormOpener
	menu     Commander
	prompter Prompter
	titler   Titler

	turns     *rateByKey // turns_per_user
	commands  *rateByKey // the same for commands and presses, counted apart
	handles   *handles   // of commands that wait
	known     resolver   // names of the configuration
	groups    *groups    // albums that are being taken
	told      *rateByKey // one notice a minute for each person
	whys      whys       // what was wrong with an answer
	started   time.Time  // when it began to work
	present   time.Time  // since when this process has had a bot of its name without a gap
	firstRun  time.Time  // of the bot, ever
	likes     map[string]Rating
	noticesWG sync.WaitGroup
	notices   chan struct{} // capacity maxNoticesWaiting: notices that are or wait to be sent
	sending   chan struct{} // capacity noticesAtOnce

	up     chan struct{} // closed once the bot has been connected
	upOnce sync.Once

	// work is the context of all that the bot does. It ends with the bridge's, or when the bot has left.
	work    context.Context
	cutOff  context.CancelCauseFunc
	leave   context.CancelFunc // ends its connection; set when it is started
	ended   chan struct{}      // closed once it has disconnected for good
	serving sync.WaitGroup     // workers of its conversations

	mu        sync.Mutex
	connected bool
	lastErr   error
	stopped   bool // will not be started again
	retired   bool // another one has taken its place, or none
	since     time.Time
}

func newBot(b *Bridge, s BotSettings, p Platform) *bot {
	t := &bot{
		bridge:   b,
		settings: s,
		platform: p,
		log:      b.log.With(slog.String("bot", s.Name), slog.String("platform", s.Platform)),
		words:    wordsFor(s.Language),
		turns:    newRateByKey(s.Limits.TurnsPerUser),
		commands: newRateByKey(s.Limits.TurnsPerUser),
		handles:  &handles{all: map[string]heldHandle{}},
		groups:   &groups{seen: map[string]groupSeen{}},
		whys:     whys{asked: newRateByKey(PerTime{Count: 1, Per: 24 * time.Hour})},
		told:     newRateByKey(PerTime{Count: 1, Per: time.Minute}),
		likes:    map[string]Rating{},
		up:       make(chan struct{}),
		notices:  make(chan struct{}, maxNoticesWaiting),
		sending:  make(chan struct{}, noticesAtOnce),
		ended:    make(chan struct{}),
	}
	t.work, t.cutOff = context.WithCancelCause(b.work)
	t.editor, _ = p.(Editor)
	t.deleter, _ = p.(Deleter)
	t.typist, _ = p.(Typist)
	t.threads, _ = p.(ThreadOpener)
	t.opener, _ = p.(AttachmentOpener)
	t.upload, _ = p.(Uploader)
	t.reader, _ = p.(ThreadReader)
	t.pacer, _ = p.(Pacer)
	t.drafter, _ = p.(Drafter)
	t.renderer, _ = p.(Renderer)
	t.streamer, _ = p.(Streamer)
	t.answerer, _ = p.(Answerer)
	t.forms, _ = p.(FormOpener)
	t.menu, _ = p.(Commander)
	t.prompter, _ = p.(Prompter)
	t.titler, _ = p.(Titler)
	if c, ok := p.(Ceiling); ok && s.Limits.CallsPerSecond > 0 {
		c.SetCallsPerSecond(s.Limits.CallsPerSecond)
	}
	for _, e := range s.Feedback.Like {
		t.likes[BaseEmoji(e)] = RatingLike
	}
	for _, e := range s.Feedback.Dislike {
		t.likes[BaseEmoji(e)] = RatingDislike
	}
	t.observe(b.observer)
	return t
}

// Accept is Sink.Accept.
func (t *bot) Accept(ctx context.Context, ev Event) error {
	ev.Bot, ev.Platform = t.settings.Name, t.settings.Platform
	t.known.mark(&ev)
	noMessage := ev.MessageID == "" && ev.Kind != KindCommand && ev.Kind != KindOpened
	if ev.Key == "" || len(ev.Key) > maxKey || ev.Room.ID == "" || noMessage {
		// Nothing can be done with it, and delivering it again will not help.
		t.log.Error("event refused", slog.String("reason", "key, room or message id is missing or too long"),
			slog.String("event_key", ev.Key[:min(len(ev.Key), maxKey)]))
		return nil
	}
	var err error
	switch ev.Kind {
	case KindMessage:
		if c, ok := textCommand(ev.Text); ok && len(ev.Attachments) == 0 {
			ev.Command = &c
			err = t.once(ctx, &ev, t.acceptCommand)
		} else {
			err = t.acceptMessage(ctx, &ev)
		}
	case KindCommand:
		err = t.once(ctx, &ev, t.acceptNative)
	case KindPress:
		err = t.once(ctx, &ev, t.acceptPress)
	case KindHalt:
		err = t.once(ctx, &ev, t.acceptHalt)
	case KindOpened:
		ev.Command = &Command{Name: cmdWelcome}
		err = t.once(ctx, &ev, t.acceptCommand)
	case KindEdit:
		_, err = t.bridge.store.Revise(ctx, ev.Bot, ev.Ref(), clip(ev.Text, maxText))
	case KindDelete:
		_, err = t.bridge.store.Withdraw(ctx, ev.Bot, ev.Ref())
	case KindReaction:
		err = t.acceptReaction(ctx, &ev)
	default:
		t.log.Debug("event skipped", slog.String("kind", string(ev.Kind)))
	}
	if err != nil {
		return fmt.Errorf("accept %s %s: %w", ev.Kind, ev.Key, err)
	}
	return nil
}

func (t *bot) acceptMessage(ctx context.Context, ev *Event) error {
	now := time.Now()
	if t.tooOld(ev, now) {
		return nil
	}
	if ev.Text == "" && len(ev.Attachments) == 0 && ev.Reach != ReachDirect && ev.Reach != ReachMention {
		return nil
	}
	if about, ok, err := t.isReason(ctx, ev); err != nil {
		return err
	} else if ok {
		return t.once(ctx, ev, func(ctx context.Context, ev *Event) error { return t.acceptReply(ctx, ev, about) })
	}
	known, inGroup := t.groups.find(ev, now)
	if inGroup && ev.Reach == ReachAmbient {
		ev.Reach = known // the mention stands in the caption of one picture and is meant for all of the album
	}
	var mark ThreadMark
	if ev.Thread != "" && ev.Reach == ReachAmbient {
		var err error
		if mark, err = t.bridge.store.Thread(ctx, ev.Bot, ev.Place()); err != nil {
			return err
		}
	}
	d := Decide(&t.settings, ev, mark)
	if !d.Answer {
		if d.Denied && ev.Room.Direct {
			t.log.Info("message denied", slog.String("event_key", ev.Key), slog.String("rule", d.Why))
			t.tell(ev, NoticeDenied)
			t.messaged(ev, MessageDenied)
		}
		return nil
	}
	if ev.Text == "" && len(ev.Attachments) == 0 {
		ev.Text = t.words.emptyMention // a bare mention is a greeting
	}
	ev.Text = clip(ev.Text, maxText)
	if t.bridge.dispatch.full(d.Conv) {
		fresh, err := t.bridge.store.See(ctx, ev.Bot, ev.Key)
		if err == nil && fresh {
			t.log.Warn("too many conversations wait for an answer", slog.String("event_key", ev.Key))
			t.messaged(ev, MessageQueueFull)
			t.tell(ev, NoticeQueueFull)
		}
		return err
	}
	counted := !inGroup // an album is one question
	if counted && !t.turns.allow(ev.Sender.Key, now) {
		fresh, err := t.bridge.store.See(ctx, ev.Bot, ev.Key)
		if err == nil && fresh {
			t.log.Info("message over the person's limit", slog.String("event_key", ev.Key))
			t.messaged(ev, MessageOverLimit)
			t.tell(ev, NoticeTooMany)
		}
		return err
	}
	p, fresh, err := t.bridge.store.Put(ctx, Put{
		Pending:     Pending{Conv: d.Conv, App: d.App, At: d.At, Opens: d.Opens, Event: *ev, Recv: now.UnixMilli()},
		MarksThread: d.Marks,
		MaxWaiting:  t.settings.Limits.QueuePerConversation + 1, // the one that is being answered does not wait
	})
	switch {
	case errors.Is(err, ErrQueueFull):
		if _, err := t.bridge.store.See(ctx, ev.Bot, ev.Key); err != nil {
			return err
		}
		t.log.Info("queue of the conversation is full", slog.String("event_key", ev.Key))
		t.messaged(ev, MessageQueueFull)
		t.tell(ev, NoticeQueueFull)
		return nil
	case err != nil:
		if counted {
			t.turns.giveBack(ev.Sender.Key) // it will be delivered again
		}
		t.messaged(ev, MessageUnstored)
		return err
	case !fresh:
		if counted {
			t.turns.giveBack(ev.Sender.Key)
		}
		t.log.Debug("event seen before", slog.String("event_key", ev.Key))
		t.messaged(ev, MessageDuplicate)
		t.groups.add(ev, now) // the rest of its album may be new to this process
		return nil
	}
	t.groups.add(ev, now)
	t.messaged(ev, MessageAccepted)
	if t.bridge.dispatch.wake(p.Conv) {
		t.log.Warn("no place for another turn: the question waits", slog.String("event_key", ev.Key))
		t.tell(ev, NoticeBusy)
	}
	return nil
}

func (t *bot) acceptReaction(ctx context.Context, ev *Event) error {
	if !t.settings.Feedback.Reactions || ev.Reaction == nil {
		return nil
	}
	rating, ok := t.likes[BaseEmoji(ev.Reaction.Emoji)]
	if !ok {
		return nil
	}
	if _, ok := allowed(&t.settings, ev); !ok {
		return nil
	}
	job, changed, err := t.bridge.store.Vote(ctx, ev.Key, Vote{
		Bot: ev.Bot, Ref: ev.Ref(), Person: ev.Sender,
		Rating: rating, Emoji: BaseEmoji(ev.Reaction.Emoji), Added: ev.Reaction.Added, At: ev.SentAt,
	})
	if err != nil {
		return err
	}
	if changed {
		t.log.Info("rating changed", slog.String("app", job.App), slog.String("message_id", job.Message),
			slog.String("rating", string(job.Rating)))
		t.bridge.rater.wake()
	}
	return nil
}

// State is Host.State.
func (t *bot) State(connected bool, err error) {
	t.mu.Lock()
	changed := connected != t.connected || t.since.IsZero()
	t.connected, t.lastErr = connected, err
	if changed {
		t.since = time.Now()
	}
	t.mu.Unlock()
	if !changed {
		return
	}
	t.bridge.observer.Connection(t.settings.Name, connected)
	switch {
	case connected:
		t.log.Info("connected")
		t.upOnce.Do(func() { close(t.up) })
	case err == nil:
		t.log.Info("disconnected")
	default:
		t.log.Warn("disconnected", slog.Any("err", err))
	}
}

// CatchUp is LookBack.
func (t *bot) CatchUp() time.Duration { return t.settings.CatchUp }

// Cursor is Host.Cursor.
func (t *bot) Cursor(name string) (string, error) {
	return t.bridge.store.Cursor(t.bridge.work, t.settings.Name, name)
}

// SetCursor is Host.SetCursor.
func (t *bot) SetCursor(ctx context.Context, name, value string) error {
	return t.bridge.store.SetCursor(ctx, t.settings.Name, name, value)
}

// tell sends one of the bridge's lines in answer to a message that gets no turn, at most once a minute for each person.
// It does not wait.
func (t *bot) tell(ev *Event, kind NoticeKind) {
	if t.told.allow(ev.Sender.Key, time.Now()) {
		t.answer(ev, kind)
	}
}

// pace waits for the turn of a call, where the platform has turns.
func (t *bot) pace(ctx context.Context, s Show) error {
	if t.pacer == nil {
		return nil
	}
	if err := t.pacer.Pace(ctx, s); err != nil {
		return fmt.Errorf("wait for the turn of a %s: %w", s.Kind, err)
	}
	return nil
}

// run keeps the platform connected until ctx ends or the platform says that it is of no use.
func (t *bot) run(ctx context.Context) {
	t.recallNames(ctx)
	menu, forget := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer forget()
	wg.Go(func() { _ = safely(t.log, func() { t.onceUp(menu, t.offerCommands) }) })
	wg.Go(func() { _ = safely(t.log, func() { t.onceUp(menu, t.resolve) }) })
	wait := newBackoff(time.Second, time.Minute)
	for ctx.Err() == nil {
		began := time.Now()
		err := t.runOnce(ctx)
		if ctx.Err() != nil {
			break
		}
		class := ClassOf(err)
		t.State(false, err)
		if class == Auth || class == Denied {
			t.mu.Lock()
			t.stopped = true
			t.mu.Unlock()
			t.log.Error("bot stopped: this needs someone to act", slog.String("class", string(class)), slog.Any("err", err))
			return
		}
		if time.Since(began) > time.Minute {
			wait.reset()
		}
		t.log.Warn("bot ended, starting it again", slog.Any("err", err))
		if !sleep(ctx, max(wait.next(), RetryAfterOf(err))) {
			break
		}
	}
	t.State(false, nil)
}

func (t *bot) runOnce(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicError(r)
			t.log.Error("adapter panicked", slog.Any("err", err))
		}
	}()
	return t.platform.Run(ctx, t)
}

// BotStatus is how a bot is doing.
type BotStatus struct {
	Name      string
	Platform  string
	Connected bool
	Stopped   bool // will not be tried again before a change
	Err       error
	Since     time.Time
}

func (t *bot) status() BotStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	return BotStatus{
		Name: t.settings.Name, Platform: t.settings.Platform,
		Connected: t.connected, Stopped: t.stopped, Err: t.lastErr, Since: t.since,
	}
}
