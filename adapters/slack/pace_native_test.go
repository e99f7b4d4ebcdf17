package slack_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// kinds counts what was seen.
func (w *workshop) kinds() map[sim.SeenKind]int {
	n := map[sim.SeenKind]int{}
	for _, s := range w.shows() {
		n[s.Kind]++
	}
	return n
}

// TestNative: an answer streams, and when it ends it is edited only where the stream did not look as well.
func TestNative(t *testing.T) {
	table := func(_, n int) string { return fmt.Sprintf("|0|%04d|\n", n) + map[int]string{0: "|-|-|\n"}[n] }
	tests := []struct {
		name  string
		word  func(int, int) string
		edits int
	}{{"plain", nil, 0}, {"table", table, 1}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inWorkshop(t, scene{answers: 1, rooms: 1, words: 60, each: 500 * time.Millisecond, mode: "native", word: tt.word}, func(t *testing.T, w *workshop) {
				w.askAll()
				pass(time.Minute)
				w.kept()
				k := w.kinds()
				if k[sim.Posted] != 1 || k[sim.Appended] < 25 || k[sim.Edited] != tt.edits || k[sim.Deleted] != 0 {
					t.Errorf("seen: %v", k)
				}
				before := ""
				for _, s := range w.shows() {
					if s.Kind == sim.Edited {
						break
					}
					if !strings.HasPrefix(s.Text, before) {
						t.Errorf("%q does not grow from %q", s.Text, before)
					}
					before = s.Text
				}
				if tt.word == nil {
					w.wholeOnce()
				}
			})
		})
	}
}

// TestNativeRotates: a stream ends before Slack ends it, and before its message is full; the answer goes on by edits.
func TestNativeRotates(t *testing.T) {
	t.Run("old", func(t *testing.T) {
		t.Parallel()
		inWorkshop(t, scene{answers: 1, rooms: 1, words: 140, each: 2 * time.Second, mode: "native"}, func(t *testing.T, w *workshop) {
			w.askAll()
			pass(7 * time.Minute)
			w.kept()
			w.wholeOnce()
			var streamed, edited time.Duration
			for _, s := range w.states() {
				if s.kind == sim.Appended {
					streamed = s.at
				} else if edited == 0 && s.kind == sim.Edited {
					edited = s.at
				}
			}
			if streamed < 235*time.Second || streamed > 250*time.Second || edited < streamed || edited > streamed+5*time.Second {
				t.Errorf("streamed until %v, edited from %v", streamed, edited)
			}
			if age := w.oldest(w.states()); age > 5*time.Second {
				t.Errorf("unseen text got %v old", age)
			}
		})
	})
	t.Run("long", func(t *testing.T) {
		t.Parallel()
		inWorkshop(t, scene{answers: 1, rooms: 1, words: 60, each: time.Second, mode: "native", word: paragraphs}, func(_ *testing.T, w *workshop) {
			w.askAll()
			pass(3 * time.Minute)
			w.kept()
			w.rolledOver(2)
		})
	})
}

// TestManyNative has more answers than Slack allows streams: the others are posted and edited, and none waits for a stream.
func TestManyNative(t *testing.T) {
	inWorkshop(t, scene{answers: 30, rooms: 6, words: 40, each: 2 * time.Second, mode: "native"}, func(t *testing.T, w *workshop) {
		w.askAll()
		pass(4 * time.Minute)
		w.kept()
		w.wholeOnce()
		all := w.states()
		streams := map[int]bool{}
		for _, s := range all {
			if s.kind == sim.Appended {
				streams[s.answer] = true
			}
			if s.first && s.at > 10*time.Second {
				t.Errorf("answer %d is first shown at %v", s.answer, s.at)
			}
		}
		t.Logf("%d of %d answers streamed; unseen text got %v old", len(streams), w.answers, w.oldest(all))
		if len(streams) < 4 {
			t.Errorf("%d answers streamed, want the burst that Slack allows at least", len(streams))
		}
	})
}

