package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/internal/config"
	"github.com/clickai/bridge/internal/control"
	"github.com/clickai/bridge/store"
)

// controlTries is how often a command looks for the bridge and then for a free store: a bridge that starts or stops holds
// the store for a moment without answering. Each try waits for the store a second.
const controlTries = 3

// operate runs do on the bridge's memory: through the bridge that runs, else on the store itself, which is held meanwhile.
func operate(ctx context.Context, c *config.Config, do func(control.Operations) error) (err error) {
	for range controlTries {
		client, err := control.Dial(ctx, c.Store.Path)
		if err == nil {
			return do(client)
		}
		if !errors.Is(err, control.ErrNobody) {
			return err
		}
		// Open would make a store that is not there.
		if _, err := os.Stat(c.Store.Path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no store at %s yet: the bridge makes it when it first runs (store.path says where)", c.Store.Path)
		}
		db, err := store.Open(c.Store.Path, store.Options{})
		if errors.Is(err, store.ErrInUse) {
			continue
		}
		if err != nil {
			return err
		}
		apps := newAppClients()
		defer apps.close()
		plan, err := planOf(c.ClickAI)
		if err != nil {
			return errors.Join(err, db.Close())
		}
		if err := apps.use(c, clickai.NewLimits(plan)); err != nil {
			return errors.Join(err, db.Close())
		}
		return errors.Join(do(&control.Local{Store: db, Client: apps.client}), db.Close())
	}
	sock, err := control.SocketPath(c.Store.Path)
	if err != nil {
		return err
	}
	return fmt.Errorf("the store %s is %w, and nobody answers at %s: a bridge that is starting or stopping (try again), or one of an earlier version (stop it first)",
		c.Store.Path, store.ErrInUse, sock)
}

// appClients are clients of ClickAI for the apps of a configuration, which may be replaced by another one.
type appClients struct {
	mu     sync.Mutex
	byName map[string]*clickai.Client
}

func newAppClients() *appClients { return &appClients{} }

// client is the client of an app; nil if the configuration has none of that name.
func (a *appClients) client(app string) *clickai.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byName[app]
}

// use takes the apps of a configuration in place of those before. limits count the requests of all that use the same keys.
func (a *appClients) use(c *config.Config, limits *clickai.Limits) error {
	next := make(map[string]*clickai.Client, len(c.Apps))
	for name, app := range c.Apps {
		client, err := clickai.New(clickai.Config{
			BaseURL: c.ClickAI.BaseURL, APIKey: app.APIKey.Reveal(), Limiter: limits.For(app.APIKey.Reveal()),
			UserAgent: "clickai-bridge/" + versionText(),
		})
		if err != nil {
			return fmt.Errorf("app %s: %w", name, err)
		}
		next[name] = client
	}
	a.mu.Lock()
	old := a.byName
	a.byName = next
	a.mu.Unlock()
	for _, client := range old {
		client.CloseIdleConnections()
	}
	return nil
}

func (a *appClients) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, client := range a.byName {
		client.CloseIdleConnections()
	}
}

// controlSocket answers the commands while the bridge runs.
type controlSocket struct {
	apps   *appClients
	server *control.Server
}

// startControl begins to answer on the socket beside the store. A bridge that cannot do that runs all the same: it says so,
// and the commands then work only while it is stopped.
func startControl(ctx context.Context, db *store.Store, c *config.Config, limits *clickai.Limits, log *slog.Logger) (*controlSocket, error) {
	s := &controlSocket{apps: newAppClients()}
	if err := s.apps.use(c, limits); err != nil {
		return nil, err
	}
	var err error
	s.server, err = control.Serve(ctx, c.Store.Path, &control.Local{Store: db, Client: s.apps.client}, versionText(), log)
	if err != nil {
		log.Warn("no control socket: bridge conversations, feedback and backup work only while this bridge is stopped", slog.Any("err", err))
		return s, nil
	}
	log.Debug("control socket", slog.String("path", s.server.Path()))
	return s, nil
}

// reload takes the apps of another configuration. The store stays.
func (s *controlSocket) reload(c *config.Config, limits *clickai.Limits) error {
	return s.apps.use(c, limits)
}

func (s *controlSocket) close() error {
	defer s.apps.close()
	if s.server == nil {
		return nil
	}
	return s.server.Close()
}
