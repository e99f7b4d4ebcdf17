package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// hooks is a bot with a webhook, served as the program serves it, and a stand-in that calls it.
type hooks struct {
	sim *simtelegram.Server
	bot *telegram.Platform
	web *httptest.Server
	log *logged
	url string
	in  *atomic.Int32 // calls of the webhook
}

func withHook(t testing.TB, o simtelegram.Options) *hooks {
	t.Helper()
	if o.WebhookRetry == 0 {
		o.WebhookRetry = 5 * time.Millisecond
	}
	w := &hooks{sim: newSim(t, o), log: &logged{}, in: &atomic.Int32{}}
	var handler http.Handler
	w.web = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.in.Add(1)
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.web.Close)
	w.url = w.web.URL + "/webhooks/acme"
	w.bot = w.newBot(t)
	handler = w.bot.Webhook()
	return w
}

// newBot makes a bot as the next process does. Its log must never hold the secret.
func (w *hooks) newBot(t testing.TB) *telegram.Platform {
	t.Helper()
	p, err := telegram.New("acme", telegram.Config{
		Token: core.Secret(w.sim.Token()), APIURL: w.sim.APIURL(), WebhookURL: w.url, WebhookSecret: aSecret,
	}, slog.New(slog.NewTextHandler(io.MultiWriter(w.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		telegram.CloseIdle(p)
		if text := w.log.String(); strings.Contains(text, aSecret) || strings.Contains(text, token) {
			t.Error("a secret stands in the log")
		}
	})
	return telegram.Hurry(p)
}

// deliver calls the webhook as Telegram does, unless change says otherwise.
func (w *hooks) deliver(t testing.TB, body string, change func(*http.Request)) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Telegram-Bot-Api-Secret-Token", aSecret)
	if change != nil {
		change(r)
	}
	resp, err := w.web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if b, err := io.ReadAll(resp.Body); err != nil || len(b) != 0 {
		t.Errorf("answered %q, %v", b, err)
	}
	return resp.StatusCode
}

// privately is an update with a message to the bot.
func privately(update int, text string) string {
	return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":%d,"chat":{"id":%s,"type":"private"},"from":{"id":%[4]s,"first_name":"Minh"},"text":%q}}`,
		update, update, time.Now().Unix(), simtelegram.Minh, text)
}

func TestNoWebhookWherePolled(t *testing.T) {
	t.Parallel()
	_, p := silent(t, simtelegram.Options{})
	if h := p.Webhook(); h != nil {
		t.Errorf("handler %v", h)
	}
}

