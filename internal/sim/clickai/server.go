package clickai

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// maxJSON bounds the body of a JSON request, as the front proxy of a small set-up does.
const maxJSON = 15 << 20

// app is an App with its running state, guarded by Server.mu.
type app struct {
	App
	id        string
	forbidden bool
	meter     meter
	running   int
	created   time.Time
}

// Server is a running stand-in. All methods are safe for concurrent use.
type Server struct {
	opt      Options
	url      string
	http     *http.Server
	faults   sim.Faults
	notifier sim.Notifier
	closing  chan struct{} // closed by Close: every run ends
	once     sync.Once
	served   chan struct{}  // closed when the accept loop has ended
	conns    sync.WaitGroup // connections
	handlers sync.WaitGroup // requests under way, also on connections that were cut
	serveErr error          // why the accept loop ended; read after served is closed

	mu         sync.Mutex
	secret     []byte // signs file URLs
	apps       []*app
	convs      map[string]*conversation
	messages   map[string]*message
	fileByID   map[string]*file
	tasks      map[string]*run
	flows      map[string]*flow
	scripts    []*Scripted
	clock      int64
	requestSeq int
	turnSeq    int
	convOrder  ring[*conversation]
	loose      ring[*message] // messages of completions
	files      ring[*file]
	contents   ring[*file]
	flowOrder  ring[*flow]
	requests   ring[*Request]
	turns      ring[*turn]
	ratings    ring[Rating]
	violations ring[string]
}

// New starts a server. Errors: an app without name, mode or key, two apps that share a name or a key, or an address
// that cannot be listened on.
func New(opt Options) (*Server, error) {
	opt = opt.withDefaults()
	s := &Server{
		opt: opt, closing: make(chan struct{}), served: make(chan struct{}),
		convs: map[string]*conversation{}, messages: map[string]*message{}, fileByID: map[string]*file{},
		tasks: map[string]*run{}, flows: map[string]*flow{},
		secret: randomBytes(16),
	}
	keep := opt.Keep
	s.convOrder = ring[*conversation]{max: keep.Conversations, dropped: s.removeConversationLocked}
	s.loose = ring[*message]{max: keep.Turns, dropped: func(m *message) { delete(s.messages, m.id) }}
	s.files = ring[*file]{max: keep.Files, dropped: func(f *file) { delete(s.fileByID, f.ID); dropContents(f) }}
	s.contents = ring[*file]{max: keep.Files, maxBytes: max(keep.FileBytes, 1), dropped: dropContents}
	s.flowOrder = ring[*flow]{max: keep.Turns, dropped: func(f *flow) { delete(s.flows, f.id) }}
	s.requests = ring[*Request]{max: keep.Requests, maxBytes: keep.RequestBytes}
	s.turns = ring[*turn]{max: keep.Turns}
	s.ratings = ring[Rating]{max: keep.Ratings}
	s.violations = ring[string]{max: keep.Violations}
	if err := s.addApps(opt.Apps); err != nil {
		return nil, err
	}
	l := opt.Listener
	if l == nil {
		var err error
		if l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", opt.Listen); err != nil {
			return nil, fmt.Errorf("listening for the ClickAI stand-in: %w", err)
		}
	}
	s.url = "http://" + l.Addr().String()
	s.http = &http.Server{
		Handler:           s.observe(s.faults.Wrap(s.routes())),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(opt.Log.Handler(), slog.LevelDebug),
		ConnState:         s.connState,
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.serveErr = fmt.Errorf("serving the ClickAI stand-in: %w", err)
		}
	}()
	return s, nil
}

func (s *Server) addApps(apps []App) error {
	names, keys := map[string]bool{}, map[string]bool{}
	for i, a := range apps {
		switch {
		case a.Name == "" || a.Key == "" || !a.Mode.known():
			return fmt.Errorf("app %d (%q): name, key and a known mode are needed, mode is %q", i, a.Name, a.Mode)
		case names[a.Name]:
			return fmt.Errorf("app %q: there are two of that name", a.Name)
		case keys[a.Key]:
			return fmt.Errorf("app %q: its key belongs to another app", a.Name)
		}
		names[a.Name], keys[a.Key] = true, true
		s.apps = append(s.apps, &app{App: a, id: s.opt.NewID("app"), meter: meter{plan: s.opt.Plan}, created: time.Now()})
	}
	return nil
}

