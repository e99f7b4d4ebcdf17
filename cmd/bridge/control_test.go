package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
	"github.com/clickai/bridge/store"
)

// memory is a configuration with a store, and ClickAI's stand-in behind it.
type memory struct {
	t      *testing.T
	set    *standins.Set
	config string
	store  string
}

// bothWays runs a test of commands while no bridge runs, and again while one does. fill fills the store before.
func bothWays(t *testing.T, fill func(m *memory, s *store.Store), test func(t *testing.T, m *memory)) {
	t.Helper()
	for _, running := range []bool{false, true} {
		name := map[bool]string{false: "stopped", true: "running"}[running]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory(t)
			m.fill(func(s *store.Store) { fill(m, s) })
			if running {
				p := m.run()
				defer p.stop()
			}
			test(t, m)
			for _, v := range m.set.ClickAI.Violations() {
				t.Errorf("against ClickAI's documentation: %s", v)
			}
		})
	}
}

func newMemory(t *testing.T) *memory {
	t.Helper()
	s := startSet(t, standins.Options{})
	config := writeConfig(t, s, clickai.ModeChat, "conversation: room")
	return &memory{t: t, set: s, config: config, store: filepath.Join(filepath.Dir(config), "bridge.db")}
}

// run starts a bridge and waits until all its bots are connected.
func (m *memory) run() *process {
	m.t.Helper()
	p := runBridge(m.t, m.config)
	until(m.t, "all bots connect", func() bool { return len(p.byBot("connected")) == 3 }, p.changed)
	return p
}

// ended waits until so many turns have ended and are stored.
func ended(t *testing.T, p *process, turns int) {
	t.Helper()
	until(t, "the turns end", func() bool { return strings.Count(p.text(), `"msg":"turn finished"`) >= turns }, p.changed)
}

// fill opens the store and closes it again.
func (m *memory) fill(with func(s *store.Store)) {
	m.t.Helper()
	s, err := store.Open(m.store, store.Options{})
	if err != nil {
		m.t.Fatal(err)
	}
	with(s)
	if err := s.Close(); err != nil {
		m.t.Fatal(err)
	}
}

// talk has a conversation with the stand-in and returns its id.
func (m *memory) talk(questions ...string) string {
	m.t.Helper()
	c, err := sdk.New(sdk.Config{BaseURL: m.set.ClickAI.URL(), APIKey: m.set.Agent(clickai.ModeChat).Key})
	if err != nil {
		m.t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	id := ""
	for _, q := range questions {
		res, err := c.Chat(m.t.Context(), sdk.ChatRequest{Query: q, User: "slack:T:owner", ConversationID: id})
		if err != nil {
			m.t.Fatal(err)
		}
		id = res.ConversationID
	}
	return id
}

// remember maps a room to a conversation of ClickAI.
func remember(t *testing.T, s *store.Store, room, title, id string) string {
	t.Helper()
	at := core.Place{Room: room}
	key := core.NewConvKey("demo-slack", "demo", at, "")
	if err := s.PutConversation(t.Context(), key, core.Conversation{
		ID: id, User: "slack:T:owner", App: "demo", Owner: core.User{ID: "U", Name: "Nguyễn Minh", Key: "slack:T:owner"}, People: 2, Turns: 2,
		Last: time.Date(2026, 8, 1, 9, 30, 0, 0, time.UTC), At: at, Bot: "demo-slack", Title: title,
	}); err != nil {
		t.Fatal(err)
	}
	return string(key)
}

// do runs a command on the memory.
func (m *memory) do(args ...string) (code int, stdout, stderr string) {
	m.t.Helper()
	return command(m.t, nil, append(args, "--config", m.config)...)
}

// wants runs a command and wants an exit code and texts in what it prints.
func (m *memory) wants(code int, args []string, texts ...string) string {
	m.t.Helper()
	got, out, errs := m.do(args...)
	if got != code {
		m.t.Errorf("%v: exit %d, want %d\n%s%s", args, got, code, out, errs)
	}
	for _, text := range texts {
		if !strings.Contains(out+errs, text) {
			m.t.Errorf("%v does not say %q:\n%s%s", args, text, out, errs)
		}
	}
	return out
}

func TestOperatorUsage(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"conversations alone", []string{"conversations"}, 2, "history"},
		{"feedback alone", []string{"feedback"}, 2, "export"},
		{"no conversation named", []string{"conversations", "history"}, 2, "name a conversation"},
		{"two conversations", []string{"conversations", "delete", "a", "b"}, 2, "does not take"},
		{"odd limit", []string{"conversations", "history", "a", "--limit", "0"}, 2, "--limit"},
		{"empty name", []string{"conversations", "rename", "a", " "}, 2, "empty"},
		{"odd format", []string{"feedback", "export", "--format", "xml"}, 2, "csv or json"},
		{"odd report", []string{"feedback", "report", "--format", "xml"}, 2, "csv or json"},
		{"two formats", []string{"feedback", "export", "--format", "csv", "--json"}, 2, "exclude"},
		{"no file to back up to", []string{"backup"}, 2, "name a file"},
		{"two files", []string{"restore", "a", "b"}, 2, "does not take"},
		{"unknown word", []string{"conversations", "lst"}, 2, "lst"},
		{"no store yet", []string{"conversations", "list"}, 1, m.store},
		{"no store to back up", []string{"backup", filepath.Join(t.TempDir(), "b.db")}, 1, "no store"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if len(args) > 1 && args[1] != "lst" || args[0] == "backup" { // a group of commands takes no flag
				args = append(args, "--config", m.config)
			}
			code, out, errs := command(t, nil, args...)
			if code != tt.code || !strings.Contains(out+errs, tt.says) {
				t.Errorf("exit %d, want %d that says %q\n%s%s", code, tt.code, tt.says, out, errs)
			}
		})
	}
	if _, err := os.Stat(m.store); err == nil {
		t.Error("a command that only reads has made a store")
	}
	for _, name := range []string{
		"conversations", "conversations list", "conversations history", "conversations rename", "conversations reset", "conversations delete",
		"feedback", "feedback export", "feedback report", "backup", "restore",
	} {
		code, out, _ := command(t, nil, append(strings.Fields(name), "--help")...)
		if code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf("%s --help: exit %d\n%s", name, code, out)
		}
		if name != "conversations" && name != "feedback" && !strings.Contains(out, "--config") {
			t.Errorf("%s has no --config", name)
		}
	}
}

// TestHeldBySomebodyElse has a process on the store that does not answer.
func TestHeldBySomebodyElse(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	m.fill(func(*store.Store) {
		m.wants(1, []string{"conversations", "list"}, m.store, "in use by another process", "bridge.db.sock")
		m.wants(1, []string{"restore", m.store, "--force"}, "in use by another process", "stop the bridge")
	})
}

// TestNoPlaceForTheSocket has a bridge run all the same where a socket can be had nowhere.
func TestNoPlaceForTheSocket(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	if err := os.Mkdir(m.store+".sock", 0o700); err != nil {
		t.Fatal(err)
	}
	p := m.run()
	p.stop()
	if !strings.Contains(p.text(), "no control socket") || !strings.Contains(p.text(), "something else is there") {
		t.Errorf("the log does not say why:\n%s", p.text())
	}
}
