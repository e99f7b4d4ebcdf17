package core_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

// TestStopUnderQuietAnswer holds that an answer can be stopped by a button also when its app has gone quiet, which takes one edit.
func TestStopUnderQuietAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.app.answer = func(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				if yield(core.Delta{Kind: core.DeltaText, Text: "Let me look"}, nil) {
					<-ctx.Done()
					yield(core.Delta{}, ctx.Err())
				}
			}
		}
		r.start()
		r.accept(r.message("what?"))
		settle(4 * time.Second)
		before := r.chat.all()
		settle(2 * time.Second)
		after := r.chat.all()
		want := core.NewButtons(core.Button{ID: "stop", Label: "⏹️ Stop"})
		if len(before) != 1 || before[0].buttons != "" || len(after) != 1 || after[0].buttons != want {
			t.Fatalf("shown %+v, then %+v; want the button to stop alone to come", before, after)
		}
		calls := len(r.chat.callLog())
		settle(time.Minute)
		if all := r.chat.callLog(); len(all) != calls {
			t.Errorf("shown again without news: %+v", all[calls:])
		}
		r.accept(r.press(after[0].ref, "stop", ""))
		r.settle()
		if last := r.chat.all()[0]; last.buttons == want {
			t.Errorf("the button to stop is still there")
		}
	})
}
