package telegram_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// line is the network between a bot and Telegram, which can be made to fail.
type line struct {
	net *memnet.Listener

	mu    sync.Mutex
	fault string // "": none; "refused", "slow", "dead": what was said is lost, both ways, and nobody is told
	open  []net.Conn
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault == "refused" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("connection refused")}
	}
	c, err := l.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.open = append(l.open, c)
	return &wire{Conn: c, line: l}, nil
}

// set makes the line fail; cut ends the connections that there are.
func (l *line) set(fault string, cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = fault
	if cut {
		for _, c := range l.open {
			_ = c.Close()
		}
		l.open = nil
	}
}

func (l *line) now() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// wire is one connection over the line. What is lost on it stays lost: it is dead for good from then on.
type wire struct {
	net.Conn
	line *line

	mu   sync.Mutex
	dead bool
}

func (w *wire) lost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = w.dead || w.line.now() == "dead"
	return w.dead
}

func (w *wire) Write(b []byte) (int, error) {
	if w.lost() {
		return len(b), nil
	}
	if w.line.now() == "slow" {
		<-time.After(3 * time.Second)
	}
	return w.Conn.Write(b)
}

func (w *wire) Read(b []byte) (int, error) {
	for {
		n, err := w.Conn.Read(b)
		if err != nil || !w.lost() {
			if err == nil && w.line.now() == "slow" {
				<-time.After(3 * time.Second)
			}
			return n, err
		}
	}
}

// TestPollOverABadLine: whatever the network does, each message comes, once it works again, by its one key and in order; and
// the host knows while it does not.
func TestPollOverABadLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fault  string
		cut    bool
		within time.Duration // from when the line is well again
		told   bool
	}{
		{name: "cut", cut: true, within: 5 * time.Second},
		{name: "refused", fault: "refused", cut: true, within: 50 * time.Second, told: true},
		{name: "slow", fault: "slow", within: 20 * time.Second},
		{name: "half open", fault: "dead", within: 80 * time.Second, told: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &line{net: memnet.Listen()}
				s := newSim(t, simtelegram.Options{Listener: l.net})
				p, err := telegram.New("acme", telegram.Config{Token: token, APIURL: s.APIURL()}, quiet(t))
				if err != nil {
					t.Fatal(err)
				}
				telegram.Dial(p, l.dial)
				t.Cleanup(func() { telegram.CloseIdle(p) })
				h := &host{}
				start(t, p, h)
				pass(time.Second)
				ask(t, s, "before")
				pass(time.Second)
				l.set(tt.fault, tt.cut)
				for i := range 3 {
					ask(t, s, fmt.Sprint("during ", i))
					pass(40 * time.Second)
				}
				if tt.told {
					h.mu.Lock()
					if h.up || len(h.errs) == 0 {
						t.Error("the host was not told")
					}
					h.mu.Unlock()
				}
				l.set("", false)
				began := time.Now()
				ask(t, s, "after")
				for !slices.Contains(h.texts(), "after") && time.Since(began) <= tt.within {
					pass(time.Second)
				}
				seen := map[string]bool{}
				var texts []string
				for _, ev := range h.all(core.KindMessage) {
					if !seen[ev.Key] {
						texts = append(texts, ev.Text)
					}
					seen[ev.Key] = true
				}
				if want := []string{"before", "during 0", "during 1", "during 2", "after"}; !slices.Equal(texts, want) {
					t.Errorf("messages = %q, want %q", texts, want)
				}
				pass(2 * time.Minute)
				if n := s.Pending(); n != 0 {
					t.Errorf("%d updates are unconfirmed", n)
				}
				l.set("", true) // the poll's own connection must not outlive the bubble
			})
		})
	}
}

// TestPollMixedUp: updates that come in another order, and more than once, are taken in theirs; each confirmed batch is whole.
func TestPollMixedUp(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{})
	s.MixUp(true)
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint("message ", i))
		ask(t, s, want[i])
	}
	h := &host{}
	start(t, newBot(t, s.APIURL(), s.Token()), h)
	h.event(t, core.KindMessage, 20)
	if got := h.texts(); !slices.Equal(got, want) {
		t.Errorf("messages = %q", got)
	}
	if n := s.Redeliver(7); n != 7 {
		t.Fatal(n)
	}
	ask(t, s, "last")
	h.wait(t, "the last one", func() bool { return slices.Contains(h.texts(), "last") })
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
	keys := map[string]bool{}
	for _, ev := range h.all(core.KindMessage) {
		keys[ev.Key] = true
	}
	if len(keys) != 21 {
		t.Errorf("%d keys of 21 messages", len(keys))
	}
}

// TestPollBatchOfOddOrder: a batch in which some have no id, and some come twice, in any order.
func TestPollBatchOfOddOrder(t *testing.T) {
	t.Parallel()
	var once sync.Once
	api := fake(t, map[string]http.HandlerFunc{"getUpdates": func(w http.ResponseWriter, _ *http.Request) {
		body := `{"ok":true,"result":[]}`
		once.Do(func() {
			body = fmt.Sprintf(`{"ok":true,"result":[%s,{"x":1},%s,7,%s,%s]}`, privately(9, "c"), privately(7, "a"), privately(8, "b"), privately(9, "c"))
		})
		_, _ = io.WriteString(w, body)
	}})
	h := &host{}
	stop := start(t, newBot(t, api, token), h)
	h.event(t, core.KindMessage, 4)
	if got, want := h.texts(), []string{"a", "b", "c", "c"}; !slices.Equal(got, want) {
		t.Errorf("messages = %q, want %q", got, want)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestPollAfterAWeek: ids that go on lower than before, as after a week of silence, are not taken for confirmed.
func TestPollAfterAWeek(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{FirstUpdateID: 900_000_000})
	h := &host{}
	start(t, newBot(t, s.APIURL(), s.Token()), h)
	ask(t, s, "last week")
	h.event(t, core.KindMessage, 1)
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
	s.InstantPolls(true) // a poll that brings nothing
	calls := s.Calls("getUpdates")
	await(t, "empty polls", tick(t), func() bool { return s.Calls("getUpdates") >= calls+3 })
	s.InstantPolls(false)
	if err := s.RestartIDs(4711); err != nil {
		t.Fatal(err)
	}
	ask(t, s, "this week")
	if ev := h.event(t, core.KindMessage, 2); ev.Text != "this week" {
		t.Errorf("text = %q", ev.Text)
	}
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
}

// TestPollBursts: 429 and 5xx in turns lose nothing and double nothing.
func TestPollBursts(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{})
	s.Faults().Add(sim.Fault{Match: "getUpdates", After: 1, Times: 3, Status: http.StatusBadGateway, Body: "<html>"})
	s.Faults().Add(simtelegram.TooManyRequests("getUpdates", 1, 1))
	s.Faults().Add(sim.Fault{Match: "getUpdates", After: 2, Times: 4, Cut: true, Handled: true})
	h := &host{}
	start(t, newBot(t, s.APIURL(), s.Token()), h)
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("message ", i))
		ask(t, s, want[i])
	}
	h.wait(t, "the last one", func() bool { return slices.Contains(h.texts(), want[9]) })
	if got := slices.Compact(h.texts()); !slices.Equal(got, want) {
		t.Errorf("messages = %q", got)
	}
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
}
