package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// inGroup asks the bot in a group.
func inGroup(t testing.TB, s *simtelegram.Server, room, text string) sim.Message {
	t.Helper()
	return say(t, s, sim.Say{Room: room, User: simtelegram.Anna, Text: text, Mention: true})
}

func upgrade(t testing.TB, s *simtelegram.Server) string {
	t.Helper()
	to, err := s.Upgrade(simtelegram.Group)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestUpgradeKeepsTheConversation: a group that becomes a supergroup goes on with the conversation that it had, also after a
// restart; reactions count for the message that they are under, in the old group and in the new one.
func TestUpgradeKeepsTheConversation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		running bool // a turn runs meanwhile
		down    bool // the bridge is down meanwhile
	}{
		{name: "while nothing runs"},
		{name: "while a turn runs", running: true},
		{name: "while the bridge is down", down: true},
		{name: "while the bridge is down in the middle of a turn", running: true, down: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			admin := simtelegram.Options{Chats: []simtelegram.Chat{{ID: -4000000001, Type: "group", Title: "Lunch", BotAdmin: true}}}
			w := openOffice(t, admin, nil)
			w.app.answer = func(q core.Question) string { return "re: " + strings.TrimPrefix(q.Query, "Anna Berg: ") }
			inGroup(t, w.sim, simtelegram.Group, "first")
			old := w.shown(t, simtelegram.Group, "re: first")
			w.idle(t) // else stopping could cut it off
			goOn := func() {}
			if tt.running {
				goOn = w.app.pause("second")
				inGroup(t, w.sim, simtelegram.Group, "second")
				w.shown(t, simtelegram.Group, "re:")
			}
			if tt.down {
				w.stop()
			}
			to := upgrade(t, w.sim)
			inGroup(t, w.sim, to, "third")
			if tt.down {
				goOn()
				w.run(t, nil)
			} else {
				await(t, "the third question", w.sim.Changed, func() bool { return w.sim.Pending() == 0 })
				if n := len(w.app.asked()); tt.running && n != 2 {
					t.Errorf("%d questions were asked, want the third one to wait for the second", n)
				}
			}
			goOn()
			third := w.shown(t, to, "re: third")
			w.idle(t)
			questions := w.app.asked()
			for i, q := range questions {
				if want := map[bool]string{true: "", false: "conv-1"}[i == 0]; q.Conversation != want {
					t.Errorf("question %d, %q: conversation %q, want %q", i, q.Query, q.Conversation, want)
				}
			}
			if tt.running {
				w.shown(t, to, "re: second")
			}
			for _, text := range []string{"re: first", "re: second", "re: third"} {
				n := 0
				for _, room := range []string{simtelegram.Group, to} {
					for _, m := range w.sim.Messages(room, "") {
						if m.Bot && m.Shown == text {
							n++
						}
					}
				}
				if want := map[bool]int{true: 1, false: 0}[text != "re: second" || tt.running]; n != want {
					t.Errorf("%q stands %d times, want %d", text, n, want)
				}
			}
			if err := w.sim.React(t.Context(), third.Ref, simtelegram.Anna, "👍"); err != nil {
				t.Fatal(err)
			}
			if r := w.app.rated(t, 1); r.Rating != core.RatingLike || r.MessageID != fmt.Sprint("m", len(questions)) {
				t.Errorf("rating of the new message: %+v, after %d questions", r, len(questions))
			}
			// The old group takes no reactions any more, but one may have been on its way.
			if _, err := w.sim.InjectUpdate(fmt.Appendf(nil, `{"message_reaction":{"chat":{"id":%s,"type":"group"},"message_id":%s,"date":%d,
				"user":{"id":%s,"first_name":"Anna"},"old_reaction":[],"new_reaction":[{"type":"emoji","emoji":"👎"}]}}`,
				simtelegram.Group, old.ID, time.Now().Unix(), simtelegram.Anna)); err != nil {
				t.Fatal(err)
			}
			if r := w.app.rated(t, 2); r.Rating != core.RatingDislike || r.MessageID != "m1" {
				t.Errorf("rating of the old message: %+v", r)
			}
			conv := core.NewConvKey("acme", "clerk", core.Place{Room: to}, "")
			c, ok, err := w.store.Conversation(t.Context(), conv)
			if err != nil || !ok || c.ID != "conv-1" || c.At.Room != to {
				t.Errorf("stored: %+v, %v, %v", c, ok, err)
			}
		})
	}
}

