package core_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
)

// native is a chat with streams and drafts of its own.
type native struct {
	*chat
	streams, drafts bool
	life            time.Duration // of a stream, before AppendStream says that it is over

	open   map[string]string // message → text of its stream
	stops  []core.Part       // what StopStream was given
	starts int
	drawn  []chatDraft
}

type chatDraft struct {
	at    time.Time
	nonce string
	text  string
}

func newNative(c *chat) *native {
	return &native{chat: c, streams: true, life: time.Hour, open: map[string]string{}}
}

func (n *native) Limits(core.Place) core.Limits {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.limits
	l.Streams = n.streams
	if n.drafts {
		l.DraftEvery = 20 * time.Second
	}
	return l
}

// StreamText holds back an open bracket, which may become a mention.
func (n *native) StreamText(markdown string, final bool) string {
	if !final {
		markdown = strings.TrimRight(markdown, "<")
	}
	return markdown
}

func (n *native) StartStream(ctx context.Context, p core.Post, text string) (core.MessageRef, error) {
	n.mu.Lock()
	n.starts++
	n.mu.Unlock()
	if err := n.call(ctx, "start", p.Nonce, text); err != nil {
		if core.ClassOf(err) == core.Unsupported {
			n.mu.Lock()
			n.streams = false
			n.mu.Unlock()
		}
		return core.MessageRef{}, err
	}
	p.Part.Text = text
	ref, err := n.Post(ctx, p)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[ref.ID] = text
	return ref, err
}

func (n *native) AppendStream(ctx context.Context, s core.Stream, text string) error {
	if err := n.call(ctx, "append", s.Message.ID, text); err != nil {
		return err
	}
	if time.Since(s.Began) > n.life {
		return &core.Error{Op: "chat.AppendStream", Class: core.StreamOver}
	}
	return n.grow(s, text)
}

func (n *native) grow(s core.Stream, text string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	have, ok := n.open[s.Message.ID]
	if !ok {
		return &core.Error{Op: "chat.AppendStream", Class: core.StreamOver}
	}
	if len(have) != s.Sent {
		return &core.Error{Op: "chat.AppendStream", Class: core.Invalid}
	}
	n.open[s.Message.ID] = have + text
	m := n.find(s.Message)
	m.versions = append(m.versions, have+text)
	return nil
}

func (n *native) StopStream(ctx context.Context, s core.Stream, text string, whole core.Part) error {
	if err := n.call(ctx, "stop", s.Message.ID, text); err != nil {
		return err
	}
	if err := n.grow(s, text); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, s.Message.ID)
	n.stops = append(n.stops, whole)
	return nil
}

func (n *native) Edit(ctx context.Context, ref core.MessageRef, p core.Part) error {
	n.mu.Lock()
	delete(n.open, ref.ID)
	n.mu.Unlock()
	return n.chat.Edit(ctx, ref, p)
}

