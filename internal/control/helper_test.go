package control_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	sdk "github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/control"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

const (
	appName = "support"
	user    = "slack:T:owner"
)

// fixture is a store, a stand-in of ClickAI, and the operations on both.
type fixture struct {
	store *storetest.Store
	sim   *clickai.Server
	sdk   *sdk.Client
	local *control.Local
	ops   control.Operations
}

// bothWays runs a test on an open store, and again through a socket.
func bothWays(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Run("open store", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		f.ops = f.local
		test(t, f)
	})
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		f.ops = f.overSocket(t)
		test(t, f)
	})
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	sim, err := clickai.New(clickai.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	var key string
	for _, a := range clickai.DefaultApps() {
		if a.Mode == clickai.ModeChat {
			key = a.Key
		}
	}
	client, err := sdk.New(sdk.Config{BaseURL: sim.URL(), APIKey: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	f := &fixture{store: storetest.Open(t, store.Options{}), sim: sim, sdk: client}
	f.local = &control.Local{Store: f.store.Store, Client: func(app string) *sdk.Client {
		if app == appName {
			return client
		}
		return nil
	}}
	return f
}

// overSocket serves the store and returns a client of that.
func (f *fixture) overSocket(t *testing.T) *control.Client {
	t.Helper()
	serve(t, f.store.Path(), f.local)
	return dial(t, f.store.Path())
}

func serve(t *testing.T, path string, ops control.Operations) *control.Server {
	t.Helper()
	s, err := control.Serve(t.Context(), path, ops, "v1", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func dial(t *testing.T, path string) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// talk has a conversation of so many turns with the stand-in, and returns its id.
func (f *fixture) talk(t *testing.T, turns int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	id := ""
	for range turns {
		res, err := f.sdk.Chat(ctx, sdk.ChatRequest{Query: "What is covered?", User: user, ConversationID: id})
		if err != nil {
			t.Fatal(err)
		}
		id = res.ConversationID
	}
	return id
}

// remember maps a place to a conversation.
func (f *fixture) remember(t *testing.T, room, app, id string) string {
	t.Helper()
	at := core.Place{Room: room}
	key := core.NewConvKey("acme", app, at, "")
	if err := f.store.PutConversation(t.Context(), key, core.Conversation{
		ID: id, User: user, App: app, Owner: core.User{ID: "U", Name: "Minh", Key: user}, People: 1, Turns: 3,
		Last: time.Date(2026, 8, 1, 9, 30, 0, 0, time.UTC), At: at, Bot: "acme", Title: "help",
	}); err != nil {
		t.Fatal(err)
	}
	return string(key)
}

// known tells whether a key is remembered.
func (f *fixture) known(t *testing.T, key string) bool {
	t.Helper()
	_, ok, err := f.store.Conversation(t.Context(), core.ConvKey(key))
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// atClickAI tells whether the stand-in has a conversation.
func (f *fixture) atClickAI(id string) bool {
	for _, c := range f.sim.Conversations() {
		if c.ID == id {
			return true
		}
	}
	return false
}

// wantKind wants an error of a kind.
func wantKind(t *testing.T, what string, err error, kind control.Kind) {
	t.Helper()
	if e, ok := errors.AsType[*control.Error](err); !ok || e.Kind != kind || e.Text == "" {
		t.Errorf("%s: %v, want an error of kind %s", what, err, kind)
	}
}

// blocked is operations of which a backup ends with its context alone.
type blocked struct {
	control.Operations
	begun chan struct{}
}

func (b blocked) Backup(ctx context.Context, begin func(int64) (io.Writer, error)) error {
	w, err := begin(1 << 20)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte("half")); err != nil {
		return err
	}
	close(b.begun)
	<-ctx.Done()
	return ctx.Err()
}
