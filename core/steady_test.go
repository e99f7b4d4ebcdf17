package core_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// beat is a delta and the time before it.
type beat struct {
	after time.Duration
	delta core.Delta
}

func script(beats ...beat) func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
	return func(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
		return func(yield func(core.Delta, error) bool) {
			for _, b := range beats {
				select {
				case <-time.After(b.after + time.Nanosecond):
				case <-ctx.Done():
					yield(core.Delta{}, ctx.Err())
					return
				}
				if !yield(b.delta, nil) {
					return
				}
			}
		}
	}
}

var end = core.Delta{Kind: core.DeltaEnd}

func madeFile(name string, err error) core.Delta {
	return core.Delta{Kind: core.DeltaFile, File: core.FileOut{ID: name, File: core.File{Name: name, Size: 1, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("x")), err
	}}}}
}

// A writer that goes round and round without a wait would keep the bubble's clock from going on: these tests would not end.
func TestDraftRestsWhileNothingChanges(t *testing.T) {
	for _, tt := range []struct {
		name  string
		beats []beat
		want  []string
	}{
		{
			name: "the status that it showed is over",
			beats: []beat{
				{0, core.Delta{Kind: core.DeltaWaiting, Wait: 4 * time.Second}},
				{4 * time.Second, core.Delta{Kind: core.DeltaIDs, Conversation: "c", MessageID: "m"}},
				{40 * time.Second, text("hi")},
				{time.Second, end},
			},
			want: []string{"hi"},
		},
		{
			name: "a file was sent meanwhile",
			beats: []beat{
				{0, core.Delta{Kind: core.DeltaIDs, Conversation: "c", MessageID: "m"}},
				{time.Second, text("hi")},
				{5 * time.Second, madeFile("a.txt", nil)},
				{10 * time.Second, end},
			},
			want: []string{"a.txt", "hi"},
		},
		{
			name: "the answer was replaced by a shorter one",
			beats: []beat{
				{time.Second, text(strings.Repeat("word ", 25))},
				{5 * time.Second, core.Delta{Kind: core.DeltaReplace, Text: "short"}},
				{40 * time.Second, end},
			},
			want: []string{"short"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onNative(t, false, true, func(t *testing.T, r *rig, _ *native) {
				r.chat.most = 100
				r.app.answer = script(tt.beats...)
				r.start()
				r.accept(r.message("hi"))
				settle(2 * time.Minute)
				if got := r.chat.texts(); !slices.Equal(got, tt.want) {
					t.Errorf("texts = %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// asked is a paced chat that notes who asked for a turn.
type asked struct {
	*paced
	shows []core.Show
}

func (a *asked) Pace(ctx context.Context, s core.Show) error {
	a.mu.Lock()
	a.shows = append(a.shows, s)
	a.mu.Unlock()
	return a.paced.Pace(ctx, s)
}

func (a *asked) urgent() (n int) {
	for _, s := range a.shows {
		if s.Urgent {
			n++
		}
	}
	return n
}

func TestSecondTryOfAFirstTextIsUrgent(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		a := &asked{paced: newPaced(r.chat, every(10*time.Millisecond))}
		r.platform = a
		r.chat.failing(func(op string, n int) error {
			if op == "post" && n == 1 {
				return &core.Error{Class: core.RateLimited, RetryAfter: 2 * time.Second}
			}
			return nil
		})
		r.app.answer = (&letters{n: 100}).answer
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if !a.shows[0].Urgent || !a.shows[1].Urgent || a.shows[2].Urgent {
			t.Errorf("turns asked for: %+v, want the first two urgent", a.shows[:3])
		}
	})
}

func TestRefreshesBehindThoughtsAreNotUrgent(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		a := &asked{paced: newPaced(r.chat, every(10*time.Millisecond))}
		r.platform, r.chat.most, r.set.Show.Thoughts = a, 100, "full"
		beats := []beat{{0, core.Delta{Kind: core.DeltaThought, Thought: core.Thought{ID: "1", Text: strings.Repeat("think ", 18)}}}}
		for range 30 {
			beats = append(beats, beat{time.Second, text("x")})
		}
		r.app.answer = script(append(beats, beat{0, end})...)
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if n := a.urgent(); n < 2 || n > 4 {
			t.Errorf("%d of %d turns were urgent, want the first text and the last edit", n, len(a.shows))
		}
	})
}

func TestGapHoldsWhereMoreMessagesStandThanTheTextNeeds(t *testing.T) {
	t.Run("after a restart", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			r.grace = 0
			p := newPaced(r.chat, every(time.Millisecond))
			r.platform, r.chat.most = p, 100
			r.app.answer = says("c1", "m1", words(400)...)
			r.start()
			r.accept(r.message("hi"))
			settle(7 * time.Second)
			r.stop()
			calls, renders := len(r.chat.callLog()), p.renders.Load()
			r.app.answer = says("c1", "m1", words(60)...)
			r.restart()
			settle(20 * time.Second)
			if n, m := len(r.chat.callLog())-calls, p.renders.Load()-renders; n > 15 || m > int64(n)+3 {
				t.Errorf("%d calls and %d renders in 6 s at one edit a second", n, m)
			}
		})
	})
	t.Run("after a replacement", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			p := newPaced(r.chat, every(time.Millisecond))
			r.platform, r.chat.most = p, 100
			beats := []beat{{0, text(strings.Repeat("word ", 50))}, {5 * time.Second, core.Delta{Kind: core.DeltaReplace, Text: "a"}}}
			for range 80 {
				beats = append(beats, beat{50 * time.Millisecond, text("x")})
			}
			r.app.answer = script(append(beats, beat{0, end})...)
			r.start()
			r.accept(r.message("hi"))
			settle(time.Minute)
			if n, m := len(r.chat.callLog()), p.renders.Load(); n > 14 || m > int64(n)+3 {
				t.Errorf("%d calls and %d renders in 9 s at one edit a second", n, m)
			}
			if got := r.chat.texts(); !slices.Equal(got, []string{"a" + strings.Repeat("x", 80)}) {
				t.Errorf("texts = %q", got)
			}
		})
	})
}

