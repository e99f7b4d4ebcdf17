package discord

import (
	"context"
	"crypto/rand"
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

// Bounds of the whole server.
const (
	maxViolations  = 1000
	maxConnections = 64    // of the gateway
	maxSessions    = 64    // kept for a resume
	maxNonces      = 10000 //
	maxPings       = 1000
	maxThreads     = 1000 // active ones in a guild: https://docs.discord.com/developers/topics/threads (guilds are capped)
	nonceMemory    = 5 * time.Minute
)

// Server is a running stand-in. It implements [sim.Platform].
type Server struct {
	opt    Options
	log    *slog.Logger
	addr   string
	http   *http.Server
	faults sim.Faults
	notify sim.Notifier
	limits *limiter
	key    []byte // signs attachment URLs
	wg     sync.WaitGroup
	ctx    context.Context
	stop   context.CancelFunc

	mu          sync.Mutex
	closed      bool
	ids         snowflakes
	token       string
	guild       Guild
	bot         *user
	permissions Permission
	noContent   bool
	users       map[string]*user
	people      []string // user ids in order
	channels    map[string]*channel
	rooms       []string // channel ids in order of making, threads not among them
	threads     []string // thread ids in order of making
	stored      []*attachment
	storedBytes int64
	files       map[string]*attachment
	nonces      map[string]nonceEntry
	violations  []string
	lost        int // violations beyond the bound
	pings       []string
	denied      int // requests with a wrong token
	badAgent    bool
	commands    map[string][]map[string]any // scope → registered commands
	inter       interactions
	endpoint    string // that interactions go to in place of the gateway

	gw gateway
}

type nonceEntry struct {
	message *message
	at      time.Time
}

var _ sim.Platform = (*Server)(nil)

// New starts a stand-in. It listens when New returns.
func New(o Options) (*Server, error) {
	if err := o.setDefaults(); err != nil {
		return nil, fmt.Errorf("options of the Discord stand-in: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		opt: o, log: o.Log, limits: newLimiter(o.RateScale), ctx: ctx, stop: stop,
		token: o.Token, guild: o.Guild, permissions: o.Permissions, noContent: o.NoMessageContent,
		users: map[string]*user{}, channels: map[string]*channel{}, files: map[string]*attachment{},
		nonces: map[string]nonceEntry{}, commands: map[string][]map[string]any{},
		key: []byte(rand.Text()),
	}
	s.inter.byID = map[string]*interaction{}
	s.gw.init()
	s.populate()

	l := o.Listener
	if l == nil {
		var err error
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen); err != nil {
			stop()
			return nil, fmt.Errorf("listen for the Discord stand-in: %w", err)
		}
	}
	s.addr = l.Addr().String()
	s.http = &http.Server{
		Handler:           s.counted(s.faults.Wrap(http.HandlerFunc(s.serve))),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	s.wg.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("stand-in stopped serving", slog.Any("err", err))
		}
	})
	return s, nil
}

func (s *Server) populate() {
	now := time.Now()
	bot := s.opt.Bot
	s.bot = &user{ID: bot.ID, Name: bot.Name, Username: username(bot), Bot: true, joined: now}
	s.users[bot.ID] = s.bot
	for i, c := range s.opt.Channels {
		id := c.ID
		if id == "" {
			id = s.ids.next(now)
		}
		s.channels[id] = &channel{id: id, guild: s.guild.ID, typ: channelKinds[c.Kind], name: c.Name, topic: c.Topic, position: i, deny: c.Deny}
		s.rooms = append(s.rooms, id)
	}
	for _, p := range s.opt.People {
		if p.ID == "" {
			p.ID = s.ids.next(now)
		}
		if p.DM == "" {
			p.DM = s.ids.next(now)
		}
		s.users[p.ID] = &user{ID: p.ID, Name: p.Name, Username: username(p), dm: p.DM, joined: now}
		s.people = append(s.people, p.ID)
		s.channels[p.DM] = &channel{id: p.DM, typ: typeDM, name: p.Name, recipient: p.ID}
		s.rooms = append(s.rooms, p.DM)
	}
}

func username(p Person) string {
	if p.Username != "" {
		return p.Username
	}
	return strings.ReplaceAll(strings.ToLower(p.Name), " ", "_")
}

// counted lets Close wait for every request, also for those whose connection was taken over by the gateway.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		s.wg.Add(1)
		s.mu.Unlock()
		defer s.wg.Done()
		next.ServeHTTP(w, r)
	})
}

// Close stops listening, drops every connection and waits for all goroutines. It can be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	if first {
		s.stop()
		for c := range s.gw.conns {
			c.shut(closeGoingAway, "")
			_ = c.ws.NetConn().SetDeadline(time.Now().Add(closeTime))
		}
		for _, c := range s.channels {
			s.stopTyping(c)
		}
	}
	s.mu.Unlock()
	if !first {
		s.wg.Wait()
		return nil
	}
	err := s.http.Close()
	s.wg.Wait()
	s.notify.Notify()
	if err != nil {
		return fmt.Errorf("close the Discord stand-in: %w", err)
	}
	return nil
}

// Name is "discord".
func (s *Server) Name() string { return "discord" }

// APIURL is the base of the REST API, such as http://127.0.0.1:4321/api/v9.
func (s *Server) APIURL() string { return s.base() + "/api/v9" }

// Token is what the bot must present.
func (s *Server) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

func (s *Server) base() string { return "http://" + s.addr }

// Faults is the script for HTTP requests. Paths are as sent: "POST /api/v9/channels/…", "GET /attachments/…".
func (s *Server) Faults() *sim.Faults { return &s.faults }

// Changed returns the channel that the next change closes.
func (s *Server) Changed() <-chan struct{} { return s.notify.Changed() }

// Violations lists what the bot did against the documentation, oldest first; at most 1,000, then a count.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.violations)
	if s.lost > 0 {
		out = append(out, fmt.Sprintf("and %d more", s.lost))
	}
	return out
}

// violate records one thing done wrong. The caller holds the lock.
func (s *Server) violate(format string, args ...any) {
	defer s.notify.Notify()
	if len(s.violations) >= maxViolations {
		s.lost++
		return
	}
	v := fmt.Sprintf(format, args...)
	s.violations = append(s.violations, v)
	s.log.Warn("violation", slog.String("what", v))
}

// SetToken makes another token the valid one: connections of the old one close with 4004, requests get 401.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
	s.gw.endAll()
	for c := range s.gw.conns {
		c.shut(closeAuthFailed, "Authentication failed.")
	}
	s.notify.Notify()
}

// SetMessageContent turns the message content intent on or off in the "developer portal", for the next Identify and
// for REST.
func (s *Server) SetMessageContent(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noContent = !on
}

// SetInteractionsEndpoint sets the address in the "developer portal" that interactions are sent to in place of the gateway; ""
// is none. The stand-in sends nothing there.
func (s *Server) SetInteractionsEndpoint(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoint = url
}

// BlockDM makes a person take no direct messages of the bot (50007), or take them again.
func (s *Server) BlockDM(person string, blocked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.person(person); u != nil {
		u.blocked = blocked
	}
}