func (n *native) Draft(ctx context.Context, d core.Draft) error {
	if err := n.call(ctx, "draft", d.Nonce, d.Part.Text); err != nil {
		if core.ClassOf(err) == core.Unsupported {
			n.mu.Lock()
			n.drafts = false
			n.mu.Unlock()
		}
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drawn = append(n.drawn, chatDraft{at: time.Now(), nonce: d.Nonce, text: d.Part.Text})
	return nil
}

func (n *native) ops() []string {
	var ops []string
	for _, c := range n.callLog() {
		ops = append(ops, c.op)
	}
	return ops
}

// onNative runs f with a chat that streams and has drafts as asked for, in `stream.mode: native`.
func onNative(t *testing.T, streams, drafts bool, f func(t *testing.T, r *rig, n *native)) {
	bubble(t, func(t *testing.T, r *rig) {
		n := newNative(r.chat)
		n.streams, n.drafts = streams, drafts
		r.platform, r.set.Stream.Mode = n, "native"
		f(t, r, n)
	})
}

func words(n int) []string { return slices.Repeat([]string{"word "}, n) }

func TestStreamGrowsByWhatIsNew(t *testing.T) {
	onNative(t, true, false, func(t *testing.T, r *rig, n *native) {
		r.app.answer = says("c1", "m1", append(words(40), "<")...)
		r.start()
		r.accept(r.message("hi"))
		settle(20 * time.Second)
		want := strings.Repeat("word ", 40) + "<"
		if got := r.chat.texts(); !slices.Equal(got, []string{want}) {
			t.Fatalf("texts = %q", got)
		}
		ops := n.ops()
		if ops[0] != "start" || ops[len(ops)-1] != "stop" || slices.Contains(ops, "edit") || slices.Index(ops, "append") < 0 {
			t.Errorf("calls = %q, want start, append …, stop", ops)
		}
		if len(n.open) != 0 {
			t.Errorf("streams left open: %v", n.open)
		}
		if len(n.stops) != 1 || n.stops[0].Text != want {
			t.Errorf("StopStream was given %q", n.stops)
		}
	})
}

func TestReplacedAnswerEndsItsStream(t *testing.T) {
	onNative(t, true, false, func(t *testing.T, r *rig, n *native) {
		r.app.answer = func(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				for _, d := range []core.Delta{{Kind: core.DeltaText, Text: "bad words"}, {Kind: core.DeltaReplace, Text: "I cannot say"}, {Kind: core.DeltaEnd}} {
					select {
					case <-time.After(3 * time.Second):
					case <-ctx.Done():
					}
					if !yield(d, nil) {
						return
					}
				}
			}
		}
		r.start()
		r.accept(r.message("hi"))
		settle(20 * time.Second)
		if got := r.chat.texts(); !slices.Equal(got, []string{"I cannot say"}) || len(n.open) != 0 {
			t.Errorf("texts = %q, open streams %v", got, n.open)
		}
	})
}

func TestStreamFails(t *testing.T) {
	class := func(op string, at int, e core.Error) func(string, int) error {
		return func(o string, i int) error {
			if o == op && i == at {
				return &e
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name   string
		fail   func(op string, n int) error
		life   time.Duration
		edited bool // whether the rest is shown by edits
	}{
		{name: "not known to the server", fail: class("start", 1, core.Error{Class: core.Unsupported}), edited: true},
		{name: "text refused", fail: class("start", 1, core.Error{Class: core.Invalid}), edited: true},
		{name: "limited", fail: class("append", 2, core.Error{Class: core.RateLimited, RetryAfter: 2 * time.Second})},
		{name: "connection reset", fail: class("append", 2, core.Error{Class: core.Transient})},
		{name: "in doubt", fail: class("append", 2, core.Error{Class: core.Transient, Maybe: true}), edited: true},
		{name: "ended by the platform", fail: class("append", 2, core.Error{Class: core.StreamOver}), edited: true},
		{name: "would end soon", life: 2 * time.Second, edited: true},
		{name: "stop in doubt", fail: class("stop", 1, core.Error{Class: core.Transient, Maybe: true}), edited: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onNative(t, true, false, func(t *testing.T, r *rig, n *native) {
				r.app.answer = says("c1", "m%d", words(50)...)
				if tt.fail != nil {
					r.chat.failing(tt.fail)
				}
				if tt.life > 0 {
					n.life = tt.life
				}
				r.start()
				r.accept(r.message("hi"))
				settle(30 * time.Second)
				if got := r.chat.texts(); !slices.Equal(got, []string{strings.Repeat("word ", 50)}) {
					t.Errorf("texts = %q", got)
				}
				if got := slices.Contains(n.ops(), "edit"); got != tt.edited {
					t.Errorf("calls = %q, want edits: %v", n.ops(), tt.edited)
				}
			})
		})
	}
}

func TestRefusedStreamsAreRemembered(t *testing.T) {
	onNative(t, true, false, func(t *testing.T, r *rig, n *native) {
		r.chat.failing(func(op string, _ int) error {
			if op == "start" {
				return &core.Error{Class: core.Unsupported}
			}
			return nil
		})
		r.app.answer = says("c1", "m%d", words(20)...)
		r.start()
		for range 3 {
			r.accept(r.message("hi"))
			settle(10 * time.Second)
		}
		if got := len(r.chat.texts()); got != 3 || n.starts != 1 {
			t.Errorf("%d answers, streams tried %d times, want 3 and 1", got, n.starts)
		}
	})
}

func TestStreamOfStoppedProcess(t *testing.T) {
	onNative(t, true, false, func(t *testing.T, r *rig, n *native) {
		r.grace = 0
		r.app.answer = says("c1", "m1", words(600)...)
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		r.stop()
		if len(n.open) != 0 {
			t.Errorf("streams left open: %v", n.open)
		}
		r.app.answer = says("c1", "m1", "the whole answer")
		r.restart()
		settle(10 * time.Second)
		if got := r.chat.texts(); !slices.Equal(got, []string{"the whole answer"}) {
			t.Errorf("texts = %q", got)
		}
	})
}

func TestDraftsUntilTheMessage(t *testing.T) {
	onNative(t, false, true, func(t *testing.T, r *rig, n *native) {
		r.chat.most = 100
		r.app.answer = says("c1", "m1", words(50)...) // 250 characters: two messages and a half
		r.start()
		r.accept(r.message("hi"))
		settle(20 * time.Second)
		want := []string{strings.Repeat("word ", 20), strings.Repeat("word ", 20), strings.Repeat("word ", 10)}
		if got := r.chat.texts(); !slices.Equal(got, want) {
			t.Errorf("texts = %q", got)
		}
		if slices.Contains(n.ops(), "edit") {
			t.Errorf("calls = %q, want no edits", n.ops())
		}
		nonces := map[string]bool{}
		for _, m := range r.chat.all() {
			nonces[m.nonce] = true
		}
		for _, d := range n.drawn {
			if !nonces[d.nonce] {
				t.Errorf("draft %q has the nonce of no message", d.text)
			}
		}
		if len(n.drawn) < 3 {
			t.Errorf("%d drafts, want them to grow", len(n.drawn))
		}
	})
}

func TestDraftStaysWhileTheAppThinks(t *testing.T) {
	onNative(t, false, true, func(t *testing.T, r *rig, n *native) {
		r.app.answer = func(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				if !yield(core.Delta{Kind: core.DeltaText, Text: "one"}, nil) {
					return
				}
				select {
				case <-time.After(70 * time.Second):
				case <-ctx.Done():
				}
				yield(core.Delta{Kind: core.DeltaEnd}, nil)
			}
		}
		r.start()
		r.accept(r.message("hi"))
		settle(2 * time.Minute)
		if len(n.drawn) != 4 { // at 0, 20, 40 and 60 s
			t.Errorf("drafts = %v, want 4", n.drawn)
		}
		for i := 1; i < len(n.drawn); i++ {
			if gap := n.drawn[i].at.Sub(n.drawn[i-1].at); gap != 20*time.Second {
				t.Errorf("drafts %v apart", gap)
			}
		}
		if got := r.chat.texts(); !slices.Equal(got, []string{"one"}) {
			t.Errorf("texts = %q", got)
		}
	})
}