// TestWebhook: Telegram is told to call, with the secret and for all that the bot wants, and calls. What had waited comes too.
func TestWebhook(t *testing.T) {
	t.Parallel()
	w, h := withHook(t, simtelegram.Options{}), &host{}
	clean(t, w.sim)
	ask(t, w.sim, "before")
	stop := start(t, w.bot, h)
	h.waitUp(t, 1)
	ask(t, w.sim, "one")
	m := ask(t, w.sim, "two")
	inGroup(t, w.sim, simtelegram.Group, "in a group")
	if err := w.sim.React(t.Context(), m.Ref, simtelegram.Minh, "👍"); err != nil {
		t.Fatal(err)
	}
	h.event(t, core.KindReaction, 1)
	h.event(t, core.KindMessage, 4)
	if got := h.texts(); slices.Index(got, "before") > slices.Index(got, "one") || slices.Index(got, "one") > slices.Index(got, "two") ||
		!slices.Contains(got, "in a group") {
		t.Errorf("messages = %q", got)
	}
	if i := slices.IndexFunc(h.all(core.KindMessage), func(e core.Event) bool { return e.Reach == core.ReachMention }); i < 0 {
		t.Error("the mention was not recognised")
	}
	await(t, "the confirmation", w.sim.Changed, func() bool { return w.sim.Pending() == 0 })
	if n := w.sim.Calls("getUpdates"); n != 0 {
		t.Errorf("%d polls", n)
	}
	var info struct {
		URL     string   `json:"url"`
		Max     int      `json:"max_connections"`
		Allowed []string `json:"allowed_updates"`
	}
	if err := telegram.Call(t.Context(), w.bot, "getWebhookInfo", struct{}{}, &info); err != nil || info.URL != w.url || info.Max != 1 || len(info.Allowed) != 5 {
		t.Errorf("registered: %+v, %v", info, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := w.sim.Calls("deleteWebhook"); n != 0 {
		t.Error("the webhook was taken away: Telegram would keep nothing for it")
	}
	// What comes while the bot does not run is kept, and comes to the next process.
	ask(t, w.sim, "while it is down")
	await(t, "a call", w.sim.Changed, func() bool { return w.in.Load() >= 6 })
	if n := w.sim.Pending(); n != 1 {
		t.Errorf("%d updates wait", n)
	}
	start(t, w.bot, h)
	if ev := h.event(t, core.KindMessage, 5); ev.Text != "while it is down" {
		t.Errorf("text = %q", ev.Text)
	}
}

// TestWebhookAnswers: what each call is answered, and what comes of it.
func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	secret := func(values ...string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("X-Telegram-Bot-Api-Secret-Token")
			for _, v := range values {
				r.Header.Add("X-Telegram-Bot-Api-Secret-Token", v)
			}
		}
	}
	method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
	tests := []struct {
		name   string
		body   string
		change func(*http.Request)
		want   int
		taken  bool
		odd    bool // counted as unreadable
	}{
		{name: "fine", body: privately(1, "x"), want: 200, taken: true},
		{name: "no secret", body: privately(1, "x"), change: secret(), want: 401},
		{name: "empty secret", body: privately(1, "x"), change: secret(""), want: 401},
		{name: "wrong secret", body: privately(1, "x"), change: secret("0123456789abcdef_-XYy"), want: 401},
		{name: "beginning of the secret", body: privately(1, "x"), change: secret(aSecret[:16]), want: 401},
		{name: "secret and more", body: privately(1, "x"), change: secret(aSecret + "x"), want: 401},
		{name: "two secrets", body: privately(1, "x"), change: secret(aSecret, "wrong"), want: 401},
		{name: "read", body: "", change: method(http.MethodGet), want: 405},
		{name: "put", body: privately(1, "x"), change: method(http.MethodPut), want: 405},
		{name: "as large as it may be", body: privately(1, "x") + strings.Repeat(" ", 4<<20-len(privately(1, "x"))), want: 200, taken: true},
		{name: "too large", body: privately(1, "x") + strings.Repeat(" ", 4<<20), want: 413},
		{name: "no JSON", body: "<html>", want: 200, odd: true},
		{name: "nothing", body: "", want: 200, odd: true},
		{name: "no id", body: `{"message":{}}`, want: 200, odd: true},
		{name: "cut", body: privately(1, "x")[:60], want: 200, odd: true},
		{name: "unknown kind", body: `{"update_id":7,"unheard_of":{}}`, want: 200},
		{name: "odd fields", body: strings.Replace(privately(1, "x"), `"text"`, `"photo":"?","text"`, 1), want: 200, taken: true, odd: true},
		{name: "nested without end", body: `{"update_id":7,"message":` + strings.Repeat(`{"reply_to_message":`, 20_000), want: 200, odd: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, h := withHook(t, simtelegram.Options{}), &host{}
			start(t, w.bot, h)
			h.waitUp(t, 1)
			if got := w.deliver(t, tt.body, tt.change); got != tt.want {
				t.Errorf("answered %d, want %d", got, tt.want)
			}
			if got := h.texts(); tt.taken != slices.Equal(got, []string{"x"}) || !tt.taken && len(got) != 0 {
				t.Errorf("taken: %q", got)
			}
			if n := w.bot.Unreadable(); (n == 1) != tt.odd {
				t.Errorf("%d counted as unreadable", n)
			}
		})
	}
}

