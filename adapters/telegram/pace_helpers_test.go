package telegram_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// world is a bridge with a real store, the adapter and the stand-in, connected in memory, under a virtual clock.
type world struct {
	t     *testing.T
	sim   *simtelegram.Server
	bot   *telegram.Platform
	app   *narrator
	began time.Time

	mu   sync.Mutex
	seen []sim.Seen // what the bot showed, in the order in which the stand-in took it
}

// load is what a world is made for.
type load struct {
	people   int
	words    int
	each     time.Duration // between two words
	word     func(answer, n int) string
	native   bool
	noDrafts bool
}

const crowd = "-1009000000001" // the group that all people are in

// person is the id of the i-th person, and that of the private chat with them.
func person(i int) string { return strconv.Itoa(6000000000 + i) }

// inBubble runs f in a world of its own.
func inBubble(t *testing.T, l load, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, app: newNarrator(l)}
		net := memnet.Listen()
		o := simtelegram.Options{Listener: net, NoDrafts: l.noDrafts, Observe: w.observe}
		group := simtelegram.Chat{ID: -1009000000001, Type: "supergroup", Title: "Crowd"}
		for i := range l.people {
			id := int64(6000000000 + i)
			o.Users = append(o.Users, simtelegram.User{ID: id, FirstName: fmt.Sprint("Person ", i), Language: "en"})
			group.Members = append(group.Members, id)
		}
		o.Chats = []simtelegram.Chat{group}
		w.sim = newSim(t, o)
		p, err := telegram.New("acme", telegram.Config{Token: token, APIURL: w.sim.APIURL()}, quiet(t))
		if err != nil {
			t.Fatal(err)
		}
		telegram.Dial(p, net.DialContext)
		w.bot = p
		w.run(l)
		f(t, w)
	})
}

func quiet(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
}

// run starts the bridge; it is stopped at the end of the bubble.
func (w *world) run(l load) {
	w.t.Helper()
	set := core.DefaultBotSettings()
	set.Name, set.Platform, set.App, set.Conversation = "acme", "telegram", "narrator", "user"
	if l.native {
		set.Stream.Mode = "native"
	}
	b, err := core.New(core.Config{
		Store: storetest.Open(w.t, store.Options{}), Apps: map[string]core.App{"narrator": w.app},
		Bots: []core.BotConfig{{Settings: set, Platform: w.bot}}, Log: quiet(w.t), ShutdownTimeout: time.Second,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
		telegram.CloseIdle(w.bot)
	})
	synctest.Wait()
	if !w.sim.Connected() {
		w.t.Fatal("the bot does not poll")
	}
	w.began = time.Now()
}

func (w *world) observe(s sim.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, s)
}

// shows is what the bot showed in a room so far.
func (w *world) shows(room string) []sim.Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.seen), func(s sim.Seen) bool { return s.Ref.Room != room })
}

// ask has the i-th person ask for the answer of that number.
func (w *world) ask(i int, room string) {
	w.t.Helper()
	say(w.t, w.sim, sim.Say{Room: room, User: person(i), Text: fmt.Sprintf("q%d", i), Mention: room == crowd})
}

// corePlace is a room without threads.
func corePlace(room string) core.Place { return core.Place{Room: room} }

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// narrator is an app that answers question n with numbered words, one at a time.
type narrator struct {
	load

	mu   sync.Mutex
	sent map[int][]time.Time // by answer: when each word was sent
}

func newNarrator(l load) *narrator {
	if l.word == nil {
		l.word = func(answer, n int) string { return fmt.Sprintf("%d-%04d ", answer, n) }
	}
	return &narrator{load: l, sent: map[int][]time.Time{}}
}

func (a *narrator) Name() string         { return "narrator" }
func (a *narrator) Conversational() bool { return true }

var asked = regexp.MustCompile(`q(\d+)`)

