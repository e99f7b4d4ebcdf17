package telegram

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// maxViolations bounds the list; what comes after is counted in its last entry.
const maxViolations = 1000

// Server is the stand-in. Make one with [New]. All methods are safe for concurrent use.
type Server struct {
	opts    Options
	faults  sim.Faults
	changed sim.Notifier // anything that people can see
	queued  sim.Notifier // the update queue or the webhook
	expire  sim.Notifier // a new end of a chat action, a draft or a poll
	log     *slog.Logger

	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	listener net.Listener
	http     *http.Server
	work     sync.WaitGroup // the server's own goroutines
	handlers gate           // requests under way

	mu           sync.Mutex
	me           *markup.User
	users        map[int64]*markup.User
	premium      map[int64]bool
	chats        map[int64]*chat
	order        []int64 // of chats
	lastID       int
	all          *overallLimit
	files        *fileStore
	calls        map[string]int
	violations   []string
	unlisted     int // violations beyond the bound
	commands     map[commandScope][]Command
	presses      []*press // oldest first; at most maxPresses
	pings        []Ping
	albums       int64
	pressed      int64
	loggedOut    bool
	updates      updateQueue
	poll         pollState
	hook         *webhook
	instantPolls bool
	actionEnds   deadlines
	draftEnds    deadlines
	pollEnds     deadlines
}

var _ sim.Platform = (*Server)(nil)

// New starts a server. It fails when the address cannot be listened on or the options do not fit together.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	id, err := botID(o.Token)
	if err != nil {
		return nil, fmt.Errorf("telegram stand-in: %w", err)
	}
	s := &Server{
		opts: o, log: o.Log,
		me:      &markup.User{ID: id, IsBot: true, FirstName: o.Name, Username: o.Username},
		users:   map[int64]*markup.User{},
		premium: map[int64]bool{},
		chats:   map[int64]*chat{},
		all:     newOverallLimit(o.RateScale),
		files:   newFileStore(o.MaxFileBytes),
		calls:   map[string]int{}, commands: map[commandScope][]Command{},
		updates: newUpdateQueue(o.FirstUpdateID, o.MaxUpdates),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.populate(); err != nil {
		return nil, fmt.Errorf("telegram stand-in: %w", err)
	}
	lc := net.ListenConfig{}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if s.listener = o.Listener; s.listener == nil {
		s.listener, err = lc.Listen(s.ctx, "tcp", o.Listen)
	}
	if err != nil {
		s.cancel()
		return nil, fmt.Errorf("telegram stand-in: listening: %w", err)
	}
	s.http = &http.Server{
		Handler:           s.handlers.wrap(s.faults.Wrap(http.HandlerFunc(s.route))),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	s.work.Go(func() {
		if err := s.http.Serve(s.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("telegram stand-in stopped serving", slog.Any("error", err))
		}
	})
	s.work.Go(s.expireLoop)
	s.work.Go(s.deliverLoop)
	return s, nil
}

// populate makes the people and chats of the options.
func (s *Server) populate() error {
	for _, u := range s.opts.Users {
		if u.ID <= 0 || s.users[u.ID] != nil {
			return fmt.Errorf("user id %d is not above 0, or there twice", u.ID)
		}
		s.users[u.ID], s.premium[u.ID] = u.wire(), u.Premium
		s.addChat(&chat{id: u.ID, kind: private, members: []int64{u.ID}, bot: member, forum: s.opts.PrivateTopics})
	}
	s.users[s.me.ID] = s.me
	for _, o := range s.opts.Chats {
		if s.chats[o.ID] != nil || o.ID >= 0 || o.Type != group && o.Type != supergroup || o.Forum && o.Type != supergroup {
			return fmt.Errorf("chat %d: its id must be below 0 and its own, its type group or supergroup, forums are supergroups", o.ID)
		}
		c := &chat{
			id: o.ID, kind: o.Type, title: o.Title, username: o.Username, forum: o.Forum, members: slices.Clone(o.Members),
			bot: member, manage: o.ManageTopics, reactions: o.Reactions,
		}
		if o.BotAdmin {
			c.bot = administrator
		}
		for _, id := range c.members {
			if s.users[id] == nil {
				return fmt.Errorf("chat %d: member %d is no user", o.ID, id)
			}
		}
		if len(c.members) == 0 {
			c.members = defaultMembers(s.opts.Users)
		}
		if len(c.members) == 0 {
			return fmt.Errorf("chat %d: has no members", o.ID)
		}
		s.addChat(c)
		for _, t := range o.Topics {
			if !o.Forum || t.ID <= max(c.lastID, 1) {
				return fmt.Errorf("chat %d: topic %d: ids must rise from 2, in a forum", o.ID, t.ID)
			}
			c.lastID = t.ID - 1
			s.openTopic(c, t.Name, c.members[0]).closed = t.Closed
		}
		c.lastID = max(c.lastID, 1) // the message that made the supergroup
	}
	return nil
}

func (s *Server) addChat(c *chat) {
	c.limit = newChatLimit(s.opts.RateScale, c.isGroup())
	c.activity = map[int]*activity{}
	s.chats[c.id] = c
	s.order = append(s.order, c.id)
}

// Name is "telegram".
func (s *Server) Name() string { return "telegram" }

// APIURL is the base of the Bot API, without a slash at its end: calls go to APIURL()/bot<token>/<method>.
func (s *Server) APIURL() string { return "http://" + s.listener.Addr().String() }

// Token is the bot's token.
func (s *Server) Token() string { return s.opts.Token }

// Faults is the script of misbehaviour; it stands before all routes, file downloads included.
func (s *Server) Faults() *sim.Faults { return &s.faults }

// Changed implements [sim.Platform].
func (s *Server) Changed() <-chan struct{} { return s.changed.Changed() }

// Close drops all connections and waits for the server's goroutines.
func (s *Server) Close() error {
	s.cancel()
	err := s.http.Close()
	s.handlers.wait()
	s.work.Wait()
	if err != nil {
		return fmt.Errorf("telegram stand-in: closing: %w", err)
	}
	return nil
}

// Violations implements [sim.Platform].
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.violations)
	if s.unlisted > 0 {
		out = append(out, fmt.Sprintf("and %d more", s.unlisted))
	}
	return out
}

