package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/standins"
)

type pageFlags struct {
	listen    string
	noBrowser bool
}

// demoPage serves the playground until the person ends it.
func (p *program) demoPage(ctx context.Context, flags pageFlags, dir string) (err error) {
	logFile, err := os.OpenFile(filepath.Join(dir, "bridge.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the demo's log: %w", err)
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	opt := playground.WorldOptions{
		Dir: dir, Standins: standins.Options{ChunkInterval: demoPace}, Listen: flags.listen, Tour: pageTour(),
		Log: slog.New(slog.NewTextHandler(logFile, nil)),
		Command: func(config string) *exec.Cmd {
			cmd := exec.Command(self, "run", "--config", config) //nolint:noctx // ended by the playground
			cmd.Env = append(os.Environ(), p.childEnv...)
			cmd.Stdout, cmd.Stderr = io.Discard, logFile
			return cmd
		},
	}
	if flags.listen == "" {
		opt.Listen, opt.Fallback = playground.DefaultListen, true
	}
	agent, isReal, err := p.realAgent(ctx)
	if err != nil {
		return err
	}
	if isReal {
		opt.Agent = &agent
	}
	w, err := playground.Open(opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := w.Bridge.Start(); err != nil {
		return err
	}
	if err := w.WaitConnected(ctx, demoReady); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		tail(p.err, logFile.Name())
		return err
	}
	fmt.Fprintf(p.out, "The playground is at %s (Ctrl-C ends it).\n", w.Server.URL())
	if !flags.noBrowser {
		openBrowser(w.Server.URL())
	}
	<-ctx.Done()
	return nil
}

// pageTour plays the tour on the page. Each one has words of its own, so that it cannot take an earlier one's answers for its.
func pageTour() func(context.Context, *standins.Set, standins.AgentConfig, func(playground.Step)) error {
	var runs atomic.Int64
	return func(ctx context.Context, set *standins.Set, _ standins.AgentConfig, report func(playground.Step)) error {
		failed := 0
		for _, pl := range playTour(ctx, set, fmt.Sprintf("Tour %d", runs.Add(1)), report) {
			failed += pl.failed
		}
		if failed > 0 {
			return fmt.Errorf("%d steps were not seen", failed)
		}
		return nil
	}
}

// openBrowser asks the system to show a page. Where it cannot, the address that was printed has to do.
func openBrowser(url string) {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	case "linux":
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return // nobody to show it to
		}
	}
	// It may become the browser itself, so it is neither waited for nor ended with the demo.
	cmd := exec.Command(name, args...) //nolint:noctx // it outlives the command
	if cmd.Start() == nil {
		_ = cmd.Process.Release() // nothing more is wanted of it
	}
}