func (a *narrator) Ask(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
	answer, _ := strconv.Atoi(asked.FindStringSubmatch(q.Query)[1])
	return func(yield func(core.Delta, error) bool) {
		id := fmt.Sprint("m", answer)
		if !yield(core.Delta{Kind: core.DeltaIDs, Conversation: "c" + id, MessageID: id, TaskID: "t" + id}, nil) {
			return
		}
		for n := range a.words {
			select {
			case <-time.After(a.each):
			case <-ctx.Done():
				yield(core.Delta{}, ctx.Err())
				return
			}
			a.mu.Lock()
			a.sent[answer] = append(a.sent[answer], time.Now())
			a.mu.Unlock()
			if !yield(core.Delta{Kind: core.DeltaText, Text: a.word(answer, n)}, nil) {
				return
			}
		}
		yield(core.Delta{Kind: core.DeltaEnd}, nil)
	}
}

// whole is the text of an answer.
func (a *narrator) whole(answer int) string {
	var b strings.Builder
	for n := range a.words {
		b.WriteString(a.word(answer, n))
	}
	return strings.TrimSpace(b.String())
}

func (a *narrator) Stop(context.Context, string, string) error { return nil }

func (a *narrator) Recall(context.Context, core.Question) (core.PastAnswer, bool, error) {
	return core.PastAnswer{}, false, nil
}

func (a *narrator) Upload(context.Context, string, core.File) (core.FileRef, error) {
	return core.FileRef{}, nil
}
func (a *narrator) Rate(context.Context, core.RatingOut) error { return nil }
func (a *narrator) FileRules(context.Context) core.FileRules   { return core.FileRules{} }

// state is an answer as it showed at some time.
type state struct {
	at     time.Duration // since the world began
	answer int
	words  int // that show
	first  bool
	last   bool
}

var numbered = regexp.MustCompile(`(\d+)-(\d+)\s*$`)

// states are what showed of the answers, in order; with the default words only, and for answers of one message.
func (w *world) states() []state {
	w.t.Helper()
	var all []state
	begun := map[int]bool{}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.seen {
		if s.Kind == sim.Deleted || s.Kind == sim.Limited {
			w.t.Errorf("at %v: %s", s.At.Sub(w.began), s.Kind)
			continue
		}
		m := numbered.FindStringSubmatch(s.Text)
		if m == nil {
			w.t.Fatalf("shown: %q", s.Text)
		}
		answer, _ := strconv.Atoi(m[1])
		n, _ := strconv.Atoi(m[2])
		all = append(all, state{at: s.At.Sub(w.began), answer: answer, words: n + 1, first: !begun[answer], last: n+1 == w.app.words})
		begun[answer] = true
	}
	return all
}

// sentAt is when the n-th word, from 0, of an answer was sent.
func (w *world) sentAt(answer, n int) time.Duration {
	w.app.mu.Lock()
	defer w.app.mu.Unlock()
	return w.app.sent[answer][n].Sub(w.began)
}

// oldest is the greatest age that unseen text reached: from when a word was sent to when it showed.
func (w *world) oldest(all []state) time.Duration {
	shown := map[int]int{}
	var most time.Duration
	for _, s := range all {
		if n := shown[s.answer]; s.words > n {
			most = max(most, s.at-w.sentAt(s.answer, n))
			shown[s.answer] = s.words
		}
	}
	return most
}

// fresh checks that each state was the newest when it showed.
func (w *world) fresh(all []state) {
	w.t.Helper()
	for _, s := range all {
		// What was sent in the very instant of the call may be in it or not.
		if n := s.words; n < w.app.words && w.sentAt(s.answer, n) < s.at || w.sentAt(s.answer, n-1) > s.at {
			w.t.Fatalf("at %v answer %d showed %d words, which is not what had been sent", s.at, s.answer, n)
		}
	}
}

