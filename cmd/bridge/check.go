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

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
)

// checkTimeout bounds what one service may take to answer all questions about itself.
const checkTimeout = 30 * time.Second

func (p *program) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and ask every service whether all that is needed is granted",
		Args:  exactly(0),
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
		fmt.Fprintf(out, "✓ %s: %d apps, %d bots\n", *path, len(c.Apps), len(c.Bots))
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
	wg.Wait()
	ok := true
	for _, sec := range sections {
		for _, one := range sec.checks {
			sign := "✓"
			if !one.OK {
				sign, ok = "✗", false
			}
			line := fmt.Sprintf("%s %s: %s", sign, sec.name, one.What)
			if one.Mend != "" {
				line += ": " + one.Mend
			}
			fmt.Fprintln(out, line)
		}
	}
	return ok
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
	if dir, ok := p.(core.Directory); ok {
		checks = append(checks, core.CheckNames(ctx, set, dir)...)
	}
	return checks
}
