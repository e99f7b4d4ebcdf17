package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// Server answers the commands of the same user on a socket beside the store. Make it with [Serve].
type Server struct {
	ops    Operations
	hello  Hello
	log    *slog.Logger
	socket *socket
	http   *http.Server
	slots  chan struct{} // one for each request that runs

	accepting sync.WaitGroup // the accept loop

	mu      sync.Mutex
	closing bool
	running sync.WaitGroup // requests; grows only under mu while closing is false
}

// Serve begins to answer. The caller holds the store at storePath and keeps it open until Close has returned. ctx is for
// the start alone.
func Serve(ctx context.Context, storePath string, ops Operations, version string, log *slog.Logger) (*Server, error) {
	sock, err := listen(ctx, storePath)
	if err != nil {
		return nil, err
	}
	s := &Server{
		ops: ops, hello: Hello{Protocol: protocol, Version: version, PID: os.Getpid()}, log: log, socket: sock,
		slots: make(chan struct{}, maxRequests),
	}
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: helloTimeout, ReadTimeout: operationTimeout, IdleTimeout: operationTimeout,
		MaxHeaderBytes: maxRequest, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	s.accepting.Go(func() {
		if err := s.http.Serve(sock); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("control socket", slog.Any("err", err))
		}
	})
	return s, nil
}

// Path is where the socket is.
func (s *Server) Path() string { return s.socket.path }

// Close takes no more requests, gives those that run a few seconds, ends the others, and waits for all. It removes the
// socket.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close() // ends the contexts of requests
	}
	s.running.Wait()
	s.accepting.Wait()
	if err = errors.Join(err, s.socket.Close()); err != nil {
		return fmt.Errorf("close control socket: %w", err)
	}
	return nil
}

// enter counts a request in; false once the server is closing.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.running.Add(1)
	return true
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		fail(w, &Error{Kind: KindBusy, Text: "the bridge is stopping: ask again once it has stopped, or runs again"})
		return
	}
	defer s.running.Done()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		fail(w, &Error{Kind: KindBusy, Text: "the running bridge is busy with other commands: try again in a moment"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	switch r.Method + " " + r.URL.Path {
	case "GET " + routeHello:
		answer(w, r, func(context.Context) (Hello, error) { return s.hello, nil })
	case "GET " + routeConversations:
		answer(w, r, func(ctx context.Context) (ConversationsPage, error) {
			q := r.URL.Query()
			return s.ops.Conversations(ctx, ConversationsRequest{Bot: q.Get("bot"), App: q.Get("app"), After: q.Get("after"), Limit: number(q.Get("limit"))})
		})
	case "GET " + routeFind:
		answer(w, r, func(ctx context.Context) (Conversation, error) { return s.ops.Find(ctx, r.URL.Query().Get("name")) })
	case "GET " + routeHistory:
		answer(w, r, func(ctx context.Context) (HistoryPage, error) {
			q := r.URL.Query()
			return s.ops.History(ctx, HistoryRequest{Name: q.Get("name"), Before: q.Get("before"), Limit: number(q.Get("limit"))})
		})
	case "POST " + routeRename:
		answer(w, r, func(ctx context.Context) (Renamed, error) { return withBody(ctx, r, s.ops.Rename) })
	case "POST " + routeReset:
		answer(w, r, func(ctx context.Context) (Conversation, error) {
			return withBody(ctx, r, func(ctx context.Context, n named) (Conversation, error) { return s.ops.Reset(ctx, n.Name) })
		})
	case "POST " + routeDelete:
		answer(w, r, func(ctx context.Context) (Deleted, error) {
			return withBody(ctx, r, func(ctx context.Context, n named) (Deleted, error) { return s.ops.Delete(ctx, n.Name) })
		})
	case "GET " + routeRatings:
		answer(w, r, func(ctx context.Context) (RatingsPage, error) {
			q := r.URL.Query()
			return s.ops.Ratings(ctx, RatingsRequest{After: q.Get("after"), Limit: number(q.Get("limit"))})
		})
	case "GET " + routeBackup:
		s.backup(w, r)
	default:
		fail(w, &Error{Kind: KindInvalid, Text: "the running bridge does not know this request: it is of another version"})
	}
}

// number reads a count; what is none counts as 0, which every operation takes for its default.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// answer runs an operation and writes what it returns.
func answer[T any](w http.ResponseWriter, r *http.Request, do func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(r.Context(), operationTimeout)
	defer cancel()
	v, err := do(ctx)
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, v)
}

// withBody reads the request's body for an operation.
func withBody[In, Out any](ctx context.Context, r *http.Request, do func(context.Context, In) (Out, error)) (Out, error) {
	var in In
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		var none Out
		return none, &Error{Kind: KindInvalid, Text: "the request cannot be read: " + err.Error(), Err: err}
	}
	return do(ctx, in)
}

func fail(w http.ResponseWriter, err error) {
	status, p := problemOf(err)
	write(w, status, p)
}

func write(w http.ResponseWriter, status int, v any) {
	// Without a deadline, one who does not read would keep a place for ever. An error shows in the write itself.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(operationTimeout))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked is gone then
}

// backup sends a copy of the store. A copy that fails midway ends the connection before the length that was announced.
func (s *Server) backup(w http.ResponseWriter, r *http.Request) {
	begun := false
	err := s.ops.Backup(r.Context(), func(size int64) (io.Writer, error) {
		begun = true
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		w.WriteHeader(http.StatusOK)
		ctl := http.NewResponseController(w)
		return &patientWriter{w: w, ctl: ctl}, ctl.Flush() // the reader learns the size at once
	})
	switch {
	case err == nil:
	case begun:
		s.log.Warn("backup ended early", slog.Any("err", err))
		panic(http.ErrAbortHandler)
	default:
		fail(w, err)
	}
}

// patientWriter gives the reader a minute for each piece.
type patientWriter struct {
	w   io.Writer
	ctl *http.ResponseController
}

func (p *patientWriter) Write(b []byte) (int, error) {
	if err := p.ctl.SetWriteDeadline(time.Now().Add(operationTimeout)); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}