// TestNativeFallsBack: where streams are refused, answers are posted and edited, and streams are not tried again.
func TestNativeFallsBack(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"unknown method": {Status: http.StatusOK, Body: `{"ok":false,"error":"unknown_method"}`},
		"bare 404":       {Status: http.StatusNotFound, Body: "404 page not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorkshop(t, scene{answers: 3, rooms: 3, words: 30, each: time.Second, mode: "native"}, func(t *testing.T, w *workshop) {
				fault.Match = "/api/chat.startStream"
				w.sim.Faults().Add(fault)
				w.ask(0)
				pass(10 * time.Second)
				w.ask(1)
				w.ask(2)
				pass(2 * time.Minute)
				w.kept()
				w.wholeOnce()
				if n := w.sim.Faults().Hits(); n != 1 {
					t.Errorf("a stream was tried %d times", n)
				}
				if age := w.oldest(w.states()); age > 5*time.Second {
					t.Errorf("unseen text got %v old", age)
				}
			})
		})
	}
}

// TestNativeInDoubt: whatever happens to a stream on its way, the answer stands whole and once in the end.
func TestNativeInDoubt(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"append's answer lost": {Match: "chat.appendStream", After: 5, Times: 1, Cut: true, Handled: true},
		"append lost":          {Match: "chat.appendStream", After: 5, Times: 1, Cut: true},
		"stop's answer lost":   {Match: "chat.stopStream", Times: 1, Cut: true, Handled: true},
		"stop lost":            {Match: "chat.stopStream", Times: 1, Cut: true},
		"appends limited":      sim.TooManyRequests("chat.appendStream", 10*time.Second, 1),
		"stops limited":        sim.TooManyRequests("chat.stopStream", 10*time.Second, 1),
		"stream over":          {Match: "chat.appendStream", After: 5, Status: 200, Body: `{"ok":false,"error":"message_not_in_streaming_state"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorkshop(t, scene{answers: 1, rooms: 1, words: 30, each: time.Second, mode: "native"}, func(t *testing.T, w *workshop) {
				w.sim.Faults().Add(fault)
				w.askAll()
				pass(2 * time.Minute)
				w.kept()
				w.wholeOnce()
				if w.sim.Faults().Hits() == 0 {
					t.Error("nothing went wrong")
				}
			})
		})
	}
}

// TestNativeStopped: a person presses the stop button of a stream; what shows stays as it is.
func TestNativeStopped(t *testing.T) {
	inWorkshop(t, scene{answers: 1, rooms: 1, words: 30, each: time.Second, mode: "native"}, func(t *testing.T, w *workshop) {
		w.askAll()
		pass(10 * time.Second)
		at := w.shows()[0].Ref
		if err := w.sim.Halt(t.Context(), at, simslack.Minh); err != nil {
			t.Fatal(err)
		}
		before, _ := w.sim.Find(at)
		pass(time.Minute)
		w.kept()
		all := w.sim.Messages(at.Room, at.Thread)
		if len(all) != 2 || all[1].Shown != before.Shown || !strings.Contains(before.Shown, "0-0005") {
			t.Errorf("the thread shows %d messages, the last %q; want the question and %q", len(all), all[len(all)-1].Shown, before.Shown)
		}
		if got := w.sim.Session(at.Room, at.Thread); got != "active" {
			t.Errorf("the session is %q, want it released", got)
		}
	})
}

// TestStreamsPingNobody holds that whatever an answer says, its stream notifies nobody, is taken, and loses no text.
func TestStreamsPingNobody(t *testing.T) {
	t.Parallel()
	inWorkshop(t, scene{rooms: 1, options: simslack.Options{LimitScale: 1000}}, func(t *testing.T, w *workshop) {
		s, p := w.sim, w.bot
		at := asked(t, s, roomOf(0))
		cases := append(markdowntest.Corpus(t), markdowntest.Case{
			Name: "mentions", Source: "<!channel> <@U0ANNA0001> `<!here>` &lt;!everyone&gt; <**!here**> <<b>!here> \\<!here> <!subteam^S1|x>\n\n    <!here>",
		})
		streamed := 0
		for _, c := range cases {
			text := p.StreamText(c.Source, true)
			half := p.StreamText(c.Source[:len(c.Source)/2], false)
			if half == "" || len(text) > 3900 {
				continue
			}
			streamed++
			st := streaming(t, p, at, half)
			if rest := text[len(half):]; rest != "" {
				appended(t, p, &st, rest)
			}
			if err := p.StopStream(t.Context(), st, "", core.Part{}); err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			if got := find(t, s, st.Message).Text; got != text {
				t.Errorf("%s: the stream holds %q, want %q", c.Name, got, text)
			}
		}
		if pings := s.Pings(); len(pings) > 0 || streamed < len(cases)/2 {
			t.Errorf("%d answers streamed; pings: %q", streamed, pings)
		}
		w.kept()
	})
}