// TestWebhookDurableFirst: 200 means stored. While the disk is full Telegram keeps what it has, and the host knows.
func TestWebhookDurableFirst(t *testing.T) {
	t.Parallel()
	w, h := withHook(t, simtelegram.Options{}), &host{}
	clean(t, w.sim)
	start(t, w.bot, h)
	h.waitUp(t, 1)
	h.setRefuse(func(core.Event) error { return errors.New("disk full") })
	for _, text := range []string{"one", "two"} {
		ask(t, w.sim, text)
	}
	_ = h.told(t, "disk full")
	await(t, "another try", w.sim.Changed, func() bool { return w.in.Load() >= 3 })
	if n := w.sim.Pending(); n != 2 {
		t.Errorf("%d updates wait, want both", n)
	}
	if got := w.deliver(t, privately(1, "x"), nil); got != http.StatusServiceUnavailable {
		t.Errorf("answered %d", got)
	}
	h.setRefuse(nil)
	h.event(t, core.KindMessage, 2)
	if got := h.texts(); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("messages = %q", got)
	}
	await(t, "the confirmation", w.sim.Changed, func() bool { return w.sim.Pending() == 0 })
	h.waitUp(t, 2)
}

// TestWebhookNotRunning: nothing is taken for a bot that does not run, and a bot that stops waits for what is being taken.
func TestWebhookNotRunning(t *testing.T) {
	t.Parallel()
	w, h := withHook(t, simtelegram.Options{}), &host{}
	if got := w.deliver(t, privately(1, "early"), nil); got != http.StatusServiceUnavailable {
		t.Errorf("before it runs: %d", got)
	}
	if got := w.deliver(t, privately(1, "early"), func(r *http.Request) { r.Header.Del("X-Telegram-Bot-Api-Secret-Token") }); got != http.StatusUnauthorized {
		t.Errorf("without the secret: %d", got)
	}
	stop := start(t, w.bot, h)
	h.waitUp(t, 1)
	var stopping sync.WaitGroup
	taking, ended := make(chan struct{}), make(chan struct{})
	h.setRefuse(func(core.Event) error {
		close(taking)
		select {
		case <-ended:
			t.Error("the bot stopped while an update was being taken")
		case <-time.After(50 * time.Millisecond):
		}
		return nil
	})
	stopping.Go(func() {
		<-taking
		_ = stop()
		close(ended)
	})
	if got := w.deliver(t, privately(2, "last"), nil); got != http.StatusOK {
		t.Errorf("taken while it stops: %d", got)
	}
	stopping.Wait()
	if got := w.deliver(t, privately(3, "late"), nil); got != http.StatusServiceUnavailable {
		t.Errorf("after it ran: %d", got)
	}
	if got := h.texts(); !slices.Equal(got, []string{"last"}) {
		t.Errorf("messages = %q", got)
	}
}

// TestWebhookDeliveredAgain: an update that comes twice, also at the same time, has one key.
func TestWebhookDeliveredAgain(t *testing.T) {
	t.Parallel()
	w, h := withHook(t, simtelegram.Options{}), &host{}
	start(t, w.bot, h)
	h.waitUp(t, 1)
	body := privately(41, "twice")
	var wg sync.WaitGroup
	var inside, most atomic.Int32
	h.setRefuse(func(core.Event) error {
		most.Store(max(most.Load(), inside.Add(1)))
		defer inside.Add(-1)
		return nil
	})
	for range 8 {
		wg.Go(func() {
			if got := w.deliver(t, body, nil); got != http.StatusOK {
				t.Errorf("answered %d", got)
			}
		})
	}
	wg.Wait()
	keys := map[string]bool{}
	for _, ev := range h.all(core.KindMessage) {
		keys[ev.Key] = true
	}
	if len(keys) != 1 || len(h.all(core.KindMessage)) != 8 {
		t.Errorf("keys %v of %d", keys, len(h.all(core.KindMessage)))
	}
	if most.Load() != 1 {
		t.Errorf("%d were taken at once: events of a room are passed one after the other", most.Load())
	}
}

// TestWebhookPanic: an update that makes the host panic is passed over.
func TestWebhookPanic(t *testing.T) {
	t.Parallel()
	w, h := withHook(t, simtelegram.Options{}), &host{}
	start(t, w.bot, h)
	h.waitUp(t, 1)
	h.setRefuse(func(ev core.Event) error {
		if ev.Text == "poison" {
			panic("poison")
		}
		return nil
	})
	ask(t, w.sim, "poison")
	ask(t, w.sim, "water")
	if ev := h.event(t, core.KindMessage, 1); ev.Text != "water" {
		t.Errorf("text = %q", ev.Text)
	}
}

