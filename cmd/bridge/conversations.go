package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/internal/config"
	"github.com/clickai/bridge/internal/control"
)

// maxTitle is the widest title in a table, in places on a terminal.
const maxTitle = 40

func (p *program) conversationsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "conversations",
		Short: "List, read, rename, reset and delete conversations",
		Long: "What is mapped where: each conversation of a bot with an app, and the conversation of ClickAI that belongs to it.\n" +
			"A conversation is named by its ClickAI id or by the key that list shows. All of this works while the bridge runs.",
		Args: noArgs,
		RunE: needsSubcommand,
	}
	cmd.AddCommand(p.conversationsList(), p.conversationsHistory(), p.conversationsRename(), p.conversationsReset(), p.conversationsDelete())
	return cmd
}

func (p *program) conversationsList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the conversations, those spoken in last first",
		Args:  noArgs,
	}
	path := p.configFlag(cmd)
	bot := cmd.Flags().String("bot", "", "only those of this bot")
	app := cmd.Flags().String("app", "", "only those with this app")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		found := []control.Conversation{}
		err = operate(cmd.Context(), c, func(ops control.Operations) error {
			for one, err := range control.AllConversations(cmd.Context(), ops, control.ConversationsRequest{Bot: *bot, App: *app}) {
				if err != nil {
					return err
				}
				found = append(found, one)
			}
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(found, func(a, b control.Conversation) int {
			return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Key, b.Key))
		})
		if len(found) == 0 {
			if err := knownNames(c, *bot, *app); err != nil {
				return err
			}
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), map[string]any{"total": len(found), "data": found})
		}
		return printConversations(cmd.OutOrStdout(), found)
	}
	return cmd
}

// knownNames wants a bot and an app of the configuration, where they are named. Conversations may be left of others.
func knownNames(c *config.Config, bot, app string) error {
	if names := botNames(c); bot != "" && !slices.Contains(names, bot) {
		return noBot(bot, names)
	}
	if _, ok := c.Apps[app]; app != "" && !ok {
		return usageError{fmt.Errorf("there is no app %q; the configuration has %s", app, strings.Join(slices.Sorted(maps.Keys(c.Apps)), ", "))}
	}
	return nil
}

func botNames(c *config.Config) []string {
	var names []string
	for _, b := range c.Bots {
		names = append(names, b.Name)
	}
	return names
}

func noBot(bot string, names []string) error {
	return usageError{fmt.Errorf("there is no bot %q; the configuration has %s", bot, strings.Join(names, ", "))}
}

func jsonFlag(cmd *cobra.Command) *bool { return cmd.Flags().Bool("json", false, "print JSON") }

func printConversations(w io.Writer, found []control.Conversation) error {
	t := table{header: []string{"KEY", "BOT", "APP", "TITLE", "CLICKAI ID", "OWNER", "PEOPLE", "TURNS", "LAST (UTC)"}}
	for _, c := range found {
		people := strconv.Itoa(c.People)
		if c.People > 1 {
			people += "+"
		}
		t.add(c.Key, c.Bot, c.App, cutWidth(cleanLine(c.Title), maxTitle), cmp.Or(c.ID, "-"), cutWidth(cleanLine(c.Owner), maxTitle), people, strconv.Itoa(c.Turns), minute(c.Last))
	}
	if err := t.print(w); err != nil {
		return err
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "no conversations")
		return err
	}
	return nil
}

// minute is a time for tables, in UTC.
func minute(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04")
}

// nameAndMore wants a conversation's name and at most so many further arguments; -1: any number.
func nameAndMore(more int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 || args[0] == "":
			return usageError{fmt.Errorf("%s: name a conversation by its ClickAI id or by the key that `bridge conversations list` shows", cmd.CommandPath())}
		case more >= 0 && len(args) > 1+more:
			return usageError{fmt.Errorf("%s does not take %q", cmd.CommandPath(), args[1+more])}
		}
		return nil
	}
}

