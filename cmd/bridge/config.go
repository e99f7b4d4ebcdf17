package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	"github.com/clickai/bridge/internal/config"
)

// configFlag adds --config to a command.
func (p *program) configFlag(cmd *cobra.Command) *string {
	def := "config.yaml"
	if v, ok := p.env("BRIDGE_CONFIG"); ok && v != "" {
		def = v
	}
	return cmd.Flags().StringP("config", "c", def, "configuration `file`; BRIDGE_CONFIG overrides the default")
}

// load reads the configuration. What is wrong with it is told whole, one line a problem.
func (p *program) load(path string) (*config.Config, error) {
	c, err := config.Load(path, platforms(), p.env)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w\nMake one with bridge init, copy config.example.yaml to %s, or name a file with --config", err, path)
	}
	return c, err
}

// parts are what a configuration is made into.
type parts struct {
	apps   map[string]*agent.App
	bots   []core.BotConfig
	limits *clickai.Limits
	plan   clickai.Plan
	config *config.Config
	watch  *watch // is told of requests; nil: nobody is
}

// close gives up kept connections.
func (s *parts) close() {
	for _, a := range s.apps {
		a.Close()
	}
}

// build makes apps and bots. It sends nothing.
func build(c *config.Config, log *slog.Logger) (*parts, error) { return rebuild(c, log, nil, nil, nil) }

// rebuild makes those apps and bots that are not in old as c has them, or are to be made anew. Limits count on.
func rebuild(c *config.Config, log *slog.Logger, w *watch, old *parts, anew map[string]bool) (*parts, error) {
	plan, err := planOf(c.ClickAI)
	if err != nil {
		return nil, err
	}
	s := &parts{apps: map[string]*agent.App{}, plan: plan, config: c, watch: w}
	if old != nil {
		s.limits = old.limits
	} else {
		s.limits = clickai.NewLimits(plan)
	}
	var errs []error
	for name, a := range c.Apps {
		if app, ok := old.keptApp(c, name); ok {
			s.apps[name] = app
			continue
		}
		client, err := clickai.New(clickai.Config{
			BaseURL: c.ClickAI.BaseURL, APIKey: a.APIKey.Reveal(), Limiter: s.limits.For(a.APIKey.Reveal()),
			UserAgent: "clickai-bridge/" + versionText(), Observe: w.requests(name),
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("app %s: %w", name, err))
			continue
		}
		app, err := agent.New(agent.Config{
			Name: name, Mode: agent.Mode(a.Mode), Client: client, BaseURL: c.ClickAI.BaseURL, Blocking: a.ResponseMode == "blocking",
			Inputs: a.Inputs, QueryInput: a.QueryInput, FilesInput: a.FilesInput, Output: a.Output, Log: log,
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.apps[name] = app
	}
	kinds := map[string]core.PlatformKind{}
	for _, k := range platforms() {
		kinds[k.Name] = k
	}
	for _, b := range c.Bots {
		if kept, ok := old.keptBot(b); ok && !anew[b.Name] {
			s.bots = append(s.bots, kept)
			continue
		}
		platform, err := kinds[b.Platform].New(b.Name, b.Settings, log.With(slog.String("bot", b.Name), slog.String("platform", b.Platform)))
		if err != nil {
			errs = append(errs, fmt.Errorf("bot %s: %w", b.Name, err))
			continue
		}
		set := b.BotSettings
		set.OpenThread = set.OpenThread && kinds[b.Platform].Threads // elsewhere there are none to open
		s.bots = append(s.bots, core.BotConfig{Settings: set, Platform: platform})
	}
	return s, errors.Join(errs...)
}

func planOf(c config.ClickAI) (clickai.Plan, error) {
	plan, ok := clickai.PlanByName(c.Plan)
	if !ok {
		return plan, fmt.Errorf("clickai.plan %q is not known", c.Plan)
	}
	if c.RequestsPerMinute > 0 {
		plan.PerMinute = c.RequestsPerMinute
	}
	if c.RequestsPerDay > 0 {
		plan.PerDay = c.RequestsPerDay
	}
	return plan, nil
}

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "About the configuration file",
		Args:  noArgs,
		RunE:  needsSubcommand,
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration",
		Long:  "Print the JSON Schema of the configuration, for editors that complete and check YAML by it.",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema, err := config.Schema(platforms())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", schema)
			return err
		},
	})
	return cmd
}
