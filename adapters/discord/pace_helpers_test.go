package discord_test

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

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// rig is a bridge with a real store and a bot that talks to the stand-in over connections in memory. Time is virtual, and the
// limits are those of Discord.
type rig struct {
	t     *testing.T
	sim   *simdiscord.Server
	bot   *discord.Platform
	app   *speaker
	began time.Time
	core  *core.Bridge

	mu   sync.Mutex
	seen []sim.Seen
}

// person is the n-th of those who ask.
func person(n int) simdiscord.Person {
	return simdiscord.Person{ID: fmt.Sprintf("12%017d", n), Name: fmt.Sprintf("Person %d", n), DM: directOf(n)}
}

// directOf is the n-th person's direct chat with the bot.
func directOf(n int) string { return fmt.Sprintf("13%017d", n) }

// bubble runs a test under virtual time with a bridge that is connected. It needs much CPU: tests that measure real time do not
// run beside it.
func bubble(t *testing.T, people int, set func(*core.BotSettings), test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(26 * 365 * 24 * time.Hour) // virtual time begins in 2000, Discord's ids in 2015
		r := &rig{t: t, app: newSpeaker(), began: time.Now()}
		l := memnet.Listen()
		o := simdiscord.Options{Listener: l, MaxVersions: 2, Observe: r.observe}
		for i := range people {
			o.People = append(o.People, person(i))
		}
		r.sim = newSim(t, o)
		log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		p, err := discord.New("acme", discord.Config{Token: simdiscord.DefaultToken, APIURL: r.sim.APIURL()}, log)
		if err != nil {
			t.Fatal(err)
		}
		discord.Dial(p, l.DialContext)
		r.bot = p

		s := core.DefaultBotSettings()
		s.Name, s.Platform, s.App = "acme", "discord", "support"
		s.OpenThread, s.Conversation, s.Limits.TurnsPerUser = false, "user", core.PerTime{}
		if set != nil {
			set(&s)
		}
		if n := s.Limits.CallsPerSecond; n > 0 {
			p.SetCallsPerSecond(n)
		}
		b, err := core.New(core.Config{
			Store: storetest.Open(t, store.Options{}), Apps: map[string]core.App{"support": r.app},
			Bots: []core.BotConfig{{Settings: s, Platform: p}}, Log: log, ShutdownTimeout: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		r.core = b
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() {
			if err := b.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		t.Cleanup(func() {
			cancel()
			running.Wait()
		})
		for !r.sim.Connected() {
			<-time.After(time.Second)
		}
		test(t, r)
	})
}

func (r *rig) observe(s sim.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, s)
}

// history is what people have seen so far.
func (r *rig) history() []sim.Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// ask has person n ask for an answer of some words, one every so often. The answer's words begin with keyOf(n).
func (r *rig) ask(room string, n, words int, every time.Duration) {
	r.t.Helper()
	say(r.t, r.sim, sim.Say{
		Room: room, User: person(n).ID, Mention: true, Text: fmt.Sprintf("%s %d %s", keyOf(n), words, every),
	})
}

func keyOf(n int) string { return fmt.Sprintf("q%03d", n) }

// speaker is an app that answers a question as it says: "q001 200 500ms".
type speaker struct {
	mu   sync.Mutex
	sent map[string][]time.Time // by key: when each word was sent
	asks map[string]int

	ratings []core.RatingOut
}

func newSpeaker() *speaker {
	return &speaker{sent: map[string][]time.Time{}, asks: map[string]int{}}
}

func word(key string, n int) string { return fmt.Sprintf("%sw%04d ", key, n) }

var wordRE = regexp.MustCompile(`(q\d{3})w(\d{4})`)

func (a *speaker) Ask(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
	return func(yield func(core.Delta, error) bool) {
		f := strings.Fields(q.Query)
		f = f[max(0, len(f)-3):] // what was said before in a thread stands ahead of it
		n, err := strconv.Atoi(f[1])
		every, err2 := time.ParseDuration(f[2])
		if err != nil || err2 != nil {
			yield(core.Delta{}, fmt.Errorf("odd question %q", q.Query))
			return
		}
		a.mu.Lock()
		a.asks[f[0]]++
		a.mu.Unlock()
		if !yield(core.Delta{Kind: core.DeltaIDs, MessageID: "message-" + f[0]}, nil) {
			return
		}
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := range n {
			select {
			case <-tick.C:
			case <-ctx.Done():
				yield(core.Delta{}, context.Cause(ctx))
				return
			}
			a.mu.Lock()
			a.sent[f[0]] = append(a.sent[f[0]], time.Now())
			a.mu.Unlock()
			if !yield(core.Delta{Kind: core.DeltaText, Text: word(f[0], i)}, nil) {
				return
			}
		}
		yield(core.Delta{Kind: core.DeltaEnd}, nil)
	}
}

