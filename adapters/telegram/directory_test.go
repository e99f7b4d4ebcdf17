package telegram_test

import (
	"net/http"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

func TestFindRoom(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{Chats: []simtelegram.Chat{
		{ID: -4000000001, Type: "group", Title: "Acme lunch"},
		{ID: -1002000000001, Type: "supergroup", Title: "Acme HQ", Username: "acme_hq"},
		{ID: -4000000009, Type: "group", Title: "Thrown out"},
	}})
	clean(t, s)
	if err := s.SetBot("-4000000009", "kicked"); err != nil {
		t.Fatal(err)
	}
	hq := core.Room{ID: "-1002000000001", Name: "Acme HQ"}
	tests := []struct {
		name, asked string
		want        core.Room
		ok          bool
		class       core.Class
	}{
		{name: "group by id", asked: simtelegram.Group, want: core.Room{ID: simtelegram.Group, Name: "Acme lunch"}, ok: true},
		{name: "public name", asked: "acme_hq", want: hq, ok: true},
		{name: "public name in upper case, with its @", asked: "@Acme_HQ", want: hq, ok: true},
		{name: "private chat by id", asked: simtelegram.Minh, want: core.Room{ID: simtelegram.Minh, Direct: true}, ok: true},
		{name: "unknown id", asked: "-1009999999999"},
		{name: "thrown out", asked: "-4000000009"},
		{name: "title", asked: "Acme lunch", class: core.Unsupported},
		{name: "name that nobody has", asked: "nothing_here", class: core.Unsupported},
		{name: "nothing", asked: "", class: core.Unsupported},
	}
	for _, tt := range tests {
		got, ok, err := p.FindRoom(t.Context(), tt.asked)
		if got != tt.want || ok != tt.ok || core.ClassOf(err) != tt.class {
			t.Errorf("%s: %+v, %t, %v", tt.name, got, ok, err)
		}
	}
	url := fake(t, map[string]http.HandlerFunc{"getChat": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"ok":true,"result":{"id":5000000077,"type":"private","first_name":"Lunch Bot","username":"lunch_bot"}}`))
	}})
	if _, ok, err := newBot(t, url, token).FindRoom(t.Context(), "lunch_bot"); ok || core.ClassOf(err) != core.Unsupported {
		t.Errorf("the public name of a bot: %t, %v", ok, err)
	}
	to := upgrade(t, s)
	if got, ok, err := p.FindRoom(t.Context(), simtelegram.Group); err != nil || !ok || got.ID != to {
		t.Errorf("upgraded: %+v, %t, %v", got, ok, err)
	}
	s.Faults().Add(sim.Fault{Match: "getChat", Times: 1, Status: http.StatusBadGateway, Body: "<html>"})
	if _, ok, err := p.FindRoom(t.Context(), "acme_hq"); ok || core.ClassOf(err) != core.Transient {
		t.Errorf("502: %t, %v", ok, err)
	}
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	minh := core.User{ID: simtelegram.Minh, Name: "Minh Tran", Handle: "minh_tran", Key: "telegram:" + simtelegram.Minh}
	tests := []struct {
		name, asked string
		want        core.User
		ok          bool
		class       core.Class
	}{
		{name: "id", asked: simtelegram.Minh, want: minh, ok: true},
		{name: "id of nobody who has written", asked: "5999999999"},
		{name: "user name", asked: "minh_tran", class: core.Unsupported},
		{name: "id of a group", asked: simtelegram.Group, class: core.Unsupported},
		{name: "nothing", asked: "", class: core.Unsupported},
	}
	for _, tt := range tests {
		got, ok, err := p.FindUser(t.Context(), tt.asked)
		if got != tt.want || ok != tt.ok || core.ClassOf(err) != tt.class {
			t.Errorf("%s: %+v, %t, %v", tt.name, got, ok, err)
		}
	}
	url := fake(t, map[string]http.HandlerFunc{"getChat": func(w http.ResponseWriter, _ *http.Request) {
		// A kind of reaction that came after the library.
		_, _ = w.Write([]byte(`{"ok":true,"result":{"id":` + simtelegram.Minh + `,"type":"private","first_name":"Minh","last_name":"Tran","username":"minh_tran","available_reactions":[{"type":"hologram"}]}}`))
	}})
	if got, ok, err := newBot(t, url, token).FindUser(t.Context(), simtelegram.Minh); err != nil || !ok || got != minh {
		t.Errorf("unknown kinds: %+v, %t, %v", got, ok, err)
	}
}