// TestWebhookKept: a webhook that another program takes away or replaces is set again; that it does so again and again is told.
func TestWebhookKept(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"", "https://127.0.0.1:8443/hook?secret=hunter2"} {
		t.Run("by "+other, func(t *testing.T) {
			t.Parallel()
			w, h := withHook(t, simtelegram.Options{}), &host{}
			start(t, w.bot, h)
			h.waitUp(t, 1)
			change := func() {
				if err := telegram.Call(t.Context(), w.bot, "setWebhook", map[string]string{"url": other}, nil); err != nil {
					t.Fatal(err)
				}
			}
			sets := w.sim.Calls("setWebhook")
			change()
			await(t, "the webhook", w.sim.Changed, func() bool { return w.sim.Calls("setWebhook") >= sets+2 })
			ask(t, w.sim, "hello")
			h.event(t, core.KindMessage, 1)
			ups := func() int {
				h.mu.Lock()
				defer h.mu.Unlock()
				return h.ups
			}()
			// On a busy machine a change may be noticed too long after the one before to be one of many.
			again := func() bool {
				h.mu.Lock()
				defer h.mu.Unlock()
				return slices.ContainsFunc(h.errs, func(err error) bool { return err != nil && strings.Contains(err.Error(), "again and again") })
			}
			for range 300 {
				if again() {
					break
				}
				sets := w.sim.Calls("setWebhook")
				change()
				await(t, "the webhook", w.sim.Changed, func() bool { return w.sim.Calls("setWebhook") >= sets+2 })
			}
			if err := h.told(t, "again and again"); core.ClassOf(err) != core.Transient || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("told %v", err)
			}
			h.waitUp(t, ups+1)
		})
	}
}

// TestWebhookRegistration: what Telegram says to the registration.
func TestWebhookRegistration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault sim.Fault
		says  string
		class core.Class
	}{
		{name: "address is not to be resolved", fault: simtelegram.ErrorFault("setWebhook", 400, "Bad Request: bad webhook: Failed to resolve host: Name or service not known", 2), says: "Failed to resolve host", class: core.Invalid},
		{name: "5xx", fault: simtelegram.ErrorFault("setWebhook", 500, "Internal Server Error", 2), says: "500", class: core.Transient},
		{name: "429", fault: simtelegram.TooManyRequests("setWebhook", 1, 1), says: "429", class: core.RateLimited},
		{name: "cut", fault: sim.Fault{Match: "setWebhook", Cut: true, Times: 2}, says: "EOF", class: core.Transient},
		{name: "cut after it took effect", fault: sim.Fault{Match: "setWebhook", Cut: true, Handled: true, Times: 1}, says: "EOF", class: core.Transient},
		{name: "nobody tells who the bot is", fault: sim.Fault{Match: "getMe", Status: 502, Times: 2}, says: "502", class: core.Transient},
		{name: "no answer how it is", fault: simtelegram.ErrorFault("getWebhookInfo", 500, "Internal Server Error", 2), says: "getWebhookInfo", class: core.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, h := withHook(t, simtelegram.Options{}), &host{}
			w.sim.Faults().Add(tt.fault)
			start(t, w.bot, h)
			if err := h.told(t, tt.says); core.ClassOf(err) != tt.class {
				t.Errorf("state = %v", err)
			}
			h.waitUp(t, 1)
			ask(t, w.sim, "hello")
			h.event(t, core.KindMessage, 1)
		})
	}
	for _, tt := range []struct {
		match string
		code  int
	}{{"getMe", 404}, {"setWebhook", 401}, {"getWebhookInfo", 401}} {
		t.Run(fmt.Sprint("token refused by ", tt.match), func(t *testing.T) {
			t.Parallel()
			w, h := withHook(t, simtelegram.Options{}), &host{}
			w.sim.Faults().Add(simtelegram.ErrorFault(tt.match, tt.code, "Unauthorized", 0))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := w.bot.Run(ctx, h); core.ClassOf(err) != core.Auth {
				t.Errorf("Run = %v", err)
			}
		})
	}
}

