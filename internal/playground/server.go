package playground

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/standins"
)

//go:embed assets
var embedded embed.FS

const (
	// DefaultListen is where the page is served unless told otherwise; where that port is taken, on a free one.
	DefaultListen = "127.0.0.1:8400"

	headerTimeout = 10 * time.Second
)

// Options are what a page is made of.
type Options struct {
	// Listen is the address of the page; "" is a free port of 127.0.0.1. On another address than loopback, whoever reaches it
	// can use the page.
	Listen string
	// Fallback takes a free port of the same address where the port of Listen is taken.
	Fallback bool
	// Set are the stand-ins that people sit at.
	Set *standins.Set
	// Relay is what the bridge takes for ClickAI.
	Relay *Relay
	// Bridge is the bridge; nil where it cannot be stopped from the page.
	Bridge *Process
	// Rooms say where a sample of a mode is asked, by platform and the name of the mode ("chat", "agent-chat", "workflow"); a
	// mode without a room is not offered.
	Rooms map[string]map[string]Room
	// Samples is whether the built-in answers can be asked for: false with a real app.
	Samples bool
	// Tour plays the tour and reports its steps; nil for none.
	Tour func(ctx context.Context, report func(Step)) error
	Log  *slog.Logger
}

// Room is a place in which a question is asked.
type Room struct {
	Room    string `json:"room"`
	Thread  string `json:"thread,omitempty"`
	Mention bool   `json:"mention"`
	// Direct is a question in the direct chat of whoever asks; Room is empty then.
	Direct bool `json:"direct,omitempty"`
}

// Server serves the page.
type Server struct {
	opt       Options
	log       *slog.Logger
	platforms []*platform
	relay     *Relay
	links     *links
	hub       *hub
	tour      *tour

	token, epoch string
	port         string
	loopback     bool
	page         *template.Template
	assets       fs.FS
	version      string // of the assets
	streams      chan struct{}

	listener net.Listener
	http     *http.Server
	requests inflight
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

// New serves the page. Close it when done.
func New(opt Options) (*Server, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		opt: opt, log: opt.Log, platforms: platforms(opt.Set), relay: opt.Relay, links: newLinks(), hub: newHub(),
		token: rand.Text(), epoch: rand.Text(), streams: make(chan struct{}, maxStreams),
	}
	s.tour = &tour{s: s}
	if err := s.readAssets(); err != nil {
		return nil, err
	}
	l, err := listen(opt.Listen, opt.Fallback)
	if err != nil {
		return nil, err
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.Join(fmt.Errorf("serve the page: %v is no TCP address", l.Addr()), l.Close())
	}
	s.listener, s.port, s.loopback = l, fmt.Sprint(addr.Port), addr.IP.IsLoopback()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler: s.requests.wrap(s.guard(s.routes())), ReadHeaderTimeout: headerTimeout, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	for _, p := range s.platforms {
		w := &watcher{s: s, p: p, sums: map[string]uint64{}}
		s.wg.Go(func() { s.follow(p.Changed, nil, w.look) })
	}
	turns := &turnWatcher{s: s}
	s.wg.Go(func() { s.follow(s.relay.changed, s.links.notifier.Changed, turns.look) })
	if b := opt.Bridge; b != nil {
		s.wg.Go(func() { s.follow(b.notifier.Changed, nil, func() { s.hub.set("b", b.item()) }) })
	}
	s.wg.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.LogAttrs(s.ctx, slog.LevelError, "the page is served no longer", slog.Any("error", err))
		}
	})
	return s, nil
}

// listen opens the page's address.
func listen(address string, fallback bool) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil && fallback {
		host, _, splitErr := net.SplitHostPort(address)
		if splitErr == nil {
			l, err = new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, "0"))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("serve the page: %w; choose another address with --listen", err)
	}
	return l, nil
}

// URL is the page's address; where it listens on all addresses, the one for this machine.
func (s *Server) URL() string {
	if a, ok := s.listener.Addr().(*net.TCPAddr); ok && a.IP.IsUnspecified() {
		return "http://127.0.0.1:" + s.port + "/"
	}
	return "http://" + s.listener.Addr().String() + "/"
}

// Loopback tells whether the page can be reached from this machine alone.
func (s *Server) Loopback() bool { return s.loopback }

// Close ends all pages and waits for every goroutine. The stand-ins, the relay and the bridge stay as they are.
func (s *Server) Close() error {
	s.cancel()
	err := s.http.Close()
	s.requests.wait()
	s.wg.Wait()
	s.tour.wg.Wait()
	if err != nil {
		return fmt.Errorf("close the page: %w", err)
	}
	return nil
}

// readAssets finds what is embedded.
func (s *Server) readAssets() error {
	var err error
	if s.assets, err = fs.Sub(embedded, "assets"); err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	if s.page, err = template.ParseFS(s.assets, "index.html"); err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	sum := sha256.New()
	err = fs.WalkDir(s.assets, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(s.assets, name)
		_, _ = sum.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	s.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("GET /assets/{name}", s.asset)
	mux.HandleFunc("GET /api/boot", s.boot)
	mux.HandleFunc("GET /api/events", s.events)
	mux.HandleFunc("GET /file", s.file)
	for name, do := range map[string]func(context.Context, *act) (any, error){
		"say": s.say, "edit": s.edit, "delete": s.remove, "react": s.react, "press": s.press, "form": s.form, "open": s.open, "thread": s.thread,
		"fault": s.fault, "bridge": s.bridge, "tour": s.startTour,
	} {
		mux.HandleFunc("POST /api/"+name, s.acting(do))
	}
	return mux
}

// index is the page itself. Its token is a part of it, so it must not be kept anywhere.
func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := s.page.Execute(&b, map[string]string{"Token": s.token, "Version": s.version}); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // a browser that left needs none
}

// types are what the page's own files are. The system's list is not asked: it may say anything.
var types = map[string]string{".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml"}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kind, known := types[path.Ext(name)]
	data, err := fs.ReadFile(s.assets, name)
	if err != nil || !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mime.FormatMediaType(kind, map[string]string{"charset": "utf-8"}))
	_, _ = w.Write(data) // a browser that left needs none
}
