package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/internal/playground"
	simclickai "github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

// demoPace is the time between two words of an answer: a person can read along, and an answer grows over several edits
// also on the platform with the slowest pace.
const demoPace = 45 * time.Millisecond

// demoStandins are the stand-ins of the demo: the apps greet and suggest questions.
func demoStandins() standins.Options {
	return standins.Options{ChunkInterval: demoPace, ClickAI: simclickai.Options{Apps: simclickai.DemoApps()}}
}

// demoReady bounds how long the bots may take to connect to the stand-ins.
const demoReady = 30 * time.Second

func (p *program) demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try the bridge without any account",
		Long: "Start local stand-ins of ClickAI, Slack, Discord and Telegram and the real bridge connected to them, and open a page on\n" +
			"which you use all three side by side, with ClickAI's side beside them. With --terminal you talk to it here instead.\n" +
			"With --tour a scripted conversation plays on each platform; the exit code is 0 only if every step was seen.\n" +
			"With CLICKAI_API_KEY set (and CLICKAI_BASE_URL, if not the default), the agent behind it is the real one.",
		Args: noArgs,
	}
	var page pageFlags
	cmd.Flags().StringVar(&page.listen, "listen", "", "`address` of the page; empty: "+playground.DefaultListen+", or a free port where that one is taken. On another address than loopback, whoever reaches it can use it")
	cmd.Flags().BoolVar(&page.noBrowser, "no-browser", false, "print the page's address and open nothing")
	terminal := cmd.Flags().Bool("terminal", false, "talk to the bridge in the terminal, without a page")
	tour := cmd.Flags().Bool("tour", false, "play one scripted conversation on each platform and check what each shows")
	keep := cmd.Flags().String("keep", "", "write the bridge's configuration, store and log into `folder` and leave them there")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *tour && *terminal {
			return usageError{errors.New("--tour and --terminal exclude each other")}
		}
		dir, done, err := demoFolder(*keep)
		if err != nil {
			return err
		}
		if *keep != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "Its files stay in %s. While it runs: bridge conversations list --config %s\n", dir, filepath.Join(dir, "config.yaml"))
		}
		if *tour || *terminal {
			return errors.Join(p.demo(cmd.Context(), *tour, dir), done())
		}
		return errors.Join(p.demoPage(cmd.Context(), page, dir), done())
	}
	return cmd
}

// demoFolder is where the demo's files are: keep, or a folder that done removes.
func demoFolder(keep string) (dir string, done func() error, err error) {
	if keep == "" {
		if dir, err = os.MkdirTemp("", "bridge-demo-"); err != nil {
			return "", nil, fmt.Errorf("make a folder for the demo: %w", err)
		}
		return dir, func() error { return os.RemoveAll(dir) }, nil
	}
	if err = os.MkdirAll(keep, 0o700); err != nil {
		return "", nil, fmt.Errorf("make a folder for the demo: %w", err)
	}
	return keep, func() error { return nil }, nil
}

// demo runs the bridge on stand-ins until the tour is over or the person has had enough. It goes the way of `run`: a
// configuration file, read and run like any other.
func (p *program) demo(ctx context.Context, tour bool, dir string) (err error) {
	logFile, err := os.OpenFile(filepath.Join(dir, "bridge.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the demo's log: %w", err)
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	log := slog.New(slog.NewTextHandler(logFile, &slog.HandlerOptions{Level: slog.LevelDebug}))

	agent, isReal, err := p.realAgent(ctx)
	if err != nil {
		return err
	}
	opt := demoStandins()
	opt.NoClickAI = isReal
	set, err := standins.Start(opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	if !isReal {
		agent = set.Agent(simclickai.ModeChat)
	}
	path, err := set.WriteConfig(dir, agent, standins.RatingButtons)
	if err != nil {
		return err
	}
	c, err := p.load(path)
	if err != nil {
		return fmt.Errorf("the demo's own configuration: %w", err)
	}

	runCtx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	inner := program{env: p.env}
	go func() { done <- inner.run(runCtx, c, log) }()
	defer func() {
		stop()
		if runErr := <-done; runErr != nil {
			err = errors.Join(err, fmt.Errorf("the bridge: %w", runErr))
		}
	}()
	if err := waitConnected(ctx, set, done); err != nil {
		done <- nil // what it said has been taken
		tail(p.err, logFile.Name())
		return err
	}
	if tour {
		return p.tour(ctx, set, agent)
	}
	return p.talk(ctx, set)
}

// realAgent is the app of CLICKAI_API_KEY, if there is one.
func (p *program) realAgent(ctx context.Context) (standins.AgentConfig, bool, error) {
	key, ok := p.env("CLICKAI_API_KEY")
	if !ok || key == "" {
		return standins.AgentConfig{}, false, nil
	}
	base, ok := p.env("CLICKAI_BASE_URL")
	if !ok || base == "" {
		base = clickai.DefaultBaseURL
	}
	client, err := clickai.New(clickai.Config{BaseURL: base, APIKey: key})
	if err != nil {
		return standins.AgentConfig{}, false, fmt.Errorf("CLICKAI_BASE_URL: %w", err)
	}
	defer client.CloseIdleConnections()
	mode := "chat"
	info, err := client.Info(ctx)
	switch e, ok := errors.AsType[*clickai.Error](err); {
	case err == nil && info.Mode != "":
		if mode = info.Mode; mode == "advanced-chat" || mode == "agent" {
			mode = "chat"
		}
	case ok && e.Status == 401:
		return standins.AgentConfig{}, false, fmt.Errorf("CLICKAI_API_KEY is refused by %s", base)
	case ok && e.Kind == clickai.KindUnsent:
		return standins.AgentConfig{}, false, fmt.Errorf("%s cannot be reached: %w", base, err)
	}
	return standins.AgentConfig{BaseURL: base, ConsoleURL: clickai.DefaultConsoleURL, Key: key, Mode: mode}, true, nil
}

// waitConnected waits until every stand-in sees its bot.
func waitConnected(ctx context.Context, set *standins.Set, done <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, demoReady)
	defer cancel()
	for _, pf := range set.Platforms() {
		for {
			changed := pf.Changed()
			if pf.Connected() {
				break
			}
			select {
			case <-changed:
			case err := <-done:
				return fmt.Errorf("the bridge ended before it was connected: %w", errors.Join(err, errSilent))
			case <-ctx.Done():
				return fmt.Errorf("the bot on %s did not connect: %w", pf.Name(), context.Cause(ctx))
			}
		}
	}
	return nil
}

// tail shows the end of a log.
func tail(out io.Writer, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return
	}
	const most = 4 << 10
	fmt.Fprintf(out, "The end of the bridge's log:\n%s\n", data[max(0, len(data)-most):])
}
