package slackfmt_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"testing"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
	"github.com/clickai/bridge/internal/sim"
	slacksim "github.com/clickai/bridge/internal/sim/slack"
)

// check says what is wrong with a part.
func check(p core.Part) error {
	m, err := slackfmt.Decode(p.Text)
	if err != nil {
		return err
	}
	for _, s := range []string{m.Text, p.Plain} {
		switch {
		case len(s) > slackfmt.MaxText:
			return fmt.Errorf("%d bytes", len(s))
		case strings.TrimSpace(s) == "":
			return fmt.Errorf("blank: %q", s)
		case !utf8.ValidString(s):
			return fmt.Errorf("not UTF-8: %q", s)
		}
	}
	if strings.Count(m.Text, "```")%2 != 0 {
		return fmt.Errorf("a fence is open")
	}
	var list []block
	if len(m.Blocks) == 0 {
		return nil
	}
	if err := json.Unmarshal(m.Blocks, &list); err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	if n := utf8.RuneCount(m.Blocks); n > 13_000 || len(list) > 50 || len(list) == 0 {
		return fmt.Errorf("%d blocks of %d characters", len(list), n)
	}
	for _, b := range list {
		if err := b.check(); err != nil {
			return err
		}
	}
	return nil
}

// block is a block or an element of one, as far as text goes.
type block struct {
	Type     string          `json:"type"`
	Text     json.RawMessage `json:"text"`
	Elements []block         `json:"elements"`
	Rows     [][]block       `json:"rows"`
}

func (b block) check() error {
	switch b.Type {
	case "text":
		if string(b.Text) == `""` {
			return fmt.Errorf("a text is empty")
		}
	case "rich_text_section", "rich_text_quote", "rich_text_preformatted", "rich_text_list", "rich_text":
		if len(b.Elements) == 0 {
			return fmt.Errorf("a %s is empty", b.Type)
		}
	case "table":
		if len(b.Rows) > 100 || len(b.Rows[0]) > 20 {
			return fmt.Errorf("a table of %d rows", len(b.Rows))
		}
	case "header", "divider", "link", "raw_text":
	default:
		return fmt.Errorf("unexpected %q", b.Type)
	}
	for _, e := range b.Elements {
		if err := e.check(); err != nil {
			return err
		}
	}
	return nil
}

func dump(parts []core.Part) string {
	var b strings.Builder
	for i, p := range parts {
		m, err := slackfmt.Decode(p.Text)
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "=== message %d ===\n%s\n=== blocks ===\n", i+1, m.Text)
		var list []json.RawMessage
		if json.Unmarshal(m.Blocks, &list) == nil {
			for _, block := range list {
				fmt.Fprintf(&b, "%s\n", strings.ReplaceAll(string(block), `,{"type":"rich_text_`, ",\n  "+`{"type":"rich_text_`))
			}
		}
	}
	fmt.Fprintf(&b, "=== plain ===\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "%s\n", p.Plain)
	}
	return b.String()
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			parts := slackfmt.Render(c.Source, true)
			for i, p := range parts {
				if err := check(p); err != nil {
					t.Errorf("part %d: %v", i, err)
				}
			}
			markdowntest.Golden(t, c.Name, dump(parts))
		})
	}
}

func TestCorpusGrows(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		if markdowntest.HasDefinition(c.Source) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			markdowntest.Grow(t, slackfmt.NewRenderer().Render, c.Source, markdowntest.CutsOf(c.Source), check)
		})
	}
}

// rawBlock is a block as it came from the formatter.
type rawBlock struct{ json.RawMessage }

func (rawBlock) BlockType() slackgo.MessageBlockType { return "" }
func (rawBlock) ID() string                          { return "" }

// TestSlackTakesIt posts the corpus to the stand-in, which refuses what Slack's documentation refuses, and compares what
// people then see with the text without markup.
func TestSlackTakesIt(t *testing.T) {
	t.Parallel()
	server, err := slacksim.New(slacksim.Options{LimitScale: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	client := slackgo.New(server.BotToken(), slackgo.OptionAPIURL(server.APIURL()+"/"))
	for _, c := range markdowntest.Corpus(t) {
		for i, p := range slackfmt.Render(c.Source, true) {
			m, err := slackfmt.Decode(p.Text)
			if err != nil {
				t.Fatal(err)
			}
			var list []json.RawMessage
			if err := json.Unmarshal(m.Blocks, &list); err != nil {
				t.Fatal(err)
			}
			blocks := make([]slackgo.Block, len(list))
			for k := range list {
				blocks[k] = rawBlock{list[k]}
			}
			_, ts, err := client.PostMessageContext(t.Context(), slacksim.General,
				slackgo.MsgOptionText(m.Text, false), slackgo.MsgOptionBlocks(blocks...))
			if err != nil {
				t.Errorf("%s: part %d: %v", c.Name, i, err)
				continue
			}
			seen, ok := server.Find(sim.Ref{Room: slacksim.General, ID: ts})
			if !ok {
				t.Fatalf("%s: part %d is not there", c.Name, i)
			}
			plain := html.UnescapeString(p.Plain)
			if !markdowntest.SameLetters(withoutAddresses(seen.Shown), withoutAddresses(plain)) {
				t.Errorf("%s: part %d: people see\n%s\nnot\n%s", c.Name, i, seen.Shown, plain)
			}
			if _, _, err := client.PostMessageContext(t.Context(), slacksim.General,
				slackgo.MsgOptionText(m.Text, false)); err != nil {
				t.Errorf("%s: part %d as mrkdwn: %v", c.Name, i, err)
			}
			if _, _, err := client.PostMessageContext(t.Context(), slacksim.General, slackgo.MsgOptionText(p.Plain, false),
				slackgo.MsgOptionDisableMarkdown()); err != nil {
				t.Errorf("%s: part %d as plain text: %v", c.Name, i, err)
			}
		}
	}
	if v := server.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
	if v := server.Pings(); len(v) > 0 {
		t.Errorf("pings: %q", v)
	}
}

// TestBlocksSurviveTheLibrary decodes the blocks with slack-go and encodes them again.
func TestBlocksSurviveTheLibrary(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		for i, p := range slackfmt.Render(c.Source, true) {
			m, err := slackfmt.Decode(p.Text)
			if err != nil {
				t.Fatal(err)
			}
			var blocks slackgo.Blocks
			if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
				t.Fatalf("%s: part %d: %v", c.Name, i, err)
			}
			b, err := json.Marshal(blocks)
			if err != nil {
				t.Fatal(err)
			}
			if before, after := words(m.Blocks), words(b); before != after {
				t.Errorf("%s: part %d loses text: %q, had %q", c.Name, i, after, before)
			}
		}
	}
}

// words are all texts of blocks, in order.
func words(raw json.RawMessage) string {
	var b strings.Builder
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		tok, err := d.Token()
		if err != nil {
			return markdowntest.Letters(b.String())
		}
		if s, ok := tok.(string); ok && s == "text" {
			if tok, err = d.Token(); err == nil {
				if s, ok := tok.(string); ok {
					b.WriteString(s)
				}
			}
		}
	}
}

// withoutAddresses drops the addresses that Plain shows behind labels, and those that stand in the text.
func withoutAddresses(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.Index(s, "http")
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == '>' || r == ')' || r >= 0x80 })
		if end < 0 {
			end = len(s)
		}
		s = s[end:]
	}
	return b.String() + s
}