// firstGoFirst checks that no refresh went out while a first text waited.
func (w *world) firstGoFirst(all []state) {
	w.t.Helper()
	const slack = 50 * time.Millisecond // to ask for its turn
	shownAt := map[int]time.Duration{}
	for _, s := range all {
		if s.first {
			shownAt[s.answer] = s.at
		}
	}
	for _, s := range all {
		if s.first || s.last {
			continue
		}
		for answer, at := range shownAt {
			if from := w.sentAt(answer, 0); from+slack < s.at && s.at < at {
				w.t.Fatalf("at %v answer %d was refreshed; the first text of %d waited from %v to %v", s.at, s.answer, answer, from, at)
			}
		}
	}
}

// wholeOnce checks that each of the questions of a room has one answer, and that it is whole.
func (w *world) wholeOnce(room string, answers ...int) {
	w.t.Helper()
	replies := map[string][]sim.Message{}
	questions := map[int]string{}
	for _, m := range w.sim.Messages(room, "") {
		if m.Bot {
			replies[m.ReplyTo] = append(replies[m.ReplyTo], m)
		} else if found := asked.FindStringSubmatch(m.Text); found != nil {
			n, _ := strconv.Atoi(found[1])
			questions[n] = m.ID
		}
	}
	for _, n := range answers {
		id := questions[n]
		if room != crowd {
			id = "" // private chats have no replies
		}
		got := replies[id]
		if len(got) != 1 || got[0].Shown != w.app.whole(n) {
			w.t.Errorf("answer %d has %d messages: %.300s", n, len(got), fmt.Sprint(got))
		}
	}
}

// kept checks that the bot did nothing against the limits.
func (w *world) kept() {
	w.t.Helper()
	for _, v := range w.sim.Violations() {
		w.t.Errorf("violation: %s", v)
	}
}

// budget is a documented limit, as the stand-in has it: at most count calls in any time of length per, and gap between two.
type budget struct {
	count int
	per   time.Duration
	gap   time.Duration
}

// possible is the greatest age that unseen text of these answers reaches at best. Each call shows all that there is of one
// answer. First texts and last edits go first, the longest unseen ahead, as early as the limits let them; then the refresh of
// the longest unseen text. (Text would get less old if first texts were held back for refreshes. That is not wanted.)
//
// Two ways of spending what is left on refreshes are looked at, since either can be the better one: each as early as the
// limits let it, which leaves the rest of the minute without a call; and one every per/count.
func (w *world) possible(b budget, answers []int) time.Duration {
	return min(w.spend(b, b.gap, answers), w.spend(b, max(b.gap, b.per/time.Duration(b.count)), answers))
}

// spend has refreshes at least apart from each other.
func (w *world) spend(b budget, apart time.Duration, answers []int) (most time.Duration) {
	shown := map[int]int{}
	var calls []time.Duration
	var now, refresh time.Duration // the next refresh is not before
	for {
		if n := len(calls); n > 0 {
			now = max(now, calls[n-1]+b.gap)
		}
		if n := len(calls); n >= b.count {
			now = max(now, calls[n-b.count]+b.per)
		}
		best, since, urgent := -1, time.Duration(0), false
		next := time.Duration(-1) // when something more may be shown
		later := func(at time.Duration) {
			if next < 0 || at < next {
				next = at
			}
		}
		for _, a := range answers {
			n := shown[a]
			if n == w.app.words {
				continue
			}
			unseen, end := w.sentAt(a, n), w.sentAt(a, w.app.words-1)
			u := n == 0 || end <= now
			switch {
			case unseen > now:
				later(unseen)
			case !u && refresh > now:
				later(min(refresh, end))
			case best < 0 || u && !urgent || u == urgent && unseen < since:
				best, since, urgent = a, unseen, u
			}
		}
		if best < 0 && next < 0 {
			return most
		}
		if best < 0 {
			now = next
			continue
		}
		most = max(most, now-since)
		calls = append(calls, now)
		if !urgent {
			refresh = now + apart
		}
		for shown[best] < w.app.words && w.sentAt(best, shown[best]) <= now {
			shown[best]++
		}
	}
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
