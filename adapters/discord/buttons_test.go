package discord_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

func post(t testing.TB, p core.Platform, at core.Place, part core.Part) core.MessageRef {
	t.Helper()
	ref, err := p.Post(t.Context(), core.Post{Place: at, Part: part})
	if err != nil {
		t.Fatalf("post: %v", err)
	}
	return ref
}

// sentComponents is what the last request about a message said of components; "" for nothing.
func sentComponents(t testing.TB, s *simdiscord.Server, m core.MessageRef) string {
	t.Helper()
	found, ok := s.Find(simRef(m))
	if !ok {
		t.Fatalf("no message %s", m.ID)
	}
	var body struct {
		Components json.RawMessage `json:"components"`
	}
	if err := json.Unmarshal(found.Raw, &body); err != nil {
		t.Fatal(err)
	}
	return string(body.Components)
}

func TestButtonsUnderMessages(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{RateScale: 1e-9})
	clean(t, s)
	at := core.Place{Room: simdiscord.General}
	if n := p.Limits(at).Buttons; n != 25 {
		t.Errorf("%d buttons", n)
	}
	var all []core.Button
	for i, id := range []string{"retry", "stop", "like", "dislike", "delete:1", "ask:0", "use:0b1e"} {
		all = append(all, core.Button{ID: id, Label: fmt.Sprintf("Button %d", i)})
	}
	m := post(t, p, at, core.Part{Text: "choose", Buttons: core.NewButtons(all...)})
	got := s.Buttons(simRef(m))
	if len(got) != len(all) {
		t.Fatalf("buttons %+v", got)
	}
	for i, want := range []struct{ style, row int }{{1, 0}, {4, 0}, {2, 0}, {2, 0}, {4, 0}, {2, 1}, {2, 1}} {
		if b := got[i]; b.ID != all[i].ID || b.Label != all[i].Label || b.Style != want.style || b.Row != want.row {
			t.Errorf("button %d: %+v", i, b)
		}
	}
	edit := func(bot core.Platform, m core.MessageRef, part core.Part) string {
		t.Helper()
		if err := bot.(core.Editor).Edit(t.Context(), m, part); err != nil {
			t.Fatalf("edit: %v", err)
		}
		return sentComponents(t, s, m)
	}
	if sent := edit(p, m, core.Part{Text: "chosen"}); sent != "[]" || len(s.Buttons(simRef(m))) != 0 {
		t.Errorf("an edit without buttons says %q and leaves %+v", sent, s.Buttons(simRef(m)))
	}
	if sent := edit(p, m, core.Part{Text: "chosen again"}); sent != "" {
		t.Errorf("a further edit says %q", sent)
	}
	if edit(p, m, core.Part{Text: "again", Buttons: core.NewButtons(all[0])}); len(s.Buttons(simRef(m))) != 1 {
		t.Error("an edit with a button shows none")
	}

	bare := post(t, p, at, core.Part{Text: "hello"})
	if sent := edit(p, bare, core.Part{Text: "hello, all"}); sent != "" {
		t.Errorf("an edit of a message that never had buttons says %q", sent)
	}
	next := newBot(t, s.APIURL(), simdiscord.DefaultToken) // the next process knows nothing of the message
	if sent := edit(next, m, core.Part{Text: "done"}); sent != "[]" || len(s.Buttons(simRef(m))) != 0 {
		t.Errorf("the next process's edit says %q and leaves %+v", sent, s.Buttons(simRef(m)))
	}
}

func TestButtonsThatDiscordWouldRefuse(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{RateScale: 1e-9})
	clean(t, s)
	all := []core.Button{
		{ID: "a", Label: strings.Repeat("👩‍👩‍👧", 20)},
		{ID: "a", Label: "twice"},
		{ID: "", Label: "no id"},
		{ID: "b", Label: "  "},
		{ID: strings.Repeat("x", 101), Label: "long id"},
	}
	for i := range 30 {
		all = append(all, core.Button{ID: fmt.Sprint(i), Label: "x"})
	}
	m := post(t, p, core.Place{Room: simdiscord.DMMinh}, core.Part{Text: "choose", Buttons: core.NewButtons(all...)})
	got := s.Buttons(simRef(m))
	if len(got) != 25 || got[0].Label != strings.Repeat("👩‍👩‍👧", 9)+"…" || got[1].ID != "b" || got[1].Label != "b" {
		t.Errorf("%d buttons: %+v", len(got), got[:2])
	}
}

// TestButtonsOfALostAnswer: an edit with a button whose answer is lost may have arrived.
func TestButtonsOfALostAnswer(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{RateScale: 1e-9})
	m := post(t, p, core.Place{Room: simdiscord.General}, core.Part{Text: "hello"})
	s.Faults().Add(sim.Fault{Match: "PATCH /", Times: 1, Cut: true, Handled: true})
	if err := p.Edit(t.Context(), m, core.Part{Text: "retry?", Buttons: core.NewButtons(core.Button{ID: "retry", Label: "Retry"})}); err == nil {
		t.Fatal("no error")
	}
	if err := p.Edit(t.Context(), m, core.Part{Text: "done"}); err != nil {
		t.Fatal(err)
	}
	if left := s.Buttons(simRef(m)); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}