func TestDraftsThatAreRefused(t *testing.T) {
	onNative(t, false, true, func(t *testing.T, r *rig, _ *native) {
		r.chat.failing(func(op string, _ int) error {
			if op == "draft" {
				return &core.Error{Class: core.Unsupported}
			}
			return nil
		})
		r.app.answer = says("c1", "m%d", words(30)...)
		r.start()
		for range 2 {
			r.accept(r.message("hi"))
			settle(20 * time.Second)
		}
		if got := r.chat.texts(); len(got) != 2 || got[1] != strings.Repeat("word ", 30) {
			t.Errorf("texts = %q", got)
		}
		if got := r.chat.counts["draft"]; got != 1 {
			t.Errorf("drafts tried %d times, want once", got)
		}
	})
}

func TestNativeOutOfOrder(t *testing.T) {
	for _, op := range []string{"draft", "start"} {
		t.Run(op, func(t *testing.T) {
			onNative(t, op == "start", op == "draft", func(t *testing.T, r *rig, _ *native) {
				r.chat.failing(func(o string, _ int) error {
					if o == op {
						return &core.Error{Class: core.Transient}
					}
					return nil
				})
				r.app.answer = says("c1", "m%d", words(600)...)
				r.start()
				r.accept(r.message("hi"))
				settle(30 * time.Second)
				if got := r.chat.texts(); len(got) == 0 || !strings.HasPrefix(got[0], "word ") {
					t.Errorf("texts = %q, want the answer to grow without", got)
				}
				settle(time.Minute)
				if got := strings.Join(r.chat.texts(), ""); got != strings.Repeat("word ", 600) {
					t.Errorf("texts = %q", got)
				}
			})
		})
	}
}