func (a *speaker) times(key string) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sent[key])
}

func (a *speaker) Name() string                               { return "support" }
func (a *speaker) Conversational() bool                       { return true }
func (a *speaker) Stop(context.Context, string, string) error { return nil }

func (a *speaker) Rate(_ context.Context, r core.RatingOut) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ratings = append(a.ratings, r)
	return nil
}

// rated is what a question was rated, one after the other.
func (a *speaker) rated(key string) (found []core.Rating) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.ratings {
		if r.MessageID == "message-"+key {
			found = append(found, r.Rating)
		}
	}
	return found
}

func (a *speaker) FileRules(context.Context) core.FileRules { return core.FileRules{} }
func (a *speaker) Upload(context.Context, string, core.File) (core.FileRef, error) {
	return core.FileRef{}, nil
}

func (a *speaker) Recall(context.Context, core.Question) (core.PastAnswer, bool, error) {
	return core.PastAnswer{}, false, nil
}

// shownOf is what a text shows: of which answer, and how many of its words.
func shownOf(text string) (key string, words int) {
	all := wordRE.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return "", 0
	}
	last := all[len(all)-1]
	n, _ := strconv.Atoi(last[2])
	return last[1], n + 1
}

// whole checks that each of the answers stands, once and with all its words in their order, and says in how many messages.
func (r *rig) whole(words map[int]int, room string) map[int]int {
	r.t.Helper()
	return r.wholeIn(words, core.Place{Room: room})
}

func (r *rig) wholeIn(words map[int]int, at core.Place) map[int]int {
	r.t.Helper()
	texts, parts := map[string]string{}, map[string]int{}
	for _, m := range r.sim.Messages(at.Room, at.Thread) {
		if key, _ := shownOf(m.Text); m.Bot {
			texts[key] += strings.TrimSpace(m.Shown) + " "
			parts[key]++
		}
	}
	count := map[int]int{}
	for n, most := range words {
		key := keyOf(n)
		var want strings.Builder
		for i := range most {
			want.WriteString(word(key, i))
		}
		if got := strings.Join(strings.Fields(texts[key]), " "); got != strings.TrimSpace(want.String()) {
			_, end := shownOf(got)
			r.t.Errorf("answer %s is not whole: %d bytes in %d messages, up to word %d of %d", key, len(got), parts[key], end, most)
		}
		if r.app.asks[key] != 1 {
			r.t.Errorf("question %s was asked %d times", key, r.app.asks[key])
		}
		count[n] = parts[key]
		delete(texts, key)
	}
	for key, text := range texts {
		r.t.Errorf("there is another message, of %q: %q", key, text)
	}
	return count
}

// age is how old the oldest text was that a change made visible.
type age struct {
	key string
	at  time.Time
	age time.Duration
}

// ages are those of all changes so far, in their order.
func (r *rig) ages() []age {
	var all []age
	words := map[string]int{}
	for _, s := range r.history() {
		key, n := shownOf(s.Text)
		sent := r.app.times(key)
		if n <= words[key] || n > len(sent) {
			continue
		}
		all = append(all, age{key: key, at: s.At, age: s.At.Sub(sent[words[key]])})
		words[key] = n
	}
	return all
}

func oldest(all []age) age {
	return slices.MaxFunc(all, func(a, b age) int { return int(a.age - b.age) })
}

// clean checks that the bot did nothing against the documentation, and got no 429.
func (r *rig) clean() {
	r.t.Helper()
	for _, v := range r.sim.Violations() {
		r.t.Errorf("violation: %s", v)
	}
	for _, s := range r.history() {
		if s.Kind == sim.Limited {
			r.t.Errorf("a 429 after %v", s.At.Sub(r.began))
		}
	}
}
