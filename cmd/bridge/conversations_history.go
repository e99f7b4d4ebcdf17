package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/internal/control"
)

const (
	// historyPage is as many messages as ClickAI gives at once.
	historyPage = 100
	// maxHistory is the most that one command shows: they are held in memory.
	maxHistory = 10_000
)

func (p *program) conversationsHistory() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history CONVERSATION",
		Short: "Show what was said, as ClickAI has it",
		Args:  nameAndMore(0),
	}
	path := p.configFlag(cmd)
	limit := cmd.Flags().IntP("limit", "n", 20, "how many of the newest questions to show")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *limit < 1 || *limit > maxHistory {
			return usageError{fmt.Errorf("--limit must be 1 to %d", maxHistory)}
		}
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		var h history
		if err := operate(cmd.Context(), c, func(ops control.Operations) error { return h.read(cmd, ops, args[0], *limit) }); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), h)
		}
		return h.print(cmd.OutOrStdout())
	}
	return cmd
}

// history is the newest part of a conversation, oldest first.
type history struct {
	Conversation control.Conversation `json:"conversation"`
	Messages     []control.Message    `json:"messages"`
	More         bool                 `json:"more"` // there are older ones
}

func (h *history) read(cmd *cobra.Command, ops control.Operations, name string, limit int) error {
	h.Messages = []control.Message{}
	var pages [][]control.Message
	for before, left := "", limit; left > 0; {
		page, err := ops.History(cmd.Context(), control.HistoryRequest{Name: name, Before: before, Limit: min(left, historyPage)})
		if err != nil {
			return err
		}
		h.Conversation, h.More = page.Conversation, page.Next != ""
		pages = append(pages, page.Messages)
		left -= len(page.Messages)
		if page.Next == "" {
			break
		}
		if page.Next == before || len(page.Messages) == 0 {
			return errors.New("ClickAI says that there is more, but gives nothing more")
		}
		before = page.Next
	}
	slices.Reverse(pages)
	h.Messages = append(h.Messages, slices.Concat(pages...)...)
	if more := len(h.Messages) - limit; more > 0 { // a server that gives more than it was asked for
		h.Messages, h.More = h.Messages[more:], true
	}
	return nil
}

func (h *history) print(w io.Writer) error {
	var b strings.Builder
	if h.More {
		fmt.Fprintf(&b, "The newest %d; --limit shows more.\n\n", len(h.Messages))
	}
	for _, m := range h.Messages {
		fmt.Fprintf(&b, "── %s UTC · %s", minute(m.At), cleanLine(m.ID))
		if m.Rating != "" {
			fmt.Fprintf(&b, " · %s", cleanLine(m.Rating))
		}
		b.WriteString("\n")
		quote(&b, "> ", m.Query)
		files(&b, m.Files, "user")
		switch {
		case m.Answer != "":
			quote(&b, "  ", m.Answer)
		case m.Status == "" || m.Status == "normal":
			quote(&b, "  ", "(no answer, or not yet)")
		}
		if m.Status != "" && m.Status != "normal" {
			quote(&b, "  ", strings.TrimRight(fmt.Sprintf("(%s: %s", m.Status, m.Error), ": ")+")")
		}
		files(&b, m.Files, "assistant")
		b.WriteString("\n")
	}
	if len(h.Messages) == 0 {
		b.WriteString("nothing was said yet\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quote writes a text with a mark before each line.
func quote(b *strings.Builder, mark, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(cleanText(text), "\n"), "\n") {
		b.WriteString(strings.TrimRight(mark+line, " ") + "\n")
	}
}

// files lists the files of one side. Whose a file is, is not always said: then it is the user's.
func files(b *strings.Builder, all []control.File, from string) {
	for _, f := range all {
		if f.From == from || f.From == "" && from == "user" {
			fmt.Fprintf(b, "  [%s %s]\n", cleanLine(f.Type), cleanLine(f.Name))
		}
	}
}
