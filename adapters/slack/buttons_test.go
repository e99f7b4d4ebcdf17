package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

var (
	rate   = []core.Button{{ID: "like", Label: "👍"}, {ID: "dislike", Label: "👎"}}
	follow = []core.Button{{ID: "ask:0", Label: "And in < Hanoi > & Huế?"}, {ID: "retry", Label: "Again"}}
)

// refused is a fault that has Slack refuse what is shown, once.
func refused(method, code string, times int) sim.Fault {
	return sim.Fault{Match: "/api/" + method, Times: times, Status: http.StatusOK, Body: `{"ok":false,"error":"` + code + `"}`}
}

// under are the buttons under a message, as "id label".
func under(s *simslack.Server, m core.MessageRef) []string {
	var all []string
	for _, b := range s.Buttons(sim.Ref{Room: m.Room, ID: m.ID}) {
		all = append(all, b.ID+" "+b.Label)
	}
	return all
}

func labelled(buttons ...core.Button) []string {
	var all []string
	for _, b := range buttons {
		all = append(all, b.ID+" "+b.Label)
	}
	return all
}

// typesOf are the types of a message's blocks.
func typesOf(t *testing.T, m sim.Message) []string {
	t.Helper()
	var raw struct {
		Blocks []struct {
			Type string `json:"type"`
		} `json:"blocks"`
	}
	if err := json.Unmarshal(m.Raw, &raw); err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, b := range raw.Blocks {
		types = append(types, b.Type)
	}
	return types
}

// TestButtons holds that buttons stand under every kind of part, those for ratings in Slack's own element, and that an edit
// without takes them away.
func TestButtons(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{LimitScale: 100})
	clean(t, s)
	at := core.Place{Room: simslack.General}
	if n := p.Limits(at).Buttons; n < 4 {
		t.Fatalf("%d buttons at the most", n)
	}
	long := strings.Repeat("word ", 600) + "\n```\n" + strings.Repeat("code\n", 120) + "```"
	parts := map[string]core.Part{
		"rendered": p.Render("**bold**\n\n| a | b |\n|-|-|\n| 1 | 2 |", true)[0],
		"own line": {Text: "a *line* of the bridge's own", Plain: "a line of the bridge's own"},
		"long":     {Text: long},
	}
	for name, part := range parts {
		for _, buttons := range [][]core.Button{rate, follow, append(slices.Clone(follow), rate...), {{ID: "like", Label: "👍"}}, {{ID: "x", Label: strings.Repeat("ê", 75)}}} {
			t.Run(fmt.Sprintf("%s, %d", name, len(buttons)), func(t *testing.T) {
				part.Buttons = ""
				bare, err := p.Post(t.Context(), core.Post{Place: at, Part: part})
				if err != nil {
					t.Fatal(err)
				}
				want := strings.ReplaceAll(find(t, s, bare).Shown, "\n", "")
				part.Buttons = core.NewButtons(buttons...)
				ref, err := p.Post(t.Context(), core.Post{Place: at, Part: part})
				if err != nil {
					t.Fatal(err)
				}
				check := func(when string) {
					t.Helper()
					m := find(t, s, ref)
					if got := strings.ReplaceAll(m.Shown, "\n", ""); got != want {
						t.Errorf("%s: shown %q, want %q", when, got, want)
					}
					if got := under(s, ref); !slices.Equal(got, labelled(buttons...)) {
						t.Errorf("%s: buttons %q, want %q", when, got, labelled(buttons...))
					}
					types := typesOf(t, m)
					if own := slices.Contains(types, "context_actions"); own != (len(buttons) > 1 && buttons[len(buttons)-1].ID == "dislike") {
						t.Errorf("%s: blocks %q", when, types)
					}
				}
				check("posted")
				if err := p.Edit(t.Context(), ref, core.Part{Text: "less"}); err != nil {
					t.Fatal(err)
				}
				if got := under(s, ref); len(got) != 0 || find(t, s, ref).Shown != "less" {
					t.Errorf("after an edit without: %q", got)
				}
				if err := p.Edit(t.Context(), ref, part); err != nil {
					t.Fatal(err)
				}
				check("edited")
			})
		}
	}
}

// TestButtonsOfOneID holds that buttons of one id can stand side by side, and that no more are shown than there is room for.
func TestButtonsOfOneID(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	var many []core.Button
	for range 9 {
		many = append(many, core.Button{ID: "use:1", Label: "x"})
	}
	many[1].Label = " "
	ref, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simslack.General}, Part: core.Part{Text: "choose", Buttons: core.NewButtons(many...)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := under(s, ref); len(got) != 5 || got[0] != "use:1 x" || got[1] != "use:1 …" {
		t.Errorf("buttons %q", got)
	}
}

