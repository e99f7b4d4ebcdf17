package core_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

// run starts the rig's bridge as changed, and stops it when the test ends.
func (r *rig) run(change func(*core.Config)) *core.Bridge {
	r.t.Helper()
	c := core.Config{
		Store: r.store, Apps: map[string]core.App{"support": r.app}, Bots: []core.BotConfig{{Settings: r.set, Platform: r.chat}},
		Log: slog.New(slog.NewTextHandler(r.t.Output(), nil)), ShutdownTimeout: r.grace,
	}
	if change != nil {
		change(&c)
	}
	b, err := core.New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	<-r.chat.started
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("Run: %v", err)
		}
	})
	r.t.Cleanup(func() { r.stop() })
	return b
}

// in is a message in another direct chat, of another person.
func (r *rig) in(room, text string) core.Event {
	ev := r.message(text)
	ev.Room.ID = room
	ev.Sender = core.User{ID: "U" + room, Name: room, Key: "test:U" + room}
	return ev
}

// shown is what stands in a room, oldest first.
func (r *rig) shown(room string) []string {
	var out []string
	for _, m := range r.chat.all() {
		if m.ref.Room == room && !m.deleted {
			out = append(out, m.versions[len(m.versions)-1])
		}
	}
	return out
}

var errDisk = errors.New("no space left on device")

// disk is a store whose disk can be full: then nothing is written, as with the real one.
type disk struct {
	core.Store
	full atomic.Bool
	bad  atomic.Bool // the last write failed
}

func (d *disk) write(f func() error) error {
	if d.full.Load() {
		d.bad.Store(true)
		return errDisk
	}
	err := f()
	d.bad.Store(err != nil)
	return err
}

func (d *disk) Healthy() error {
	if d.bad.Load() {
		return errDisk
	}
	return d.Store.Healthy()
}

func (d *disk) Put(ctx context.Context, p core.Put) (stored core.Pending, fresh bool, err error) {
	err = d.write(func() error { stored, fresh, err = d.Store.Put(ctx, p); return err })
	return stored, fresh, err
}

func (d *disk) See(ctx context.Context, bot, key string) (fresh bool, err error) {
	err = d.write(func() error { fresh, err = d.Store.See(ctx, bot, key); return err })
	return fresh, err
}

func (d *disk) Revise(ctx context.Context, bot string, m core.MessageRef, text string) (ok bool, err error) {
	err = d.write(func() error { ok, err = d.Store.Revise(ctx, bot, m, text); return err })
	return ok, err
}

func (d *disk) Withdraw(ctx context.Context, bot string, m core.MessageRef) (ok bool, err error) {
	err = d.write(func() error { ok, err = d.Store.Withdraw(ctx, bot, m); return err })
	return ok, err
}

func (d *disk) PutTurn(ctx context.Context, t core.Turn, c *core.Conversation, l *core.Link) error {
	return d.write(func() error { return d.Store.PutTurn(ctx, t, c, l) })
}

func (d *disk) EndTurn(ctx context.Context, t core.Turn, c *core.Conversation, l *core.Link) error {
	return d.write(func() error { return d.Store.EndTurn(ctx, t, c, l) })
}

func (d *disk) Vote(ctx context.Context, key string, v core.Vote) (job core.RatingJob, changed bool, err error) {
	err = d.write(func() error { job, changed, err = d.Store.Vote(ctx, key, v); return err })
	return job, changed, err
}

func (d *disk) RatingSent(ctx context.Context, id string, version uint64) error {
	return d.write(func() error { return d.Store.RatingSent(ctx, id, version) })
}

func (d *disk) SetCursor(ctx context.Context, bot, name, value string) error {
	return d.write(func() error { return d.Store.SetCursor(ctx, bot, name, value) })
}

