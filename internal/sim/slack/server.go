package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Server is one workspace. All methods are safe for concurrent use.
type Server struct {
	opt    Options
	log    *slog.Logger
	ln     net.Listener
	http   *http.Server
	clock  *clock
	faults sim.Faults
	// life ends with Close; requests to the app run under it.
	life context.Context
	end  context.CancelFunc
	// changed wakes those who wait on Changed.
	changed sim.Notifier
	// conns waits for the goroutines of plain HTTP connections, work for all others.
	conns, work sync.WaitGroup

	mu         sync.Mutex // guards everything below
	closed     bool
	users      []User
	channels   []*channel // the ones from the start first
	byID       map[string]*channel
	threads    []placeKey
	files      map[string]*file
	fileOrder  []*file // with content, oldest first
	fileBytes  int64
	uploads    map[string]*file // by upload token
	statuses   map[placeKey]status
	sessions   map[placeKey]string
	buckets    map[bucketKey]*bucket
	ephemerals []ephemeral
	hooks      map[string]*hook
	triggers   map[string]time.Time
	views      []View
	failures   []string // that people were shown
	violations []string
	pings      []string
	pinged     map[string]bool

	sockets    []*socket
	tickets    map[string]time.Time
	nextSocket int
	opened     int // sockets so far
	holding    int // envelopes that are still to be held back
	held       [][]byte
	doubled    bool
	deliveries []*delivery
	backlog    int64 // bytes of the deliveries' payloads
	envelopes  map[string]*delivery
	acked      []string
	requestURL string
	outbox     chan attempt

	lastStamp, lastID int64
	lastStatus        int
	events            int
}

var _ sim.Platform = (*Server)(nil)

// New starts a workspace. It fails when the address cannot be listened on, or two rooms or people share an id.
func New(opt Options) (*Server, error) {
	s, err := build(opt.withDefaults())
	if err != nil {
		return nil, err
	}
	opt = s.opt
	s.life, s.end = context.WithCancel(context.Background())
	ln := opt.Listener
	if ln == nil {
		if ln, err = new(net.ListenConfig).Listen(s.life, "tcp", opt.Listen); err != nil {
			s.end()
			return nil, fmt.Errorf("listen for the Slack stand-in on %s: %w", opt.Listen, err)
		}
	}
	s.ln = ln
	s.http = &http.Server{
		Handler:           s.faults.Wrap(s.routes()),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// A request that a fault holds back ends with the server, though nobody reads its connection meanwhile.
		BaseContext: func(net.Listener) context.Context { return s.life },
		ErrorLog:    slog.NewLogLogger(opt.Log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.conns.Done()
			default:
			}
		},
	}
	s.work.Go(s.clock.loop)
	for range requestWorkers {
		s.work.Go(s.sendRequests)
	}
	s.work.Go(func() {
		if err := s.http.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("slack stand-in stopped serving", slog.Any("err", err))
		}
	})
	return s, nil
}

// build makes a workspace that nobody can reach yet.
func build(opt Options) (*Server, error) {
	s := &Server{
		opt: opt, log: opt.Log, clock: newClock(), users: slices.Clone(opt.Users),
		byID: map[string]*channel{}, files: map[string]*file{}, uploads: map[string]*file{},
		statuses: map[placeKey]status{}, sessions: map[placeKey]string{}, buckets: map[bucketKey]*bucket{}, hooks: map[string]*hook{},
		triggers: map[string]time.Time{}, pinged: map[string]bool{}, tickets: map[string]time.Time{},
		envelopes: map[string]*delivery{}, outbox: make(chan attempt, requestQueue),
	}
	return s, s.furnish()
}