func (s *Server) connState(_ net.Conn, st http.ConnState) {
	switch st {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	case http.StateActive, http.StateIdle:
	}
}

// URL is both base_url and console_url of a client's configuration: scheme, host and port without a path.
func (s *Server) URL() string { return s.url }

// Faults is the script of misbehaviour in front of all routes.
func (s *Server) Faults() *sim.Faults { return &s.faults }

// Close cuts all streams, ends all runs and waits until nothing of the server runs any more. It may be called more
// than once. The error is that of the accept loop, if it had ended before.
func (s *Server) Close() error {
	s.once.Do(func() { close(s.closing) })
	err := s.http.Close()
	<-s.served
	// A connection accepted while the first Close ran is known to the http.Server only now.
	err = errors.Join(err, s.http.Close())
	s.conns.Wait()
	s.handlers.Wait()
	return errors.Join(s.serveErr, err)
}

// Forbid makes an app's key answer 403, or lets it in again. It reports whether the app exists.
func (s *Server) Forbid(name string, on bool) bool {
	return s.changeApp(name, func(a *app) { a.forbidden = on })
}

// SetKey changes an app's key, so that the former one answers 401. It reports whether the app exists.
func (s *Server) SetKey(name, key string) bool {
	return s.changeApp(name, func(a *app) { a.Key = key })
}

func (s *Server) changeApp(name string, f func(*app)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		if a.Name == name {
			f(a)
			return true
		}
	}
	return false
}

// recordKey finds the Request of an *http.Request in its context.
type recordKey struct{}

// observe records every request before anything else looks at it.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handlers.Add(1)
		defer s.handlers.Done()
		rec := &Request{
			Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), At: time.Now(),
		}
		if h := rec.Header.Get("Authorization"); h != "" {
			scheme, _, spaced := strings.Cut(h, " ")
			if !spaced {
				scheme = ""
			}
			rec.Header.Set("Authorization", strings.TrimSpace(scheme+" ***"))
		}
		media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		tooLarge := false
		if !strings.HasPrefix(media, "multipart/") {
			raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
			_, tooLarge = errors.AsType[*http.MaxBytesError](err)
			if err != nil && !tooLarge {
				return // the client went away within its own request
			}
			rec.Raw = raw
			r.Body = io.NopCloser(bytes.NewReader(raw))
			_ = json.Unmarshal(raw, &rec.Body) // what isn't JSON is judged by its route
		}
		s.mu.Lock()
		s.requestSeq++
		rec.ID = s.requestSeq
		s.requests.add(rec, int64(len(rec.Raw)))
		s.mu.Unlock()
		s.notifier.Notify()
		out := &recorder{ResponseWriter: w, s: s, rec: rec}
		defer s.done(r.Context(), rec)
		if tooLarge {
			proxyError(http.StatusRequestEntityTooLarge, "").write(out)
			return
		}
		next.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), recordKey{}, rec)))
	})
}

// done completes the record of a request.
func (s *Server) done(ctx context.Context, rec *Request) {
	s.mu.Lock()
	rec.Took = time.Since(rec.At)
	status, took := rec.Status, rec.Took
	s.mu.Unlock()
	s.notifier.Notify()
	s.opt.Log.LogAttrs(ctx, slog.LevelDebug, "request", slog.String("method", rec.Method), slog.String("path", rec.Path),
		slog.Int("status", status), slog.Duration("took", took))
}

// recorder notes the status of the answer before the client can see it.
type recorder struct {
	http.ResponseWriter
	s   *Server
	rec *Request
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	r.s.mu.Lock()
	r.rec.Status = status
	r.s.mu.Unlock()
	r.s.notifier.Notify()
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush and hijack.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, by its documentation
	return b
}

func randomID(kind string) string { return kind + "-" + hex.EncodeToString(randomBytes(10)) }