// TestWebhookUnreachable: that Telegram cannot deliver is told, with its reason, until it can again.
func TestWebhookUnreachable(t *testing.T) {
	t.Parallel()
	w, h := withHook(t, simtelegram.Options{}), &host{}
	var away atomic.Bool
	inner := w.web.Config.Handler
	w.web.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if away.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		inner.ServeHTTP(rw, r)
	})
	start(t, w.bot, h)
	h.waitUp(t, 1)
	away.Store(true)
	ask(t, w.sim, "hello")
	if err := h.told(t, "502 Bad Gateway"); !strings.Contains(err.Error(), "1 updates wait") {
		t.Errorf("told %v", err)
	}
	found, err := w.bot.Check(t.Context())
	if last := found[len(found)-1]; err != nil || last.OK || !strings.Contains(last.Mend, "502 Bad Gateway") {
		t.Errorf("check: %+v, %v", found, err)
	}
	h.mu.Lock()
	ups := h.ups
	h.mu.Unlock()
	away.Store(false)
	h.event(t, core.KindMessage, 1)
	h.waitUp(t, ups+1)
	await(t, "the confirmation", w.sim.Changed, func() bool { return w.sim.Pending() == 0 })
	if found, err := w.bot.Check(t.Context()); err != nil || !found[len(found)-1].OK {
		t.Errorf("check: %+v, %v", found, err)
	}
}

// TestWebhookCheck: `check` tells how the webhook is without changing it.
func TestWebhookCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, set, says string }{
		{name: "not set yet", says: "run sets it"},
		{name: "set elsewhere", set: "https://127.0.0.1:8443/hook?secret=hunter2", says: "run replaces it"},
		{name: "set", set: "own", says: "is set to 127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := withHook(t, simtelegram.Options{})
			if tt.set == "own" {
				tt.set = w.url
			}
			if tt.set != "" {
				if err := telegram.Call(t.Context(), w.bot, "setWebhook", map[string]string{"url": tt.set}, nil); err != nil {
					t.Fatal(err)
				}
			}
			sets := w.sim.Calls("setWebhook")
			found, err := w.bot.Check(t.Context())
			if err != nil || len(found) != 3 {
				t.Fatalf("checks = %+v, %v", found, err)
			}
			if c := found[2]; c.What != "webhook" || !c.OK || !strings.Contains(c.Mend, tt.says) || strings.Contains(c.Mend, "hunter2") {
				t.Errorf("check = %+v", c)
			}
			if w.sim.Calls("setWebhook") != sets {
				t.Error("it was changed")
			}
		})
	}
}

// TestWebhookBack: a bot that is configured to poll again takes the webhook away and gets what had waited for it.
func TestWebhookBack(t *testing.T) {
	t.Parallel()
	w, h := withHook(t, simtelegram.Options{}), &host{}
	stop := start(t, w.bot, h)
	h.waitUp(t, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	ask(t, w.sim, "waits")
	next := &host{}
	start(t, newBot(t, w.sim.APIURL(), w.sim.Token()), next)
	if ev := next.event(t, core.KindMessage, 1); ev.Text != "waits" {
		t.Errorf("text = %q", ev.Text)
	}
	if n := w.sim.Calls("deleteWebhook"); n != 1 {
		t.Errorf("taken away %d times", n)
	}
}

func FuzzWebhook(f *testing.F) {
	for _, seed := range []string{
		privately(1, "x"), "", "{", `{"update_id":-1}`, `{"update_id":9,"message":{"migrate_to_chat_id":-1001,"chat":{"id":-5,"type":"group"}}}`,
		`{"update_id":9,"my_chat_member":{"chat":{"id":5,"type":"private"},"new_chat_member":{"status":"kicked"}}}`,
		`{"update_id":9,"message_reaction":{"chat":{"id":5},"message_id":1,"user":{"id":5},"new_reaction":[{"type":"emoji","emoji":"👍"}]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		h := &moverHost{}
		status := telegram.Deliver(h, body)
		if len(body) <= 4<<20 && status != http.StatusOK {
			t.Errorf("answered %d to %q", status, body)
		}
		for _, ev := range h.all("") {
			if ev.Key == "" || ev.Room.ID == "" || ev.MessageID == "" || bytes.ContainsRune([]byte(ev.Room.ID), '/') {
				t.Errorf("event %+v of %q", ev, body)
			}
		}
	})
}
