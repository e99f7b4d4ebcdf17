package gallery

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/clickai/bridge/internal/sim"
)

// Path is where the document stands in the repository, and Command what writes it.
const (
	Path    = "docs/answers.md"
	Command = "make pictures"
)

// atOnce is how many answers are shown at the same time.
const atOnce = 15

// Document makes the whole document. It takes some seconds, for the platforms' limits hold here too.
func Document(ctx context.Context) (string, error) {
	looks := make([][][][][]sim.Block, len(answers)) // answer, platform, state, message
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, a := range answers {
		looks[i] = make([][][][]sim.Block, len(platforms))
		for j, p := range platforms {
			g.Go(func() (err error) {
				looks[i][j], err = p.show(ctx, a)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return "", fmt.Errorf("show the answers: %w", err)
	}
	var b strings.Builder
	b.WriteString(preface())
	for i, a := range answers {
		if err := section(&b, i+1, a, looks[i]); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func preface() string {
	var b strings.Builder
	b.WriteString("<!-- Written by `" + Command + "`. Edit internal/gallery, not this file. -->\n\n# Ten answers on three platforms\n\n")
	b.WriteString("Each answer was rendered and posted by the bridge's own adapters, and is drawn as the parser of the platform's stand-in\n" +
		"read what had arrived. `" + Command + "` writes this page; a test fails when it is out of date.\n\n")
	for i, a := range answers {
		fmt.Fprintf(&b, "%d. [%s](#%s)\n", i+1, a.title, anchor(i+1, a.title))
	}
	b.WriteString("\nHow to read the pictures:\n\n| in a picture | on the platform |\n| --- | --- |\n")
	for _, m := range marks[:3] {
		row(&b, m.open+m.name+m.close, m.name)
	}
	row(&b, "▕code▏", "code in a line")
	row(&b, "label "+arrow+" address", "a link, and where it leads; "+arrow+" alone: to what it shows")
	row(&b, "☛/start☚", marks[6].name)
	row(&b, "═══ ─── ┄┄┄ under a line", "a heading in a large font, the largest first")
	row(&b, "▎", "a quotation")
	row(&b, "┌─ go ──", "a box of code with its language, ↩ where a line is wrapped")
	row(&b, "┌──┬──┐", "a table that the platform draws")
	row(&b, "▫", "small or grey text")
	b.WriteString("\nAll else stands there as a reader sees it. Where a list's bullets and a table's lines are the text's own, they are drawn as such.\n")
	return b.String()
}

func row(b *strings.Builder, picture, meaning string) {
	fmt.Fprintf(b, "| `%s` | %s |\n", picture, meaning)
}

// anchor is a heading's address as code hosts make it.
func anchor(n int, title string) string {
	clean := strings.Map(func(r rune) rune {
		if r == ',' {
			return -1
		}
		return r
	}, strings.ToLower(title))
	return fmt.Sprintf("%d-%s", n, strings.ReplaceAll(clean, " ", "-"))
}

func section(b *strings.Builder, n int, a answer, looks [][][][]sim.Block) error {
	source, err := a.source()
	if err != nil {
		return err
	}
	states, err := a.states()
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n## %d. %s\n\n%s\n\n", n, a.title, a.about)
	shown := strings.TrimSuffix(source, "\n")
	if a.long {
		shown = strings.Join(abridge(strings.Split(shown, "\n")), "\n")
	}
	fmt.Fprintf(b, "<details>\n<summary>The answer in Markdown (%s)</summary>\n\n", size(states[len(states)-1]))
	fenced(b, "markdown", shown)
	b.WriteString("\n</details>\n")
	for j, p := range platforms {
		fmt.Fprintf(b, "\n### %s\n\n", title(p, looks[j]))
		var pictures []string
		for k, messages := range looks[j] {
			picture := frame(p.bot, messages, a.long)
			if a.grows {
				picture = fmt.Sprintf("%d of %s have come\n", len(states[k]), size(states[len(states)-1])) + picture
			}
			pictures = append(pictures, picture)
		}
		fenced(b, "text", strings.TrimSuffix(strings.Join(pictures, "\n"), "\n"))
	}
	return nil
}

// title is the platform, and how many messages there are.
func title(p platform, states [][][]sim.Block) string {
	if n := len(states[len(states)-1]); n > 1 {
		return fmt.Sprintf("%s, %d messages", p.title, n)
	}
	return p.title
}

func size(s string) string { return fmt.Sprintf("%d bytes", len(s)) }

// fenced writes text in a fence that is longer than those in it.
func fenced(b *strings.Builder, lang, text string) {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	b.WriteString(fence + lang + "\n" + text + "\n" + fence + "\n")
}