func (s *Server) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.mu.Lock()
	if len(s.violations) < maxViolations {
		s.violations = append(s.violations, text)
	} else {
		s.unlisted++
	}
	s.mu.Unlock()
	s.log.Warn("violation", slog.String("platform", "telegram"), slog.String("what", text))
	s.changed.Notify()
}

// Calls is how many calls of a method reached the server, refused ones included; upper and lower case are one.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[strings.ToLower(method)]
}

var (
	errNotFound     = &apiError{code: http.StatusNotFound, text: "Not Found"}
	errUnauthorized = &apiError{code: http.StatusUnauthorized, text: "Unauthorized"}
)

// route tells API calls from file downloads; everything else is Not Found.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if rest, ok := strings.CutPrefix(path, "file/bot"); ok {
		token, file, _ := strings.Cut(rest, "/")
		if !s.tokenOK(token) {
			s.fail(w, errUnauthorized)
			return
		}
		s.serveFile(w, r, file)
		return
	}
	rest, ok := strings.CutPrefix(path, "bot")
	token, name, slash := strings.Cut(rest, "/")
	if !ok || !slash || name == "" {
		s.fail(w, errNotFound)
		return
	}
	if !s.tokenOK(token) {
		s.fail(w, errUnauthorized)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		s.fail(w, &apiError{code: http.StatusMethodNotAllowed, text: "Method Not Allowed"})
		return
	}
	result, err := s.call(r, name)
	if err != nil {
		s.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, answer{OK: true, Result: result})
}

func (s *Server) tokenOK(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.opts.Token)) == 1
}

// call runs one method. The result is plain data, safe to write out without the lock.
func (s *Server) call(r *http.Request, name string) (any, error) {
	method, known := s.method(name)
	if !known {
		s.violate("%s: the server has no such method", strings.ToValidUTF8(name, "?"))
		return nil, errNotFound
	}
	p, err := readParams(r, name)
	if err != nil {
		return nil, s.judge(name, err)
	}
	s.mu.Lock()
	s.calls[strings.ToLower(name)]++
	out := s.loggedOut
	s.mu.Unlock()
	if out {
		return nil, &apiError{code: http.StatusBadRequest, text: "Logged out"}
	}
	result, err := method(s, r.Context(), p)
	for _, n := range p.nulls {
		s.violate("%s: %s is null where a list is due", name, n)
	}
	if p.bool("allow_paid_broadcast") {
		s.violate("%s: allow_paid_broadcast costs Stars for every message", name)
	}
	if err != nil {
		return nil, s.judge(name, err)
	}
	return result, nil
}

// judge lists what only a bot against the documentation causes.
func (s *Server) judge(method string, err error) error {
	if e, ok := errors.AsType[*apiError](err); ok && e.against {
		s.violate("%s: %s", method, err)
	}
	return err
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	e, ok := errors.AsType[*apiError](err)
	if !ok { // the client is gone or the server closes
		e = &apiError{code: http.StatusInternalServerError, text: "Internal Server Error: restart"}
	}
	s.log.Debug("call refused", slog.Int("code", e.code), slog.String("description", e.description()))
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	writeJSON(w, e.code, e.answer())
}

// gate counts the requests under way, so that Close can wait for them.
type gate struct {
	mu     sync.Mutex
	closed bool
	open   sync.WaitGroup
}

func (g *gate) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		if g.closed {
			g.mu.Unlock()
			panic(http.ErrAbortHandler) // net/http's documented way to drop a connection
		}
		g.open.Add(1)
		g.mu.Unlock()
		defer g.open.Done()
		next.ServeHTTP(w, r)
	})
}

func (g *gate) wait() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.open.Wait()
}
