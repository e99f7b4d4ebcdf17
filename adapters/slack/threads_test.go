package slack_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

func TestThreadBefore(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	root := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "who knows & helps?"})
	at := core.Place{Room: simslack.General, Thread: root.ID}
	say(t, s, sim.Say{Room: simslack.General, Thread: root.ID, User: simslack.Anna, Text: "ask @Minh in #support"})
	post(t, p, at, "me")
	say(t, s, sim.Say{Room: simslack.General, Thread: root.ID, User: simslack.Tom, Files: []sim.File{{Name: "a.txt", Data: []byte("x")}}})
	question := say(t, s, sim.Say{Room: simslack.General, Thread: root.ID, User: simslack.Tom, Text: "what now?", Mention: true})
	say(t, s, sim.Say{Room: simslack.General, Thread: root.ID, User: simslack.Tom, Text: "too late"})
	ref := core.MessageRef{Place: at, ID: question.ID}
	lines := func(limit int) []string {
		past, err := p.ThreadBefore(t.Context(), ref, limit)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, m := range past {
			found = append(found, fmt.Sprintf("%s %t: %s", m.From.DisplayName(), m.Bot, m.Text))
		}
		return found
	}
	want := []string{"Minh false: who knows & helps?", "Anna false: ask @Minh in #support", "bridge true: me", "Tom false: [a.txt]"}
	if got := lines(20); !slices.Equal(got, want) {
		t.Errorf("before the question: %q, want %q", got, want)
	}
	if got := lines(2); !slices.Equal(got, want[2:]) {
		t.Errorf("the last two: %q, want %q", got, want[2:])
	}
	if past, err := p.ThreadBefore(t.Context(), core.MessageRef{Place: core.Place{Room: simslack.General}, ID: root.ID}, 20); err != nil || len(past) != 0 {
		t.Errorf("outside a thread: %v, %v, want nothing", past, err)
	}
}

// TestLongThread holds that the last messages of a thread of several pages are found.
func TestLongThread(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	root := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "0"})
	for i := range 450 {
		say(t, s, sim.Say{Room: simslack.General, Thread: root.ID, User: simslack.Anna, Text: fmt.Sprint(i + 1)})
	}
	question := say(t, s, sim.Say{Room: simslack.General, Thread: root.ID, User: simslack.Tom, Text: "sum?", Mention: true})
	past, err := p.ThreadBefore(t.Context(), core.MessageRef{Place: core.Place{Room: simslack.General, Thread: root.ID}, ID: question.ID}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(past) != 3 || past[0].Text != "448" || past[2].Text != "450" {
		t.Errorf("the last three: %+v, want 448 to 450", past)
	}
}

// TestThreadWithUnknownBlocks holds that a block that slack-go does not know spoils no page.
func TestThreadWithUnknownBlocks(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	s.Faults().Add(sim.Fault{Match: "conversations.replies", Status: http.StatusOK, Body: `{"ok":true,"messages":[
		{"user":"` + simslack.Minh + `","ts":"1700000000.000001","text":"one","blocks":[{"type":"actions","elements":[{"type":"hologram"}]}]},
		{"user":17,"ts":"1700000000.000002"}, 5,
		{"user":"` + simslack.Minh + `","ts":"1700000000.000003","text":"two"}],"has_more":false}`})
	past, err := p.ThreadBefore(t.Context(), core.MessageRef{
		Place: core.Place{Room: simslack.General, Thread: "1700000000.000001"}, ID: "1700000000.000009",
	}, 20)
	if err != nil || len(past) != 2 || past[0].Text != "one" || past[1].Text != "two" {
		t.Errorf("ThreadBefore = %+v, %v", past, err)
	}
}
