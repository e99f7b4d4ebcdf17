package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/internal/control"
)

func (p *program) feedbackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "feedback",
		Short: "Export and count what people think of the answers",
		Args:  noArgs,
		RunE:  needsSubcommand,
	}
	cmd.AddCommand(p.feedbackExport(), p.feedbackReport())
	return cmd
}

func (p *program) feedbackExport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print every rating",
		Long: "Print every rating that stands, one a person and answer: as CSV or as a JSON array. Each is the person's last word; what was\n" +
			"taken back is not there. In CSV a cell that a spreadsheet would take for a formula begins with '.",
		Args: noArgs,
	}
	path := p.configFlag(cmd)
	format := formatFlag(cmd, "csv", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		export := exportCSV
		switch chosen, err := format(); {
		case err != nil:
			return err
		case chosen == "json":
			export = exportJSON
		}
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		return operate(cmd.Context(), c, func(ops control.Operations) error {
			return export(cmd.OutOrStdout(), control.AllRatings(cmd.Context(), ops))
		})
	}
	return cmd
}

// formatFlag adds --format, of which the first of formats is the default, and --json. chosen is to be called once they have
// been read.
func formatFlag(cmd *cobra.Command, formats ...string) (chosen func() (string, error)) {
	last := len(formats) - 1
	words := strings.Join(formats[:last], ", ") + " or " + formats[last]
	format := cmd.Flags().String("format", formats[0], words)
	asJSON := cmd.Flags().Bool("json", false, "the same as --format json")
	return func() (string, error) {
		switch {
		case !slices.Contains(formats, *format):
			return "", usageError{fmt.Errorf("--format %q is not known: use %s", *format, words)}
		case !*asJSON:
			return *format, nil
		case cmd.Flags().Changed("format") && *format != "json":
			return "", usageError{fmt.Errorf("--json and --format %s exclude each other", *format)}
		}
		return "json", nil
	}
}

// exportCSV writes ratings as they come.
func exportCSV(w io.Writer, ratings iter.Seq2[control.Rating, error]) error {
	out := newCSV(w)
	out.row("time", "bot", "room", "thread", "title", "app", "conversation_id", "message_id", "platform_message_id", "user", "user_name", "rating", "emoji", "reason", "key")
	for r, err := range ratings {
		if err != nil {
			return out.end(err)
		}
		out.row(r.At.Format(time.RFC3339), r.Bot, r.Room, r.Thread, r.Title, r.App, r.ConvID, r.Message, r.Posted, r.User, r.Name, r.Rating, r.Emoji, r.Reason, r.Key)
	}
	return out.end(nil)
}

// exportJSON writes ratings as they come, as the elements of one array.
func exportJSON(w io.Writer, ratings iter.Seq2[control.Rating, error]) error {
	out := bufio.NewWriter(w)
	open := "[\n"
	for r, err := range ratings {
		if err != nil {
			return err
		}
		one, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("write ratings: %w", err)
		}
		_, _ = out.WriteString(open) // Flush returns the first error
		_, _ = out.Write(one)
		open = ",\n"
	}
	if open == "[\n" {
		_, _ = out.WriteString("[")
	}
	_, _ = out.WriteString("\n]\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write ratings: %w", err)
	}
	return nil
}

func (p *program) feedbackReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Count likes and dislikes by week, bot, room and app",
		Long:  "Count likes and dislikes by week (ISO 8601, UTC), bot, room and app. Each person counts once for each answer, by their last word.",
		Args:  noArgs,
	}
	path := p.configFlag(cmd)
	format := formatFlag(cmd, "table", "csv", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		show := reportTable
		switch chosen, err := format(); {
		case err != nil:
			return err
		case chosen == "json":
			show = reportJSON
		case chosen == "csv":
			show = reportCSV
		}
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		var counts []control.Count
		if err := operate(cmd.Context(), c, func(ops control.Operations) (err error) {
			counts, err = control.Report(control.AllRatings(cmd.Context(), ops))
			return err
		}); err != nil {
			return err
		}
		return show(cmd.OutOrStdout(), counts)
	}
	return cmd
}

func reportTable(w io.Writer, counts []control.Count) error {
	t := table{header: []string{"WEEK", "BOT", "ROOM", "TITLE", "APP", "LIKES", "DISLIKES"}}
	likes, dislikes := 0, 0
	for _, c := range counts {
		t.add(c.Week, c.Bot, c.Room, cutWidth(cleanLine(c.Title), maxTitle), c.App, strconv.Itoa(c.Likes), strconv.Itoa(c.Dislikes))
		likes, dislikes = likes+c.Likes, dislikes+c.Dislikes
	}
	if len(counts) > 1 {
		t.add("total", "", "", "", "", strconv.Itoa(likes), strconv.Itoa(dislikes))
	}
	if err := t.print(w); err != nil {
		return err
	}
	if len(counts) == 0 {
		_, err := fmt.Fprintln(w, "no ratings")
		return err
	}
	return nil
}

func reportCSV(w io.Writer, counts []control.Count) error {
	out := newCSV(w)
	out.row("week", "bot", "room", "title", "app", "likes", "dislikes")
	for _, c := range counts {
		out.row(c.Week, c.Bot, c.Room, c.Title, c.App, strconv.Itoa(c.Likes), strconv.Itoa(c.Dislikes))
	}
	return out.end(nil)
}

func reportJSON(w io.Writer, counts []control.Count) error {
	return printJSON(w, map[string]any{"total": len(counts), "data": counts})
}