func (p *program) conversationsRename() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rename CONVERSATION [NAME]",
		Short: "Give a conversation another name at ClickAI",
		Long:  "Give a conversation another name at ClickAI. Without a name ClickAI makes one from the first message, which takes seconds.",
		Args:  nameAndMore(-1),
	}
	path := p.configFlag(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		title := strings.TrimSpace(strings.Join(args[1:], " "))
		if len(args) > 1 && title == "" {
			return usageError{errors.New("the new name is empty: leave it out and ClickAI makes one")}
		}
		var done control.Renamed
		if err := operate(cmd.Context(), c, func(ops control.Operations) (err error) {
			done, err = ops.Rename(cmd.Context(), control.RenameRequest{Name: args[0], Title: title})
			return err
		}); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), done)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is now named %q\n", done.Conversation.Key, cleanLine(done.Title))
		return err
	}
	return cmd
}

func (p *program) conversationsReset() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reset CONVERSATION",
		Short: "Let the next message begin a new conversation",
		Long: "Forget which conversation of ClickAI belongs to a key: the next message there begins a new one. Nothing is deleted, ClickAI\n" +
			"keeps the old one.",
		Args: nameAndMore(0),
	}
	path := p.configFlag(cmd)
	asJSON := jsonFlag(cmd)
	cmd.Flags().Bool("yes", false, "taken for scripts' sake: nothing is asked, as nothing is deleted")
	_ = cmd.Flags().MarkHidden("yes") // the flag was defined just before, and only that could fail
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		var done control.Conversation
		if err := operate(cmd.Context(), c, func(ops control.Operations) (err error) {
			done, err = ops.Reset(cmd.Context(), args[0])
			return err
		}); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), done)
		}
		out := cmd.OutOrStdout()
		fmt.Fprintf(out, "%s: the next message begins a new conversation", done.Key)
		if done.ID != "" {
			fmt.Fprintf(out, "; ClickAI keeps %s", cleanLine(done.ID))
		}
		_, err = fmt.Fprintln(out)
		return err
	}
	return cmd
}

func (p *program) conversationsDelete() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete CONVERSATION",
		Short: "Delete a conversation, at ClickAI too",
		Long:  "Delete a conversation at ClickAI and forget it here. One that ClickAI does not have any more is forgotten all the same.",
		Args:  nameAndMore(0),
	}
	path := p.configFlag(cmd)
	asJSON := jsonFlag(cmd)
	yes := cmd.Flags().BoolP("yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		name := args[0]
		if !*yes {
			// The store is not held while a person thinks.
			var found control.Conversation
			if err := operate(cmd.Context(), c, func(ops control.Operations) (err error) {
				found, err = ops.Find(cmd.Context(), name)
				return err
			}); err != nil {
				return err
			}
			if err := p.confirm(cmd.Context(), "delete "+describe(found)); err != nil {
				return err
			}
		}
		var done control.Deleted
		if err := operate(cmd.Context(), c, func(ops control.Operations) (err error) {
			done, err = ops.Delete(cmd.Context(), name)
			return err
		}); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), done)
		}
		out := cmd.OutOrStdout()
		for _, key := range done.Keys {
			fmt.Fprintf(out, "%s: deleted\n", key)
		}
		if done.Gone && done.Conversation.ID != "" {
			_, err = fmt.Fprintf(out, "ClickAI did not have %s any more\n", cleanLine(done.Conversation.ID))
		}
		return err
	}
	return cmd
}

// describe names a conversation to a person who is to decide about it.
func describe(c control.Conversation) string {
	text := c.Key
	if c.Title != "" {
		text += fmt.Sprintf(" (%s)", cutWidth(cleanLine(c.Title), maxTitle))
	}
	text += fmt.Sprintf(", %s of %s", counted(c.Turns, "turn"), cutWidth(cleanLine(c.Owner), maxTitle))
	if c.ID != "" {
		text += ", at ClickAI too (" + cleanLine(c.ID) + ")"
	}
	return text
}
