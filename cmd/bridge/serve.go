package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Deadlines of the servers here.
const (
	serveHeaderTimeout = 5 * time.Second
	serveTimeout       = 30 * time.Second
	serveCloseTimeout  = 5 * time.Second
)

// httpServer serves on one address until it is closed. The zero value serves nothing.
type httpServer struct {
	what     string        // for errors
	patience time.Duration // of close with running requests
	listener net.Listener
	server   *http.Server
	wg       sync.WaitGroup
}

// start listens and serves. writeTimeout bounds one answer.
func (s *httpServer) start(ctx context.Context, what, listen string, h http.Handler, writeTimeout time.Duration, log *slog.Logger) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	s.what, s.patience, s.listener = what, serveCloseTimeout, l
	s.server = &http.Server{
		Handler: h, ReadHeaderTimeout: serveHeaderTimeout, ReadTimeout: serveTimeout, WriteTimeout: writeTimeout, IdleTimeout: serveTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	s.wg.Go(func() {
		if err := s.server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("server ended", slog.String("server", what), slog.Any("err", err))
		}
	})
	return nil
}

// addr is where it listens; "" for nowhere.
func (s *httpServer) addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// close gives running requests a few seconds, ends the others, and waits.
func (s *httpServer) close() error {
	if s.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("stop %s: %w", s.what, err)
	}
	return nil
}
