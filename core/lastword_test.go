package core_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
)

var errLostEdit = errors.New("no answer")

// editing is a chat of lines whose first edits end in their own way.
type editing struct {
	*lines
	n    atomic.Int64
	edit func(n int64, p core.Part, edit func() error) error
}

func (e *editing) Edit(ctx context.Context, m core.MessageRef, p core.Part) error {
	return e.edit(e.n.Add(1), p, func() error { return e.chat.Edit(ctx, m, p) })
}

// TestMessagesAfterEditsThatWentWrong holds that in the end each message shows what belongs there.
func TestMessagesAfterEditsThatWentWrong(t *testing.T) {
	head, tail := strings.Repeat("a", 100)+"\n", strings.Repeat("b", 40)
	ids := beat{0, core.Delta{Kind: core.DeltaIDs, Conversation: "c1", MessageID: "m1", TaskID: "t1"}}
	text := func(after time.Duration, s string) beat {
		return beat{after, core.Delta{Kind: core.DeltaText, Text: s}}
	}
	end := beat{time.Minute, core.Delta{Kind: core.DeltaEnd}}
	tests := []struct {
		name  string
		beats []beat
		want  []string
		edit  func(n int64, p core.Part, edit func() error) error
	}{
		{
			name:  "its answer was lost, and the message reads as before again",
			beats: []beat{ids, text(0, head), text(2*time.Second, tail), text(100*time.Millisecond, tail), end},
			want:  []string{head, tail + tail},
			edit: func(n int64, _ core.Part, edit func() error) error {
				err := edit()
				if n == 1 {
					return &core.Error{Op: "edit", Class: core.Transient, Err: errLostEdit}
				}
				return err
			},
		},
		{
			name:  "refused while the answer grew, and the message is full since",
			beats: []beat{ids, text(0, "a"), text(2*time.Second, head[1:]), text(2*time.Second, strings.Repeat("b", 100)), end},
			want:  []string{head, strings.Repeat("b", 100)},
			edit: func(n int64, _ core.Part, edit func() error) error {
				if n == 1 {
					return &core.Error{Op: "edit", Class: core.BadMarkup, Err: errLostEdit}
				}
				return edit()
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.chat.most = 150
				r.platform = &editing{lines: &lines{r.chat}, edit: tt.edit}
				r.app.answer = script(tt.beats...)
				r.start()
				r.accept(r.message("hi"))
				settle(3 * time.Minute)
				got := r.chat.texts()
				if strings.Join(got, "|") != strings.Join(tt.want, "|") {
					t.Errorf("shown: %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// TestFileThatComesWithATurn holds that a file is sent whose news a writer has taken in when its turn came, although the call
// of that turn has to be made again much later.
func TestFileThatComesWithATurn(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.chat.limits.EditGap = 0
		r.chat.fail = func(op string, n int) error {
			if op == "edit" && n == 1 {
				return &core.Error{Op: op, Class: core.RateLimited, RetryAfter: 5 * time.Minute, Err: errLostEdit}
			}
			return nil
		}
		r.platform = &granting{r.chat}
		r.app.answer = script(
			beat{0, core.Delta{Kind: core.DeltaIDs, Conversation: "c1", MessageID: "m1", TaskID: "t1"}},
			beat{time.Second, core.Delta{Kind: core.DeltaText, Text: "first "}},
			beat{5 * time.Second, core.Delta{Kind: core.DeltaText, Text: "last"}},
			beat{5 * time.Second, madeFile("a.txt", nil)},
			beat{10 * time.Minute, core.Delta{Kind: core.DeltaEnd}},
		)
		r.start()
		r.accept(r.message("one"))
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Contains(got, "a.txt") {
			t.Errorf("shown: %q, want the file", got)
		}
		settle(15 * time.Minute)
	})
}
