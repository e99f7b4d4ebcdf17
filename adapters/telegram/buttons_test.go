package telegram_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// rows are the buttons of a message, as "label=data" with a bar between rows.
func rows(s *simtelegram.Server, t testing.TB, m core.MessageRef) string {
	t.Helper()
	var out []string
	for _, row := range s.Buttons(find(t, s, m).Ref) {
		var line []string
		for _, b := range row {
			line = append(line, b.Text+"="+b.Data)
		}
		out = append(out, strings.Join(line, " "))
	}
	return strings.Join(out, " | ")
}

func with(p core.Part, all ...core.Button) core.Part {
	p.Buttons = core.NewButtons(all...)
	return p
}

func TestButtonsOfAPost(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{RateScale: 1e6})
	telegram.Unlimited(p)
	clean(t, s)
	long := strings.Repeat("l", core.MaxButtonID)
	tests := []struct {
		name    string
		at      core.Place
		buttons []core.Button
		want    string
	}{
		{"none", private, nil, ""},
		{"short ones", private, []core.Button{{ID: "l", Label: "👍"}, {ID: "d", Label: "👎"}}, "👍=l 👎=d"},
		{"group", core.Place{Room: simtelegram.Group}, []core.Button{{ID: "stop", Label: "Stop"}}, "Stop=stop"},
		{"topic", core.Place{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling}, []core.Button{{ID: "stop", Label: "Dừng lại"}}, "Dừng lại=stop"},
		{"long ones", private, []core.Button{{ID: "1", Label: "How do I cancel my order?"}, {ID: "2", Label: "Where is it?"}, {ID: "3", Label: "Who?"}}, "How do I cancel my order?=1 | Where is it?=2 Who?=3"},
		{"many short ones", private, []core.Button{{ID: "1", Label: "a"}, {ID: "2", Label: "b"}, {ID: "3", Label: "c"}, {ID: "4", Label: "d"}, {ID: "5", Label: "e"}}, "a=1 b=2 c=3 d=4 | e=5"},
		{"what would be refused", private, []core.Button{{ID: "", Label: "x"}, {ID: "x", Label: " "}, {ID: long + "x", Label: "x"}, {ID: long, Label: "y"}}, "y=" + long},
	}
	for _, tt := range tests {
		turn(t, p, tt.at)
		ref, err := p.Post(t.Context(), core.Post{Place: tt.at, Part: with(part("pick"), tt.buttons...)})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := rows(s, t, ref); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if n := p.Limits(tt.at).Buttons; n < 5 {
			t.Errorf("%s: %d buttons at most", tt.name, n)
		}
	}
}

// TestButtonsOfAnEdit: an edit shows its own buttons, and takes those away that it does not have.
func TestButtonsOfAnEdit(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{RateScale: 1e6})
	telegram.Unlimited(p)
	clean(t, s)
	ref := post(t, p, private, "working")
	stop, retry := core.Button{ID: "stop", Label: "Stop"}, core.Button{ID: "retry", Label: "Try again"}
	steps := []struct {
		name string
		part core.Part
		want string
	}{
		{"buttons alone change", with(part("working"), stop), "Stop=stop"},
		{"nothing changes", with(part("working"), stop), "Stop=stop"},
		{"other ones", with(part("working"), retry), "Try again=retry"},
		{"text alone", with(part("more"), retry), "Try again=retry"},
		{"taken away with the text as it was", part("more"), ""},
		{"again", with(part("more"), stop, retry), "Stop=stop Try again=retry"},
		{"taken away with a new text", part("done"), ""},
	}
	for _, step := range steps {
		if err := edit(t, p, ref, step.part); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := rows(s, t, ref); got != step.want {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
	}
	if got := find(t, s, ref).Shown; got != "done" {
		t.Errorf("text = %q", got)
	}
}

// TestButtonsWithPlainText: where the markup of a text is refused, the plain text has the same buttons.
func TestButtonsWithPlainText(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{RateScale: 1e6})
	refused := core.Part{Text: "<b>x", Plain: "x", Buttons: core.NewButtons(core.Button{ID: "a", Label: "A"})}
	turn(t, p, private)
	ref, err := p.Post(t.Context(), core.Post{Place: private, Part: refused})
	if err != nil || rows(s, t, ref) != "A=a" {
		t.Fatalf("post: %s, %v", rows(s, t, ref), err)
	}
	refused.Plain, refused.Buttons = "y", core.NewButtons(core.Button{ID: "b", Label: "B"})
	if err := edit(t, p, ref, refused); err != nil || rows(s, t, ref) != "B=b" || find(t, s, ref).Shown != "y" {
		t.Errorf("edit: %s, %v", rows(s, t, ref), err)
	}
	if !slices.ContainsFunc(s.Violations(), func(v string) bool { return strings.Contains(v, "can't parse entities") }) {
		t.Error("the markup was not refused")
	}
	s.Faults().Add(simtelegram.ErrorFault("sendMessage", http.StatusBadRequest, "Bad Request: BUTTON_DATA_INVALID", 1))
	turn(t, p, private)
	if _, err := p.Post(t.Context(), core.Post{Place: private, Part: refused}); core.ClassOf(err) != core.Invalid {
		t.Errorf("refused buttons: %v", err)
	}
}
