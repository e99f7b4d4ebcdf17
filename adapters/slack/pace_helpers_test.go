package slack_test

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

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/memnet"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// scene is what happens in a workshop.
type scene struct {
	answers int
	rooms   int           // the answers are spread over; the i-th is in room i%rooms
	words   int           // of each answer
	each    time.Duration // between two words
	every   time.Duration // between two questions
	word    func(answer, n int) string
	mode    string // stream.mode
	options simslack.Options
}

// workshop is a bridge with a real store, the adapter and the stand-in, connected in memory, under a virtual clock.
type workshop struct {
	scene
	t      *testing.T
	sim    *simslack.Server
	bot    *slack.Platform
	bridge *core.Bridge
	began  time.Time

	mu   sync.Mutex
	seen []sim.Seen          // what the bot showed, in order
	sent map[int][]time.Time // by answer: when the app sent each word
	at   map[string]int      // by thread: its answer
}

func roomOf(n int) string { return fmt.Sprintf("C0ROOM%03d", n) }

// inWorkshop runs f in a bubble. All requests go through the stand-in's documented limits.
func inWorkshop(t *testing.T, sc scene, f func(t *testing.T, w *workshop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if sc.word == nil {
			sc.word = func(answer, n int) string { return fmt.Sprintf("%d-%04d ", answer, n) }
		}
		w := &workshop{scene: sc, t: t, sent: map[int][]time.Time{}, at: map[string]int{}}
		network := memnet.Listen()
		o := sc.options
		o.Listener, o.Observe = network, w.observe
		for i := range sc.rooms {
			o.Channels = append(o.Channels, simslack.Channel{ID: roomOf(i), Name: fmt.Sprint("room-", i)})
		}
		w.sim = newSim(t, o)
		p, err := slack.New("acme", config(w.sim), quiet(t))
		if err != nil {
			t.Fatal(err)
		}
		slack.Dial(p, network.DialContext)
		w.bot = p
		w.run()
		f(t, w)
	})
}

func quiet(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
}

// run starts the bridge until the end of the bubble.
func (w *workshop) run() {
	w.t.Helper()
	set := core.DefaultBotSettings()
	set.Name, set.Platform, set.App = "acme", "slack", "narrator"
	set.Limits.TurnsPerUser = core.PerTime{}
	set.Limits.AnswerTimeout = time.Hour
	if w.mode != "" {
		set.Stream.Mode = w.mode
	}
	b, err := core.New(core.Config{
		Store: storetest.Open(w.t, store.Options{}), Apps: map[string]core.App{"narrator": w},
		Bots: []core.BotConfig{{Settings: set, Platform: w.bot}}, Log: quiet(w.t), ShutdownTimeout: time.Second,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.bridge = b
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
		slack.CloseIdle(w.bot)
	})
	pass(30 * time.Second) // the rooms are listed, which takes calls
	if !w.sim.Connected() {
		w.t.Fatal("the bot is not connected")
	}
	w.began = time.Now()
}

func (w *workshop) observe(s sim.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, s)
}

func (w *workshop) shows() []sim.Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// ask has a person ask for the i-th answer.
func (w *workshop) ask(i int) {
	w.t.Helper()
	q := say(w.t, w.sim, sim.Say{Room: roomOf(i % w.rooms), User: simslack.Minh, Text: fmt.Sprintf("q%d", i), Mention: true})
	w.at[q.ID] = i
}