// TestButtonsFullMessage holds that a message that is as large as one may be takes buttons, too.
func TestButtonsFullMessage(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{LimitScale: 100})
	clean(t, s)
	var headings strings.Builder
	for i := range 200 {
		fmt.Fprintf(&headings, "# %d\n\n", i)
	}
	sources := map[string]string{
		"blocks": headings.String(), "emphasis": strings.Repeat("**a** *b* `c` ", 400), "quotes": strings.Repeat("> \"q\"\n\n---\n\n", 300),
		"code": "```\n" + strings.Repeat("\"quoted\" <x> & \\\n", 400) + "```",
	}
	wide := []core.Button{{ID: strings.Repeat("a", 64), Label: strings.Repeat("\"", 75)}, {ID: "b", Label: strings.Repeat("ệ", 75)}, {ID: "c", Label: strings.Repeat("<", 75)}}
	for name, source := range sources {
		for i, part := range p.Render(source, true) {
			part.Buttons = core.NewButtons(append(slices.Clone(wide), rate...)...)
			ref, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simslack.General}, Part: part})
			if err != nil {
				t.Fatalf("%s, part %d: %v", name, i, err)
			}
			if got := under(s, ref); len(got) != 5 {
				t.Errorf("%s, part %d: buttons %q", name, i, got)
			}
		}
	}
}

// TestButtonsRefused holds what is shown when Slack refuses blocks: simpler ones, with buttons as long as it takes any, and
// that its refusal of its own element for ratings is remembered.
func TestButtonsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		refused int
		types   []string
		next    []string // of the message after it
	}{
		{name: "the element for ratings", refused: 1, types: []string{"rich_text", "actions"}, next: []string{"rich_text", "actions"}},
		{name: "the text", refused: 2, types: []string{"section", "actions"}, next: []string{"rich_text", "context_actions"}},
		{name: "all buttons", refused: 3, types: []string{"rich_text"}, next: []string{"rich_text", "context_actions"}},
		{name: "all blocks", refused: 4, next: []string{"rich_text", "context_actions"}},
	}
	for _, tt := range tests {
		for _, code := range []string{"invalid_blocks", "msg_blocks_too_long"} {
			for _, method := range []string{"chat.postMessage", "chat.update"} {
				t.Run(tt.name+" "+code+" "+method, func(t *testing.T) {
					t.Parallel()
					s, p := idle(t, simslack.Options{LimitScale: 100})
					at := core.Place{Room: simslack.General}
					part := p.Render("**bold**", true)[0]
					part.Buttons = core.NewButtons(rate...)
					show := func() core.MessageRef {
						t.Helper()
						if method == "chat.postMessage" {
							ref, err := p.Post(t.Context(), core.Post{Place: at, Part: part})
							if err != nil {
								t.Fatal(err)
							}
							return ref
						}
						ref := post(t, p, at, "…")
						if err := p.Edit(t.Context(), ref, part); err != nil {
							t.Fatal(err)
						}
						return ref
					}
					s.Faults().Add(refused(method, code, tt.refused))
					ref := show()
					m := find(t, s, ref)
					if got := typesOf(t, m); !slices.Equal(got, tt.types) || m.Shown != "bold" {
						t.Errorf("blocks %q, shown %q; want %q", got, m.Shown, tt.types)
					}
					if wants := slices.Contains(tt.types, "actions"); wants != (len(under(s, ref)) == 2) {
						t.Errorf("buttons %q", under(s, ref))
					}
					if got := typesOf(t, find(t, s, show())); !slices.Equal(got, tt.next) {
						t.Errorf("the next has blocks %q, want %q", got, tt.next)
					}
				})
			}
		}
	}
}

// TestStreamButtons holds that buttons stand under what was streamed, without an edit where the stream shows all else already.
func TestStreamButtons(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		text  string
		fault *sim.Fault
		life  time.Duration
		edits int
	}{
		{name: "as it is", text: "All of *it*."},
		{name: "shown otherwise", text: "A | table |\n|-|-|\n| 1 | 2 |", edits: 1},
		{name: "own element refused", text: "All of *it*.", fault: new(refused("chat.stopStream", "invalid_blocks", 1))},
		{name: "all refused", text: "All of *it*.", fault: new(refused("chat.stopStream", "invalid_blocks", 2)), edits: 1},
		{name: "ended by Slack", text: "All of *it*.", life: time.Millisecond, edits: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{StreamLife: tt.life})
			at := asked(t, s, simslack.General)
			st := streaming(t, p, at, tt.text[:3])
			if tt.fault != nil {
				s.Faults().Add(*tt.fault)
			}
			if tt.life != 0 {
				await(t, "Slack to end the stream", s.Changed, func() bool { return !s.Streaming(sim.Ref{Room: st.Message.Room, ID: st.Message.ID}) })
			}
			whole := p.Render(tt.text, true)[0]
			whole.Buttons = core.NewButtons(append(slices.Clone(follow), rate...)...)
			if err := p.StopStream(t.Context(), st, tt.text[3:], whole); err != nil {
				t.Fatal(err)
			}
			if got, want := under(s, st.Message), labelled(append(slices.Clone(follow), rate...)...); !slices.Equal(got, want) {
				t.Errorf("buttons %q, want %q", got, want)
			}
			m := find(t, s, st.Message)
			if edited := !slices.Contains(typesOf(t, m), "markdown"); edited != (tt.edits > 0) {
				t.Errorf("blocks %q", typesOf(t, m))
			}
			if slack.Streams(p) != 0 || s.Streaming(sim.Ref{Room: m.Room, ID: m.ID}) {
				t.Error("the stream is open, or still remembered")
			}
			// A repeated call changes nothing.
			if err := p.StopStream(t.Context(), st, tt.text[3:], whole); err != nil {
				t.Fatal(err)
			}
			if got := under(s, st.Message); len(got) != 4 {
				t.Errorf("buttons %q after a second call", got)
			}
		})
	}
}