// TestFullDisk has the disk fill up in the middle of an answer: nothing is acknowledged, health is red, and when there is
// room again everything goes on, each thing once.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		d := &disk{Store: r.store}
		r.app.answer = says("c1", "m%d", "Hel", "lo")
		b := r.run(func(c *core.Config) { c.Store = d })
		host := r.chat.host
		if err := b.Healthy(); err != nil {
			t.Fatalf("unhealthy at first: %v", err)
		}
		r.accept(r.message("one"))
		settle(150 * time.Millisecond) // the first piece is there
		d.full.Store(true)
		two := r.message("two")
		edit, gone, vote := two, two, two
		edit.Kind, edit.Key, edit.Text = core.KindEdit, "e:1", "two and a half"
		gone.Kind, gone.Key = core.KindDelete, "d:1"
		vote.Kind, vote.Key, vote.Reaction = core.KindReaction, "r:1", &core.Reaction{Emoji: "👍", Added: true}
		for _, ev := range []core.Event{two, edit, gone, vote} {
			if err := host.Accept(t.Context(), ev); !errors.Is(err, errDisk) {
				t.Errorf("Accept of a %s = %v although nothing can be stored", ev.Kind, err)
			}
		}
		if err := host.SetCursor(t.Context(), "at", "1"); !errors.Is(err, errDisk) {
			t.Errorf("SetCursor = %v", err)
		}
		settle(30 * time.Minute)
		if err := b.Healthy(); !errors.Is(err, errDisk) {
			t.Errorf("Healthy = %v while nothing can be written", err)
		}
		d.full.Store(false)
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"Hello"}) {
			t.Errorf("shown %q, want the whole answer once", got)
		}
		if err := b.Healthy(); err != nil {
			t.Errorf("Healthy = %v after the disk has room", err)
		}
		// The platform delivers again what was not acknowledged.
		r.accept(two)
		settle(time.Minute)
		if got := r.chat.texts(); len(got) != 2 || len(r.app.asked()) != 2 {
			t.Errorf("shown %q, asked %d times; want a second answer", got, len(r.app.asked()))
		}
	})
}

// hanging answers nothing until it is told to.
func hanging(until <-chan struct{}) func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
	return func(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
		return func(yield func(core.Delta, error) bool) {
			select {
			case <-until:
				says("c-"+q.User, "m-"+q.User, "Hello")(ctx, q)(yield)
			case <-ctx.Done():
				yield(core.Delta{}, ctx.Err())
			}
		}
	}
}

// TestSlowApp has an app that says nothing: it holds its own conversations alone, they end with a line when their time is
// over, and what waits meanwhile is bounded.
func TestSlowApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Routes = []core.Route{{Rooms: []string{"D1"}, App: "slow"}}
		r.set.Limits.QueuePerConversation = 3
		slow := newApp()
		slow.name, slow.answer = "slow", hanging(nil)
		r.run(func(c *core.Config) { c.Apps["slow"] = slow })
		began := time.Now()
		for i := range 5 {
			r.accept(r.message(fmt.Sprint("slow ", i)))
			settle(time.Second)
		}
		r.accept(r.in("D2", "quick"))
		settle(5 * time.Second)
		if got := r.shown("D2"); !slices.Equal(got, []string{"Hello"}) {
			t.Errorf("the other app's conversation shows %q", got)
		}
		if got := r.shown("D1"); len(got) != 1 || !strings.Contains(got[0], "Too many questions wait here") {
			t.Errorf("shown %q, want one line about the queue", got)
		}
		settle(r.set.Limits.AnswerTimeout)
		got := r.shown("D1")
		if len(got) != 2 || !strings.Contains(got[1], "That took too long") || time.Since(began) > 11*time.Minute {
			t.Errorf("shown %q after %v, want the first question to end by its time", got, time.Since(began))
		}
	})
}