// moverHost is a host that stores moves, or refuses to.
type moverHost struct {
	host
	mu     sync.Mutex
	refuse error
	moves  []string
	tried  int
}

func (h *moverHost) MoveRoom(_ context.Context, from, to string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.changed.Notify()
	h.tried++
	if h.refuse != nil {
		return h.refuse
	}
	h.moves = append(h.moves, from+" "+to)
	return nil
}

func (h *moverHost) set(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse = err
}

func (h *moverHost) seen() (moves []string, tried int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.moves...), h.tried
}

// TestUpgradeIsConfirmedOnceStored: the news that a group has another id is confirmed to Telegram only once it is stored, and
// what was said in the new group waits for it.
func TestUpgradeIsConfirmedOnceStored(t *testing.T) {
	t.Parallel()
	s, p, h := newSim(t, simtelegram.Options{}), (*telegram.Platform)(nil), &moverHost{}
	p = newBot(t, s.APIURL(), s.Token())
	h.set(errors.New("disk full"))
	startHost(t, p, h)
	h.waitUp(t, 1)
	to := upgrade(t, s)
	inGroup(t, s, to, "after")
	_ = h.told(t, "disk full")
	h.wait(t, "another try", func() bool { _, tried := h.seen(); return tried >= 3 })
	if n := s.Pending(); n != 3 {
		t.Errorf("%d updates wait, want all three", n)
	}
	if got := h.texts(); len(got) != 0 {
		t.Errorf("taken before the move: %q", got)
	}
	h.set(nil)
	h.event(t, core.KindMessage, 1)
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
	if moves, _ := h.seen(); len(moves) != 1 || moves[0] != simtelegram.Group+" "+to {
		t.Errorf("moves = %q, want one, though two messages tell of it", moves)
	}
}

// TestUpgradeToldByACall: a call that meets the old id has the move stored, goes to the new one, and answers nothing there
// whose id is another message's.
func TestUpgradeToldByACall(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{})
	p, h := newBot(t, s.APIURL(), s.Token()), &moverHost{}
	startHost(t, p, h)
	h.waitUp(t, 1)
	group := core.Place{Room: simtelegram.Group}
	before := post(t, p, group, "before")
	// The service messages are held back, as by a slow poll.
	s.Faults().Add(sim.Fault{Match: "getUpdates", Status: 502})
	_ = s.Redeliver(1)
	to := upgrade(t, s)
	own := post(t, p, core.Place{Room: to}, "the first message in the new group")
	turn(t, p, group)
	ref, err := p.Post(t.Context(), core.Post{Place: group, ReplyTo: own.ID, Part: part("after")})
	if err != nil || ref.Room != to {
		t.Fatalf("post: %+v, %v", ref, err)
	}
	if m := find(t, s, ref); m.ReplyTo != "" {
		t.Errorf("it answers message %s of the new group, which is another one", m.ReplyTo)
	}
	h.wait(t, "the move", func() bool { moves, _ := h.seen(); return len(moves) == 1 })
	calls := s.Calls("editMessageText") + s.Calls("deleteMessage")
	if err := edit(t, p, before, part("x")); core.ClassOf(err) != core.MessageGone {
		t.Errorf("edit of what stayed behind: %v", err)
	}
	if err := p.Delete(t.Context(), before); err != nil {
		t.Errorf("delete of what stayed behind: %v", err)
	}
	if n := s.Calls("editMessageText") + s.Calls("deleteMessage") - calls; n != 0 {
		t.Errorf("%d calls about a message that is not there", n)
	}
	if err := edit(t, p, ref, part("and here")); err != nil {
		t.Error(err)
	}
	file, err := p.Upload(t.Context(), group, own.ID, fileOf("a.txt", "text/plain", []byte("a")))
	if err != nil || file.Room != to || find(t, s, file).ReplyTo != "" {
		t.Errorf("file: %+v, %v", file, err)
	}
}

// TestUpgradeFoundByAnEdit: a message of before the upgrade is gone to the first call about it, which tells of the upgrade.
func TestUpgradeFoundByAnEdit(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	ref := post(t, p, core.Place{Room: simtelegram.Group}, "before")
	to := upgrade(t, s)
	if err := edit(t, p, ref, part("x")); core.ClassOf(err) != core.MessageGone {
		t.Errorf("edit: %v", err)
	}
	if got := post(t, p, ref.Place, "anew"); got.Room != to {
		t.Errorf("posted anew: %+v", got)
	}
}
