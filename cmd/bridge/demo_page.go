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
	"github.com/clickai/bridge/internal/sim"
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
		Dir: dir, Standins: demoStandins(), Listen: flags.listen, Tour: pageTour(),
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
	if !w.Server.Loopback() {
		fmt.Fprintln(p.err, "Warning: this address can be reached from other machines, and whoever reaches it can use the page.")
	}
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
		for _, st := range set.Stages() {
			if err := newConversations(ctx, st); err != nil {
				return err
			}
		}
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

// newConversations begins new conversations in the places of a stage that have talked already. Where questions open threads,
// each has one of its own anyway.
func newConversations(ctx context.Context, st standins.Stage) error {
	if st.Threads {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, tourStep)
	defer cancel()
	for _, at := range []struct {
		room    sim.Place
		mention bool
	}{{st.Room, st.Mention}, {st.Other, st.OtherMention}} {
		said := botMessages(st.Platform, at.room)
		if said == 0 {
			continue
		}
		if _, err := st.Platform.Say(ctx, sim.Say{Room: at.room.Room, Thread: at.room.Thread, User: st.Person, Mention: at.mention, Text: "!new"}); err != nil {
			return fmt.Errorf("begin a new conversation: %w", err)
		}
		for {
			changed := st.Platform.Changed()
			if botMessages(st.Platform, at.room) > said {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return fmt.Errorf("begin a new conversation in %s: no answer: %w", at.room.Name, context.Cause(ctx))
			}
		}
	}
	return nil
}

func botMessages(p sim.Platform, at sim.Place) int {
	n := 0
	for _, m := range p.Messages(at.Room, at.Thread) {
		if m.Bot {
			n++
		}
	}
	return n
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