// TestPlacesAreBounded has more conversations than places: those over it wait in order and are told so; over what may wait
// there is a line. What belongs to a conversation that has its place is taken all the same.
func TestPlacesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		open := make(chan struct{})
		r.app.answer = hanging(open)
		b := r.run(func(c *core.Config) { c.MaxTurns, c.MaxWaiting = 2, 2 })
		for i := range 6 {
			r.accept(r.in("D"+strconv.Itoa(i), "hello"))
		}
		again := r.in("D0", "and more")
		r.accept(again)
		settle(time.Second)
		if running, waiting := b.Load(); running != 2 || waiting != 2 {
			t.Errorf("%d run and %d wait, want 2 and 2", running, waiting)
		}
		for i, want := range []string{"", "", "This takes longer", "This takes longer", "Too many questions", "Too many questions"} {
			got := r.shown("D" + strconv.Itoa(i))
			if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want)) {
				t.Errorf("conversation %d is told %q, want %q", i, got, want)
			}
		}
		close(open)
		settle(time.Minute)
		for i, want := range []int{2, 1, 1, 1, 0, 0} {
			answers := 0
			for _, s := range r.shown("D" + strconv.Itoa(i)) {
				if s == "Hello" {
					answers++
				}
			}
			if answers != want {
				t.Errorf("conversation %d has %d answers, want %d", i, answers, want)
			}
		}
	})
}

// TestManyFilesThatDoNotGoAlong has more refused files than can each have a line.
func TestManyFilesThatDoNotGoAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		ev := r.message("look")
		for i := range 30 {
			ev.Attachments = append(ev.Attachments, core.Attachment{Ref: "x", Name: fmt.Sprintf("%d.txt", i), Size: 1e9})
		}
		r.accept(ev)
		settle(10 * time.Second)
		got := r.chat.texts()
		if len(got) != 1 || strings.Count(got[0], "is too large") != 6 || !strings.Contains(got[0], "24 more files do not go along") {
			t.Errorf("shown %q, want six lines and one for the others", got)
		}
	})
}

// TestWaitingUploadIsTold has the app wait before it takes a file.
func TestWaitingUploadIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.run(func(c *core.Config) { c.Apps["support"] = &slowUpload{app: r.app} })
		ev := r.message("look")
		ev.Attachments = []core.Attachment{{Ref: "x", Name: "a.txt", Size: 1}}
		r.accept(ev)
		settle(10 * time.Second)
		if got := r.chat.texts(); len(got) != 1 || !strings.Contains(got[0], "This takes longer") {
			t.Errorf("shown %q while the upload waits", got)
		}
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"Hello"}) {
			t.Errorf("shown %q in the end", got)
		}
	})
}

type slowUpload struct{ *app }

func (s *slowUpload) Upload(ctx context.Context, user string, f core.File) (core.FileRef, error) {
	core.Waiting(ctx, time.Minute)
	<-time.After(time.Minute)
	return s.app.Upload(ctx, user, f)
}

func TestCatchUpIsBoundedByWhatIsRemembered(t *testing.T) {
	for span, fine := range map[time.Duration]bool{0: true, time.Hour: true, 7 * 24 * time.Hour: true, 7*24*time.Hour + time.Second: false} {
		s := core.DefaultBotSettings()
		s.CatchUp = span
		found := slices.ContainsFunc(s.Validate(), func(p core.Problem) bool { return p.Key == "catch_up" && p.Mend == "use at most 7d" })
		if found == fine {
			t.Errorf("catch_up %v: refused %v", span, found)
		}
	}
}

// TestManyNotices holds that lines beyond the bound are counted rather than left out in silence.
func TestManyNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				for range 15 {
					yield(core.Delta{Kind: core.DeltaNotice, Notice: core.Notice{Kind: core.NoticeFile, Detail: "x"}}, nil)
				}
				yield(core.Delta{Kind: core.DeltaEnd}, nil)
			}
		}
		r.start()
		r.ask("one")
		if texts := r.chat.texts(); len(texts) != 1 || strings.Count(texts[0], "📎 x") != 12 || !strings.HasSuffix(texts[0], "+3 more notes") {
			t.Errorf("shows %q", texts)
		}
	})
}
