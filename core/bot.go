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

	turns     *rateByKey // turns_per_user
	groups    *groups    // albums that are being taken
	told      *rateByKey // one notice a minute for each person
	started   time.Time  // of this process
	firstRun  time.Time  // of the bot, ever
	likes     map[string]Rating
	noticesWG sync.WaitGroup
	notices   chan struct{} // capacity maxNoticesWaiting: notices that are or wait to be sent
	sending   chan struct{} // capacity noticesAtOnce

	mu        sync.Mutex
	connected bool
	lastErr   error
	stopped   bool // will not be started again
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
		groups:   &groups{seen: map[string]groupSeen{}},
		told:     newRateByKey(PerTime{Count: 1, Per: time.Minute}),
		likes:    map[string]Rating{},
		notices:  make(chan struct{}, maxNoticesWaiting),
		sending:  make(chan struct{}, noticesAtOnce),
	}
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
	if c, ok := p.(Ceiling); ok && s.Limits.CallsPerSecond > 0 {
		c.SetCallsPerSecond(s.Limits.CallsPerSecond)
	}
	for _, e := range s.Feedback.Like {
		t.likes[BaseEmoji(e)] = RatingLike
	}
	for _, e := range s.Feedback.Dislike {
		t.likes[BaseEmoji(e)] = RatingDislike
	}
	return t
}

// Accept is Sink.Accept.
func (t *bot) Accept(ctx context.Context, ev Event) error {
	ev.Bot, ev.Platform = t.settings.Name, t.settings.Platform
	if ev.Key == "" || len(ev.Key) > maxKey || ev.Room.ID == "" || ev.MessageID == "" {
		// Nothing can be done with it, and delivering it again will not help.
		t.log.Error("event refused", slog.String("reason", "key, room or message id is missing or too long"),
			slog.String("event_key", ev.Key[:min(len(ev.Key), maxKey)]))
		return nil
	}
	var err error
	switch ev.Kind {
	case KindMessage:
		err = t.acceptMessage(ctx, &ev)
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
			t.tell(ev, NoticeQueueFull)
		}
		return err
	}
	counted := !inGroup // an album is one question
	if counted && !t.turns.allow(ev.Sender.Key, now) {
		fresh, err := t.bridge.store.See(ctx, ev.Bot, ev.Key)
		if err == nil && fresh {
			t.log.Info("message over the person's limit", slog.String("event_key", ev.Key))
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
		t.tell(ev, NoticeQueueFull)
		return nil
	case err != nil:
		if counted {
			t.turns.giveBack(ev.Sender.Key) // it will be delivered again
		}
		return err
	case !fresh:
		if counted {
			t.turns.giveBack(ev.Sender.Key)
		}
		t.log.Debug("event seen before", slog.String("event_key", ev.Key))
		return nil
	}
	t.groups.add(ev, now)
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
	switch {
	case connected:
		t.log.Info("connected")
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
// It does not wait. When too many are waiting to be sent the line is left out: it is a courtesy, and sending is what is scarce.
func (t *bot) tell(ev *Event, kind NoticeKind) {
	if !t.told.allow(ev.Sender.Key, time.Now()) {
		return
	}
	select {
	case t.notices <- struct{}{}:
	default:
		t.log.Warn("notice left out: too many wait to be sent", slog.String("notice", string(kind)), slog.String("event_key", ev.Key))
		return
	}
	place, replyTo := ev.Place(), ev.MessageID
	t.noticesWG.Go(func() {
		defer func() { <-t.notices }()
		select {
		case t.sending <- struct{}{}:
			defer func() { <-t.sending }()
		case <-t.bridge.work.Done():
			return
		}
		_ = safely(t.log, func() { t.sendNotice(place, replyTo, ev.Key, kind) })
	})
}

func (t *bot) sendNotice(place Place, replyTo, key string, kind NoticeKind) {
	ctx, cancel := context.WithTimeout(t.bridge.work, 30*time.Second)
	defer cancel()
	if !t.platform.Limits(place).ReplyToRoom {
		replyTo = ""
	}
	for _, part := range t.platform.Render(t.words.line(Notice{Kind: kind}, ""), true) {
		p := Post{Place: place, ReplyTo: replyTo, Part: part, Nonce: nonce(key, 0)}
		err := t.pace(ctx, Show{Kind: ShowPost, Place: place, Urgent: true})
		if err == nil {
			_, err = t.platform.Post(ctx, p)
		}
		if err != nil {
			t.log.Warn("notice not sent", slog.String("notice", string(kind)), slog.Any("err", err))
			return
		}
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
