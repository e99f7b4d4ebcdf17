package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	"github.com/clickai/bridge/internal/config"
	"github.com/clickai/bridge/internal/setup"
)

func (p *program) initCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Ask a few questions and write a first configuration",
		Long: "Ask a few questions, check each answer with the service that it is for, and write a commented configuration and a .env\n" +
			"with the secrets beside it. Nothing is ever overwritten. Answers may be piped, one a line.",
		Args: noArgs,
	}
	path := p.configFlag(cmd)
	flags := cmd.Flags()
	apiURLs := flags.StringToString("api-url", nil, "`platform=address` where a platform's API is elsewhere: an own Bot API server, GovSlack")
	name := flags.String("name", "", "`name` of the bot in the configuration and of the app, for a manifest; default as init names it")
	url := flags.String("url", "", "public `address` of the bridge, for a manifest of an app that takes its events over HTTP")
	manifests := map[string]*bool{}
	for _, k := range setupKinds() {
		if k.Setup.Manifest != nil {
			manifests[k.Name] = flags.Bool(k.Name+"-manifest", false, "print the manifest to make the app of "+k.Setup.Title+" from, and do nothing else")
		}
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, k := range setupKinds() {
			if wanted := manifests[k.Name]; wanted != nil && *wanted {
				return printManifest(cmd.OutOrStdout(), k, cmp.Or(*name, firstName(k)), *url)
			}
		}
		if *name != "" || *url != "" {
			return usageError{errors.New("--name and --url are for a manifest: add --slack-manifest")}
		}
		for platform := range *apiURLs {
			if !slices.ContainsFunc(setupKinds(), func(k core.PlatformKind) bool { return k.Name == platform }) {
				return usageError{fmt.Errorf("--api-url: there is no platform %q; there are %s", platform, strings.Join(kindNames(), ", "))}
			}
		}
		if err := setup.Free(*path); err != nil {
			return err
		}
		i := &initializer{program: p, Asker: setup.NewAsker(p.in, cmd.OutOrStdout()), path: *path, apiURLs: *apiURLs}
		err := i.run(cmd.Context())
		switch {
		case err != nil && cmd.Context().Err() != nil:
			return errors.New("stopped; nothing was written")
		case errors.Is(err, setup.ErrNoAnswer):
			return fmt.Errorf("%w; nothing was written: run it in a terminal, or pipe one answer a line", err)
		}
		return err
	}
	return cmd
}

// printManifest prints what an app of a platform is made from. All that it is made of are flags.
func printManifest(out io.Writer, k core.PlatformKind, name, url string) error {
	if url != "" && !config.IsBotName(name) {
		return usageError{fmt.Errorf("--name %q cannot be a bot's name: use letters, digits, dots, dashes and underscores, at most 64", name)}
	}
	data, err := k.Setup.Manifest(name, url)
	if err != nil {
		return usageError{err}
	}
	_, err = fmt.Fprintln(out, strings.TrimSpace(string(data)))
	return err
}

// setupKinds are the platforms that a person can be led through.
func setupKinds() []core.PlatformKind {
	return slices.DeleteFunc(platforms(), func(k core.PlatformKind) bool { return k.Setup == nil })
}

// firstName is what the first bot of a platform is called in the configuration.
func firstName(k core.PlatformKind) string { return "clickai-" + k.Name }

func kindNames() []string {
	var names []string
	for _, k := range setupKinds() {
		names = append(names, k.Name)
	}
	return names
}

// initializer leads a person to a first configuration.
type initializer struct {
	*program
	*setup.Asker
	path    string
	apiURLs map[string]string
}

func (i *initializer) run(ctx context.Context) error {
	i.Say("This makes %s, and %s with its secrets. Each answer is checked at once.", i.path, setup.EnvFile(i.path))
	i.Say("")
	kinds, err := i.platforms(ctx)
	if err != nil {
		return err
	}
	answers, err := i.clickai(ctx)
	if err != nil {
		return err
	}
	var next []string
	for _, k := range kinds {
		bot, after, err := i.bot(ctx, k)
		if err != nil {
			return err
		}
		answers.Bots = append(answers.Bots, bot)
		next = append(next, after...)
	}
	text, secrets, err := setup.Compose(answers)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	check := func(path string) error {
		// The environment is left out: what it holds now need not be there when the bridge runs.
		_, err := config.Load(path, platforms(), func(string) (string, bool) { return "", false })
		return err
	}
	if err := setup.Write(i.path, text, secrets, check); err != nil {
		return err
	}
	i.finish(answers, next)
	return nil
}