func (w *workshop) askAll() {
	w.t.Helper()
	for i := range w.answers {
		w.ask(i)
		if w.every > 0 {
			pass(w.every)
		}
	}
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// The app answers question n with numbered words, one at a time.

func (w *workshop) Name() string         { return "narrator" }
func (w *workshop) Conversational() bool { return true }

var wanted = regexp.MustCompile(`q(\d+)`)

func (w *workshop) Ask(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
	answer, _ := strconv.Atoi(wanted.FindStringSubmatch(q.Query)[1])
	return func(yield func(core.Delta, error) bool) {
		id := fmt.Sprint("m", answer)
		if !yield(core.Delta{Kind: core.DeltaIDs, Conversation: "c" + id, MessageID: id, TaskID: "t" + id}, nil) {
			return
		}
		for n := range w.words {
			select {
			case <-time.After(w.each):
			case <-ctx.Done():
				yield(core.Delta{}, ctx.Err())
				return
			}
			w.mu.Lock()
			w.sent[answer] = append(w.sent[answer], time.Now())
			w.mu.Unlock()
			if !yield(core.Delta{Kind: core.DeltaText, Text: w.word(answer, n)}, nil) {
				return
			}
		}
		yield(core.Delta{Kind: core.DeltaEnd}, nil)
	}
}

func (w *workshop) Stop(context.Context, string, string) error { return nil }

func (w *workshop) Recall(context.Context, core.Question) (core.PastAnswer, bool, error) {
	return core.PastAnswer{}, false, nil
}

func (w *workshop) Upload(context.Context, string, core.File) (core.FileRef, error) {
	return core.FileRef{}, nil
}
func (w *workshop) Rate(context.Context, core.RatingOut) error { return nil }
func (w *workshop) FileRules(context.Context) core.FileRules   { return core.FileRules{} }

// state is an answer as it showed at some time.
type state struct {
	kind   sim.SeenKind
	at     time.Duration // since the workshop began
	answer int
	words  int // that show
	first  bool
	last   bool // all of it shows
}

var numbered = regexp.MustCompile(`(\d+)-(\d+)\s*$`)

// states are what showed of answers with the default words, in order.
func (w *workshop) states() []state {
	w.t.Helper()
	var all []state
	begun := map[int]bool{}
	for _, s := range w.shows() {
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
		all = append(all, state{kind: s.Kind, at: s.At.Sub(w.began), answer: answer, words: n + 1, first: !begun[answer], last: n+1 == w.words})
		begun[answer] = true
	}
	return all
}

// sentAt is when the n-th word, from 0, of an answer was sent.
func (w *workshop) sentAt(answer, n int) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[answer][n].Sub(w.began)
}

// oldest is the greatest age that unseen text reached: from when a word was sent to when it showed.
func (w *workshop) oldest(all []state) time.Duration {
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

// inOrder checks that first texts wait for their room and the workspace alone, never for refreshes, and that no refresh
// went out while a last edit waited.
func (w *workshop) inOrder(all []state) {
	w.t.Helper()
	const (
		late = 100 * time.Millisecond  // to ask for a turn
		gap  = 1200 * time.Millisecond // between two posts to a room: one less fits into a burst than the stand-in takes
	)
	shown, possible := map[int][]time.Duration{}, map[int][]time.Duration{} // by room
	for a, at := range w.firstTexts() {
		possible[a%w.rooms] = append(possible[a%w.rooms], at)
	}
	ended := map[int]time.Duration{} // by answer: when its last text showed
	for _, s := range all {
		if s.last {
			ended[s.answer] = s.at
		}
		if s.first {
			shown[s.answer%w.rooms] = append(shown[s.answer%w.rooms], s.at)
		}
	}
	for room, at := range shown {
		slices.Sort(possible[room])
		for i := range at { // which of those that ask at the same time goes first is left open
			if p := possible[room][i]; at[i] > p+p/5+gap {
				w.t.Errorf("the first text no. %d in a room is shown at %v, possible is %v", i+1, at[i], p)
			}
		}
	}
	for _, s := range all {
		if s.first || s.last {
			continue
		}
		for answer, at := range ended {
			if from := w.sentAt(answer, w.words-1); from+late < s.at && s.at < at {
				w.t.Fatalf("at %v answer %d was refreshed; the last edit of %d waited from %v to %v", s.at, s.answer, answer, from, at)
			}
		}
	}
}

// wholeOnce checks that each question has one answer of one message, and that it is whole.
func (w *workshop) wholeOnce() {
	w.t.Helper()
	for thread, answer := range w.at {
		var got []string
		for _, m := range w.sim.Messages(roomOf(answer%w.rooms), thread) {
			if m.Bot {
				got = append(got, m.Shown)
				if w.sim.Streaming(m.Ref) {
					w.t.Errorf("answer %d still streams", answer)
				}
			}
		}
		if want := strings.TrimSpace(w.whole(answer)); len(got) != 1 || got[0] != want {
			w.t.Errorf("answer %d: %.300q, want %.100q", answer, got, want)
		}
	}
}

func (w *workshop) whole(answer int) string {
	var b strings.Builder
	for n := range w.words {
		b.WriteString(w.word(answer, n))
	}
	return b.String()
}

// kept checks that the bot did nothing against the limits.
func (w *workshop) kept() {
	w.t.Helper()
	for _, v := range w.sim.Violations() {
		w.t.Errorf("violation: %s", v)
	}
	for _, p := range w.sim.Pings() {
		w.t.Errorf("ping: %s", p)
	}
}