// heldBack shows nothing from the first bracket on before the end.
type heldBack struct{ *paced }

func (h *heldBack) Render(markdown string, final bool) []core.Part {
	if i := strings.Index(markdown, "<"); i >= 0 && !final {
		markdown = markdown[:i]
	}
	return h.paced.Render(markdown, final)
}

func TestHeldBackTextIsNotRenderedWithEveryChunk(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		h := &heldBack{newPaced(r.chat, pace.Rule{})}
		r.platform = h
		r.app.answer = says("c1", "m1", append([]string{"intro <"}, words(300)...)...)
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if n := h.renders.Load(); n > 40 {
			t.Errorf("rendered %d times in 30 s for %d calls", n, len(r.chat.callLog()))
		}
	})
}

func TestEndOfAStreamWaitsForWhatItsPlatformAsked(t *testing.T) {
	onNative(t, true, false, func(t *testing.T, r *rig, _ *native) {
		r.chat.failing(func(op string, _ int) error {
			if op == "append" {
				return &core.Error{Class: core.RateLimited, RetryAfter: 30 * time.Second}
			}
			return nil
		})
		r.app.answer = says("c1", "m%d", words(50)...)
		r.start()
		r.accept(r.message("hi"))
		settle(80 * time.Second)
		var refused time.Time
		for _, c := range r.chat.callLog() {
			if c.op == "append" {
				refused = c.at
			}
			if c.op == "stop" && c.at.Sub(refused) < 30*time.Second {
				t.Errorf("stopped %v after being told to wait for 30 s", c.at.Sub(refused))
			}
		}
	})
}

func TestLastEditRefused(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = says("c1", "m%d", words(50)...)
		r.chat.failing(func(op string, _ int) error {
			calls := r.chat.callLog()
			if op == "edit" && len(calls[len(calls)-1].text) == 250 {
				return &core.Error{Class: core.Invalid}
			}
			return nil
		})
		r.start()
		r.accept(r.message("hi"))
		settle(30 * time.Second)
		if got := r.chat.texts(); got[len(got)-1] != strings.Repeat("word ", 50) {
			t.Errorf("texts = %q, want the whole answer in a message of its own", got)
		}
	})
}

func TestRefusedStreamIsTriedOnce(t *testing.T) {
	onNative(t, true, false, func(t *testing.T, r *rig, n *native) {
		r.chat.failing(func(op string, i int) error {
			switch {
			case op == "start":
				return &core.Error{Class: core.Invalid}
			case op == "post" && i < 5:
				return &core.Error{Class: core.RateLimited, RetryAfter: 2 * time.Second}
			}
			return nil
		})
		r.app.answer = (&letters{n: 200}).answer
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); n.starts != 1 || len(got) != 1 || len(got[0]) != 200 {
			t.Errorf("%d streams tried, texts = %q", n.starts, got)
		}
	})
}

func TestFilesThatWereDealtWithAreNotSentAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = 0
		answer := func(rest time.Duration) {
			r.app.answer = script(
				beat{0, core.Delta{Kind: core.DeltaIDs, Conversation: "c", MessageID: "m"}}, beat{time.Second, text("hi")},
				beat{time.Second, madeFile("bad.txt", &core.Error{Class: core.NotFound})}, beat{time.Second, madeFile("good.txt", nil)}, beat{rest, end},
			)
		}
		answer(100 * time.Second)
		r.start()
		r.accept(r.message("hi"))
		settle(20 * time.Second)
		r.stop()
		answer(time.Second)
		r.restart()
		settle(time.Minute)
		n := 0
		for _, s := range r.chat.texts() {
			if s == "good.txt" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("texts = %q, want good.txt once", r.chat.texts())
		}
	})
}

// counting counts how often core looks at what the platform can do, which it does in every step.
type counting struct {
	*chat
	looks atomic.Int64
}

