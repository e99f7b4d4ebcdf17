package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
)

// checkTimeout bounds what one service may take to answer all questions about itself.
const checkTimeout = 30 * time.Second

func (p *program) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and ask every service whether all that is needed is granted",
		Args:  noArgs,
	}
	path := p.configFlag(cmd)
	offline := cmd.Flags().Bool("offline", false, "check the file alone")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		s, err := build(c, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer s.close()
		fmt.Fprintf(out, "✓ %s: %s, %s\n", *path, counted(len(c.Apps), "app"), counted(len(c.Bots), "bot"))
		if *offline {
			return nil
		}
		if !checkServices(cmd.Context(), out, c, s) {
			return errSilent
		}
		return nil
	}
	return cmd
}

// section is the lines of one service.
type section struct {
	name   string
	checks []core.Check
}

// checkServices asks all services at once and prints the answers in the order of the configuration.
func checkServices(ctx context.Context, out io.Writer, c *config.Config, s *parts) bool {
	var apps []string
	for name := range c.Apps {
		apps = append(apps, name)
	}
	slices.Sort(apps)
	sections := make([]section, len(apps)+len(s.bots))
	var wg sync.WaitGroup
	for i, name := range apps {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			sections[i] = section{name: "clickai", checks: []core.Check{s.apps[name].Check(ctx)}}
		})
	}
	for i, b := range s.bots {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			sections[len(apps)+i] = section{name: b.Settings.Name, checks: checkBot(ctx, &b.Settings, b.Platform)}
		})
	}
	var console []section
	if c.ClickAI.AccessToken != "" {
		console = []section{{name: "clickai", checks: []core.Check{checkConsole(ctx, &c.ClickAI)}}}
	}
	wg.Wait()
	ok := true
	for _, sec := range append(console, sections...) {
		for _, one := range sec.checks {
			ok = ok && one.OK
			fmt.Fprintln(out, checkLine(one, sec.name+": "))
		}
	}
	return ok
}

// checkConsole asks ClickAI for the list of apps, which is what the access token is for.
func checkConsole(ctx context.Context, c *config.ClickAI) core.Check {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	found := core.Check{What: "access_token"}
	console, err := clickai.NewConsole(clickai.ConsoleConfig{BaseURL: c.ConsoleURL, AccessToken: c.AccessToken.Reveal()})
	if err == nil {
		defer console.CloseIdleConnections()
		_, err = console.Assistants(ctx, clickai.AssistantsRequest{WorkspaceID: c.WorkspaceID, Page: 1, PageSize: 1})
	}
	if err != nil {
		found.Mend = assistantsError(err).Error()
		return found
	}
	found.OK = true
	return found
}

// checkLine is what a service says of one thing, in a line: names in it may be anybody's.
func checkLine(c core.Check, of string) string {
	line := "✓ "
	if !c.OK {
		line = "✗ "
	}
	line += of + c.What
	if c.Mend != "" {
		line += ": " + c.Mend
	}
	return cleanLine(line)
}

func checkBot(ctx context.Context, set *core.BotSettings, p core.Platform) []core.Check {
	checker, ok := p.(core.Checker)
	if !ok {
		return []core.Check{{What: "platform", OK: true, Mend: "has nothing to check"}}
	}
	checks, err := checker.Check(ctx)
	if err != nil {
		return append(checks, core.Check{What: "platform", Mend: "could not be asked: " + err.Error()})
	}
	for i, c := range checks {
		if c.Unheard && (set.Respond == "thread" || set.Respond == "all") {
			checks[i].What += " (respond: " + set.Respond + ")"
			checks[i].OK = false
		}
	}
	if dir, ok := p.(core.Directory); ok {
		checks = append(checks, core.CheckNames(ctx, set, dir)...)
	}
	return checks
}