// finish says what was written and what is left to do.
func (i *initializer) finish(a setup.Answers, next []string) {
	i.Say("")
	i.Say("✓ %s and %s are written.", i.path, setup.EnvFile(i.path))
	for _, name := range a.Variables() {
		if _, set := i.env(name); set {
			i.Say("! %s is set in the environment too, which wins over .env.", name)
		}
	}
	for _, line := range next {
		i.Say("- %s", line)
	}
	at := ""
	if i.path != "config.yaml" {
		at = " --config " + i.path
	}
	i.Say("- Look whether all is well: bridge check%s", at)
	i.Say("- Start the bridge: bridge run%s", at)
}

// platforms asks where the bridge is to answer.
func (i *initializer) platforms(ctx context.Context) ([]core.PlatformKind, error) {
	for {
		answer, err := i.Ask(ctx, "Which platforms? Of "+strings.Join(kindNames(), ", ")+"; several with commas", "")
		if err != nil {
			return nil, err
		}
		chosen, unknown := choose(answer)
		switch {
		case unknown != "":
			i.Say("✗ There is no platform %q.", unknown)
		case len(chosen) > 0:
			return chosen, nil
		default:
			i.Say("✗ Name at least one.")
		}
	}
}

// choose reads names of platforms, parted by commas or blanks, in the order of the program's list.
func choose(answer string) (chosen []core.PlatformKind, unknown string) {
	words := strings.FieldsFunc(strings.ToLower(answer), func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
	for _, w := range words {
		if !slices.Contains(kindNames(), w) {
			return nil, w
		}
	}
	for _, k := range setupKinds() {
		if slices.Contains(words, k.Name) {
			chosen = append(chosen, k)
		}
	}
	return chosen, ""
}

// clickai asks for the app until its service takes the answers, or the person does.
func (i *initializer) clickai(ctx context.Context) (setup.Answers, error) {
	i.Say("")
	i.Say("ClickAI")
	i.Say("  Open your app in ClickAI Studio and copy its API key from Publish → API.")
	a := setup.Answers{BaseURL: clickai.DefaultBaseURL}
	for {
		again, err := i.askApp(ctx, &a)
		if err != nil || !again {
			return a, err
		}
	}
}

// askApp asks for the app once. again is true if the person wants to answer anew.
func (i *initializer) askApp(ctx context.Context, a *setup.Answers) (again bool, err error) {
	if a.BaseURL, err = i.Ask(ctx, "Address of the API", a.BaseURL); err != nil {
		return false, err
	}
	if a.APIKey, err = i.Secret(ctx, "API key of the app"); err != nil {
		return false, err
	}
	if a.APIKey == "" {
		i.Say("✗ The app's key is needed.")
		return true, nil
	}
	client, err := clickai.New(clickai.Config{BaseURL: a.BaseURL, APIKey: a.APIKey, UserAgent: "clickai-bridge/" + versionText()})
	if err != nil {
		i.Say("✗ %v", err)
		return true, nil
	}
	defer client.CloseIdleConnections()
	if a.Mode, err = i.mode(ctx, client); err != nil {
		return false, err
	}
	a.QueryInput = ""
	if mode := agent.Mode(a.Mode); mode == agent.ModeCompletion || mode == agent.ModeWorkflow {
		if a.QueryInput, err = i.Ask(ctx, "Input of the app that receives the message's text", textInput(ctx, client)); err != nil {
			return false, err
		}
	}
	app, err := agent.New(agent.Config{Name: "assistant", Mode: agent.Mode(a.Mode), Client: client, BaseURL: a.BaseURL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		i.Say("✗ %v", err)
		return true, nil
	}
	one, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return i.anew(ctx, []core.Check{app.Check(one)})
}

// mode asks for the app's mode; the one that ClickAI tells is offered.
func (i *initializer) mode(ctx context.Context, client *clickai.Client) (string, error) {
	one, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	known := ""
	if info, err := client.Info(one); err == nil {
		switch info.Mode {
		case "advanced-chat":
			known = "chat"
		case "agent":
			known = "agent-chat"
		default:
			known = info.Mode
		}
	}
	modes := []string{string(agent.ModeChat), string(agent.ModeAgentChat), string(agent.ModeCompletion), string(agent.ModeWorkflow)}
	if !slices.Contains(modes, known) {
		known = config.DefaultApp().Mode
	}
	for {
		mode, err := i.Ask(ctx, "Mode of the app: "+strings.Join(modes, ", "), known)
		if err != nil || slices.Contains(modes, mode) {
			return mode, err
		}
		i.Say("✗ There is no mode %q.", mode)
	}
}

// textInput is the app's first input that takes text, as far as the server tells.
func textInput(ctx context.Context, client *clickai.Client) string {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if params, err := client.Parameters(ctx); err == nil {
		for _, in := range params.UserInputForm {
			if in.Kind == "text-input" || in.Kind == "paragraph" {
				return in.Variable
			}
		}
	}
	return config.DefaultApp().QueryInput
}

// anew shows what a service says. Where something is wrong it asks whether to go on all the same.
func (i *initializer) anew(ctx context.Context, checks []core.Check) (bool, error) {
	ok := true
	for _, c := range checks {
		i.Say("%s", checkLine(c, ""))
		ok = ok && c.OK
	}
	if ok {
		return false, nil
	}
	keep, err := i.Yes(ctx, "Keep it all the same?")
	return !keep, err
}

// bot asks for a platform's bot until the platform takes the answers, or the person does. next is what is left to do there.
func (i *initializer) bot(ctx context.Context, k core.PlatformKind) (bot setup.Bot, next []string, err error) {
	i.Say("")
	i.Say("%s", k.Setup.Title)
	for n, step := range k.Setup.Steps {
		i.Say("  %d. %s", n+1, step)
	}
	for {
		settings := k.NewSettings()
		bot = setup.Bot{Name: firstName(k), Platform: k.Name}
		again, err := i.askBot(ctx, k, settings, &bot)
		if err != nil {
			return bot, nil, err
		}
		if again {
			continue
		}
		if k.Setup.Next != nil {
			next = k.Setup.Next(settings)
			for _, line := range next {
				i.Say("  → %s", line)
			}
		}
		return bot, next, nil
	}
}

// askBot asks a platform's questions once. again is true if they are to be asked anew.
func (i *initializer) askBot(ctx context.Context, k core.PlatformKind, s core.Settings, bot *setup.Bot) (again bool, err error) {
	if url := i.apiURLs[k.Name]; url != "" {
		if err := config.SetText(s, "api_url", url); err != nil {
			return false, err
		}
		bot.Keys = append(bot.Keys, setup.Key{Name: "api_url", Value: url})
	}
	answered := map[string]bool{}
	for _, q := range k.Setup.Questions {
		if answered[q.Unless] {
			continue
		}
		value, err := i.question(ctx, s, q)
		if err != nil {
			return false, err
		}
		answered[q.Key] = value != ""
		if value != "" {
			bot.Keys = append(bot.Keys, setup.Key{Name: q.Key, Value: value, Env: q.Env})
		}
	}
	if found := s.Validate(); len(found) > 0 {
		for _, p := range found {
			i.Say("✗ %s %s; %s", p.Key, p.What, p.Mend)
		}
		return true, nil
	}
	platform, err := k.New(bot.Name, s, slog.New(slog.DiscardHandler))
	if err != nil {
		return false, err
	}
	one, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	general := core.DefaultBotSettings()
	return i.anew(ctx, checkBot(one, &general, platform))
}

// question asks for one key until its value can be one.
func (i *initializer) question(ctx context.Context, s core.Settings, q core.SetupQuestion) (string, error) {
	for {
		ask := i.Secret
		if q.Env == "" {
			ask = func(ctx context.Context, question string) (string, error) { return i.Ask(ctx, question, "") }
		}
		value, err := ask(ctx, q.Ask)
		if err != nil {
			return "", err
		}
		if err := config.SetText(s, q.Key, value); err != nil {
			return "", err
		}
		if value == "" && q.Optional {
			return "", nil
		}
		wrong := slices.IndexFunc(s.Validate(), func(p core.Problem) bool { return p.Key == q.Key })
		if wrong < 0 {
			return value, nil
		}
		p := s.Validate()[wrong]
		i.Say("✗ It %s; %s.", p.What, cmp.Or(p.Mend, "try again"))
	}
}