func (c *counting) Limits(p core.Place) core.Limits {
	c.looks.Add(1)
	return c.chat.Limits(p)
}

func TestChunksDoNotWakeAWriterThatShowsTheEndAlone(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		c := &counting{chat: r.chat}
		c.limits.TypingEvery = 0
		r.platform, r.set.Stream.Mode = c, "final"
		r.app.answer = (&letters{n: 200}).answer
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); len(got) != 1 || len(got[0]) != 200 {
			t.Errorf("texts = %q", got)
		}
		if n := c.looks.Load(); n > 20 {
			t.Errorf("%d looks for 200 chunks", n)
		}
	})
}

// lines is a chat whose messages end at the end of a line.
type lines struct{ *chat }

func (l *lines) Render(markdown string, _ bool) []core.Part {
	var parts []core.Part
	for len(markdown) > l.most {
		cut := strings.LastIndexByte(markdown[:l.most], '\n') + 1
		if cut == 0 {
			cut = l.most
		}
		parts = append(parts, core.Part{Text: markdown[:cut]})
		markdown = markdown[cut:]
	}
	return append(parts, core.Part{Text: markdown})
}

func TestTextThatMovesToTheNextMessageDoesNotVanish(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.platform, r.chat.most, r.chat.limits.EditGap = &lines{r.chat}, 150, 150*time.Millisecond
		var pieces []string
		for range 8 {
			pieces = append(pieces, append(words(11), "end\n")...)
		}
		r.app.answer = says("c1", "m1", pieces...)
		r.chat.takes = 100 * time.Millisecond
		r.start()
		r.accept(r.message("hi"))
		most := 0
		for range 1000 {
			settle(20 * time.Millisecond)
			now := 0
			for _, s := range r.chat.texts() {
				now += strings.Count(s, "word")
			}
			if now < most {
				t.Fatalf("%d words are to be seen where %d were: %q", now, most, r.chat.texts())
			}
			// Words may stand twice while their message is not cut yet.
			most = max(most, min(now, strings.Count(strings.Join(unique(r.chat.texts()), ""), "word")))
		}
		if got := strings.Join(r.chat.texts(), ""); got != strings.Join(pieces, "") {
			t.Errorf("in the end: %q", got)
		}
	})
}

// leaving is a chat that renders without the parts that stand, and remembers how many those were at most.
type leaving struct {
	*lines
	most atomic.Int64
}

func (l *leaving) NewRender() func(string, bool, int) (int, []core.Part) {
	var before []core.Part
	return func(markdown string, final bool, stands int) (int, []core.Part) {
		parts, from := l.Render(markdown, final), 0
		for from < min(stands, len(before), len(parts)-1) && parts[from] == before[from] {
			from++
		}
		before = parts
		l.most.Store(max(l.most.Load(), int64(from)))
		return from, parts[from:]
	}
}

// TestPartsThatStandAreNotRendered holds that a reply is whole whose first messages are rendered no more, also when the app puts
// another text in its place.
func TestPartsThatStandAreNotRendered(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		l := &leaving{lines: &lines{r.chat}}
		r.platform, r.chat.most = l, 150
		beats := []beat{{0, core.Delta{Kind: core.DeltaIDs, Conversation: "c1", MessageID: "m1", TaskID: "t1"}}}
		var texts []string
		for _, name := range []string{"first", "second"} {
			text, kind := "", core.DeltaReplace
			for i := range 60 {
				line := fmt.Sprintf("%s %d\n", name, i)
				beats = append(beats, beat{300 * time.Millisecond, core.Delta{Kind: kind, Text: line}})
				text, kind = text+line, core.DeltaText
			}
			texts = append(texts, text)
			beats = append(beats, beat{time.Minute, core.Delta{Kind: core.DeltaText}})
		}
		r.app.answer = script(append(beats, beat{0, core.Delta{Kind: core.DeltaEnd}})...)
		r.start()
		r.accept(r.message("hi"))
		for _, want := range texts {
			settle(time.Minute)
			if got := strings.Join(r.chat.texts(), ""); got != want {
				t.Errorf("shown: %q, want %q", got, want)
			}
			settle(18 * time.Second)
		}
		settle(time.Minute)
		if got := strings.Join(r.chat.texts(), ""); got != texts[1] {
			t.Errorf("in the end: %q, want %q", got, texts[1])
		}
		if n := l.most.Load(); n < 2 {
			t.Errorf("%d parts were left out at most, want more", n)
		}
	})
}

// unique drops what a message has in common with the beginning of the next one.
func unique(texts []string) []string {
	out := slices.Clone(texts)
	for i := 0; i+1 < len(out); i++ {
		for n := min(len(out[i]), len(out[i+1])); n > 0; n-- {
			if strings.HasSuffix(out[i], out[i+1][:n]) {
				out[i] = out[i][:len(out[i])-n]
				break
			}
		}
	}
	return out
}
