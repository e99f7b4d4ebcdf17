package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	"github.com/clickai/bridge/internal/config"
)

func (p *program) assistantsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "assistants",
		Short: "List the workspace's ClickAI apps",
		Long:  "List the workspace's ClickAI apps. The access token comes from CLICKAI_ACCESS_TOKEN or clickai.access_token; an app's\nsecret key is another thing and does not open this list.",
		Args:  noArgs,
	}
	path := p.configFlag(cmd)
	flags := cmd.Flags()
	mode := flags.String("mode", "", "only apps of this mode: chat, agent-chat, completion or workflow")
	workspace := flags.String("workspace", "", "workspace `id`; default clickai.workspace_id")
	page := flags.Int("page", 1, "page to show")
	size := flags.Int("page-size", 10, "apps on a page")
	all := flags.Bool("all", false, "all pages")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch agent.Mode(*mode) {
		case "", agent.ModeChat, agent.ModeAgentChat, agent.ModeCompletion, agent.ModeWorkflow:
		default:
			return usageError{fmt.Errorf("--mode %q is not known: use chat, agent-chat, completion or workflow", *mode)}
		}
		if *page < 1 || *size < 1 || *size > 100 {
			return usageError{errors.New("--page must be at least 1 and --page-size 1 to 100")}
		}
		c, err := p.consoleConfig(*path, cmd.Flags().Changed("config"))
		if err != nil {
			return err
		}
		console, err := clickai.NewConsole(clickai.ConsoleConfig{BaseURL: c.ConsoleURL, AccessToken: c.AccessToken.Reveal()})
		if err != nil {
			return err
		}
		req := clickai.AssistantsRequest{Mode: *mode, WorkspaceID: c.WorkspaceID, Page: *page, PageSize: *size}
		if *workspace != "" {
			req.WorkspaceID = *workspace
		}
		if !*all {
			list, err := console.Assistants(cmd.Context(), req)
			if err != nil {
				return assistantsError(err)
			}
			return printAssistants(cmd.OutOrStdout(), list.Data, list.Total, *asJSON)
		}
		var found []clickai.Assistant
		for a, err := range console.AllAssistants(cmd.Context(), req) {
			if err != nil {
				return assistantsError(err)
			}
			found = append(found, a)
		}
		return printAssistants(cmd.OutOrStdout(), found, len(found), *asJSON)
	}
	return cmd
}

// consoleConfig is what the configuration says of the console. The list is of use before there is a whole configuration:
// with a token in the environment, a file that was not named need not be there or be right.
func (p *program) consoleConfig(path string, named bool) (config.ClickAI, error) {
	token, _ := p.env("CLICKAI_ACCESS_TOKEN")
	whole, err := p.load(path)
	var c config.ClickAI
	switch {
	case err == nil:
		c = whole.ClickAI
	case !named && token == "" && errors.Is(err, os.ErrNotExist):
		return c, errNoToken
	case named || token == "":
		return c, err
	}
	if token != "" {
		c.AccessToken = core.Secret(token)
	}
	if c.AccessToken == "" {
		return c, errNoToken
	}
	return c, nil
}

var errNoToken = errors.New("no access token: set CLICKAI_ACCESS_TOKEN, or clickai.access_token in the configuration")

func assistantsError(err error) error {
	if e, ok := errors.AsType[*clickai.Error](err); ok && (e.Status == 401 || e.Status == 403) {
		return fmt.Errorf("the access token is refused; it is the console's, an app's secret key is another thing: %w", err)
	}
	return err
}

func printAssistants(out io.Writer, list []clickai.Assistant, total int, asJSON bool) error {
	if asJSON {
		if list == nil {
			list = []clickai.Assistant{}
		}
		return printJSON(out, map[string]any{"total": total, "data": list})
	}
	t := table{header: []string{"ID", "NAME", "MODE", "CREATED", "DESCRIPTION"}}
	for _, a := range list {
		created := "-"
		if a.CreatedAt != 0 {
			created = a.CreatedAt.Time().UTC().Format(time.DateOnly)
		}
		t.add(a.ID, cutWidth(cleanLine(a.Name), maxTitle), a.Mode, created, cutWidth(cleanLine(a.Description), 60))
	}
	if err := t.print(out); err != nil {
		return err
	}
	switch {
	case total > len(list):
		fmt.Fprintf(out, "%d of %d; --all shows the rest\n", len(list), total)
	case len(list) == 0:
		fmt.Fprintln(out, "no apps")
	}
	return nil
}