// furnish makes the rooms.
func (s *Server) furnish() error {
	people := make([]string, 0, len(s.users))
	for _, u := range s.users {
		if u.ID == "" || slices.Contains(people, u.ID) || u.ID == s.opt.BotUserID {
			return fmt.Errorf("slack stand-in: user id %q is empty or used twice", u.ID)
		}
		people = append(people, u.ID)
	}
	for _, c := range s.opt.Channels {
		members := slices.Clone(c.Members)
		if c.Members == nil {
			members = slices.Clone(people)
		}
		if !c.Absent {
			members = append(members, s.opt.BotUserID)
		}
		kind := "channel"
		switch {
		case c.Group:
			kind = "mpim"
		case c.Private:
			kind = "group"
		}
		ch := &channel{id: c.ID, name: c.Name, kind: kind, members: members, archived: c.Archived}
		if err := s.addChannelLocked(ch); err != nil {
			return err
		}
	}
	for _, u := range s.users {
		ch := &channel{id: DM(u.ID), name: u.Display, kind: "im", user: u.ID, members: []string{u.ID, s.opt.BotUserID}}
		if err := s.addChannelLocked(ch); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) addChannelLocked(ch *channel) error {
	if ch.id == "" || s.byID[ch.id] != nil {
		return fmt.Errorf("slack stand-in: room id %q is empty or used twice", ch.id)
	}
	ch.created = time.Now()
	ch.byTS, ch.gone = map[string]*message{}, map[string]bool{}
	ch.titles, ch.prompts = map[string]string{}, map[string][]string{}
	s.channels = append(s.channels, ch)
	s.byID[ch.id] = ch
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("/link/", s.serveSocket)
	mux.HandleFunc("POST /upload/v1/{token}", s.serveUpload)
	mux.HandleFunc("GET /files-pri/{id}/{name}", s.serveFile)
	mux.HandleFunc("GET /files-pri/{id}/download/{name}", s.serveFile)
	mux.HandleFunc("POST /hooks/{token}", s.serveHook)
	mux.HandleFunc("/", s.serveSignIn)
	return mux
}

// Name is "slack".
func (s *Server) Name() string { return "slack" }

// APIURL is the base of the Web API's methods, without a slash at its end.
func (s *Server) APIURL() string { return s.base() + "/api" }

func (s *Server) base() string { return "http://" + s.ln.Addr().String() }

// Faults is the script of misbehaviour for all HTTP requests, the socket's handshake (GET /link/) included.
func (s *Server) Faults() *sim.Faults { return &s.faults }

// Changed returns a channel that the next change closes.
func (s *Server) Changed() <-chan struct{} { return s.changed.Changed() }

// Violations lists what the bot did against Slack's documentation, the first 2,000.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// Pings lists each control sequence in the bot's messages that would notify somebody or turn a name into a mention
// (<!channel>, <!here>, <!everyone>, <@U…>, <!subteam^…>), as "room ts sequence", the first 2,000.
// Source: https://docs.slack.dev/messaging/formatting-message-text
func (s *Server) Pings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pings)
}

// BotUserID is the bot's user id.
func (s *Server) BotUserID() string { return s.opt.BotUserID }

// BotToken is the token for the Web API.
func (s *Server) BotToken() string { return s.opt.BotToken }

// AppToken is the app-level token for Socket Mode.
func (s *Server) AppToken() string { return s.opt.AppToken }

// SigningSecret is what requests to the app's URL are signed with.
func (s *Server) SigningSecret() string { return s.opt.SigningSecret }

// Users are the people of the workspace.
func (s *Server) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.users)
}

// Close cuts every connection and returns when all goroutines have ended. Further calls do nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for _, k := range s.sockets {
		k.cut()
	}
	close(s.outbox)
	s.mu.Unlock()
	s.clock.close()
	s.end()
	err := s.http.Close()
	s.work.Wait()
	s.conns.Wait()
	s.changed.Notify()
	if err != nil {
		return fmt.Errorf("close the Slack stand-in: %w", err)
	}
	return nil
}

// serveSignIn is what a browser without a session gets for everything that is not the API.
func (s *Server) serveSignIn(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!DOCTYPE html><html><head><title>Sign in | Slack</title></head>" +
		"<body><form>Sign in to " + s.opt.TeamDomain + ".slack.com</form></body></html>"))
}

// userLocked finds a person by id.
func (s *Server) userLocked(id string) (User, bool) {
	for _, u := range s.users {
		if u.ID == id {
			return u, true
		}
	}
	return User{}, false
}

// displayLocked is what readers see for a user id; the id itself for an unknown one.
func (s *Server) displayLocked(id string) string {
	if id == s.opt.BotUserID {
		return s.opt.BotName
	}
	if u, ok := s.userLocked(id); ok {
		return u.Display
	}
	return id
}

// roomLocked finds a channel by id, or by "#name".
func (s *Server) roomLocked(id string) *channel {
	if ch := s.byID[id]; ch != nil {
		return ch
	}
	if name, ok := strings.CutPrefix(id, "#"); ok {
		for _, ch := range s.channels {
			if ch.kind != "im" && ch.name == name {
				return ch
			}
		}
	}
	return nil
}
