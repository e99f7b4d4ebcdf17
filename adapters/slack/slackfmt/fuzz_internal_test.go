package slackfmt

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
	"github.com/clickai/bridge/internal/sim"
	slacksim "github.com/clickai/bridge/internal/sim/slack"
)

// FuzzRender renders a source as it grows, cut at any byte, into messages so small that everything is divided somewhere.
func FuzzRender(f *testing.F) {
	for _, c := range markdowntest.Corpus(f) {
		if len(c.Source) < 700 {
			f.Add(c.Source, uint16(300))
		}
	}
	board := newBoard(f)
	for _, source := range markdowntest.Found {
		f.Add(source, uint16(0))
	}
	f.Fuzz(func(t *testing.T, source string, size uint16) {
		limit := 240 + int(size)%800
		render := format(limit).Render
		check := func(p core.Part) error { return checkFuzz(p, limit) }
		opt := options(limit)
		if len(source) > 4000 || markdowntest.HasDefinition(source) {
			for _, final := range []bool{false, true} {
				for _, p := range render(source, final) {
					if err := check(p); err != nil {
						t.Fatalf("render(%q, %v): %v\n%s", source, final, err, p.Text)
					}
				}
			}
		} else {
			cuts := markdowntest.Cuts(len(source), 80)
			markdowntest.Grow(t, render, source, cuts, check)
			markdowntest.Settled(t, render, board.shown, opt, source, markdowntest.Cuts(len(source), 20))
			if !strings.ContainsAny(source, "`<\\$&|*_~(") { // there is no mark that may never find its end
				markdowntest.Steady(t, render, words, source, cuts)
			}
		}
		opt.Final = true
		if parts := render(source, true); len(parts) > 0 {
			messages := markdown.Layout(markdown.Parse(source, opt), layout(limit))
			markdowntest.SameText(t, parts, board.shown, messages, nativeTable)
		}
		board.check(t)
	})
}

func checkFuzz(p core.Part, limit int) error {
	m, err := Decode(p.Text)
	if err != nil {
		return err
	}
	for _, s := range []string{m.Text, p.Plain} {
		if len(s) > limit {
			return fmt.Errorf("%d bytes, limit %d", len(s), limit)
		}
		if strings.TrimSpace(s) == "" || !utf8.ValidString(s) {
			return fmt.Errorf("blank or not UTF-8: %q", s)
		}
		if strings.ContainsAny(strings.ReplaceAll(s, "<http", ""), "<") && !strings.Contains(s, "<mailto:") {
			return fmt.Errorf("a < that begins no link: %q", s)
		}
	}
	if m.Blocks != nil && !json.Valid(m.Blocks) {
		return fmt.Errorf("blocks are not JSON: %s", m.Blocks)
	}
	if len(m.Blocks) > maxJSON+2 {
		return fmt.Errorf("%d bytes of blocks", len(m.Blocks))
	}
	return nil
}

// board is a message in the stand-in that shows one part after the other, by which the stand-in reads it.
type board struct {
	server *slacksim.Server
	client *slackgo.Client
	ts     string
}

func newBoard(tb testing.TB) *board {
	tb.Helper()
	server, err := slacksim.New(slacksim.Options{LimitScale: 1e6})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.Close(); err != nil {
			tb.Error(err)
		}
	})
	client := slackgo.New(server.BotToken(), slackgo.OptionAPIURL(server.APIURL()+"/"))
	_, ts, err := client.PostMessageContext(tb.Context(), slacksim.General, slackgo.MsgOptionText("…", false))
	if err != nil {
		tb.Fatal(err)
	}
	return &board{server: server, client: client, ts: ts}
}

// rawBlock is a block as it came from the formatter.
type rawBlock struct{ json.RawMessage }

func (rawBlock) BlockType() slackgo.MessageBlockType { return "" }
func (rawBlock) ID() string                          { return "" }

// shown updates the message and returns what people see of it.
func (b *board) shown(p core.Part) (string, error) {
	m, err := Decode(p.Text)
	if err != nil {
		return "", err
	}
	blocks := []slackgo.Block{}
	if m.Blocks != nil {
		var list []json.RawMessage
		if err := json.Unmarshal(m.Blocks, &list); err != nil {
			return "", err
		}
		for _, raw := range list {
			blocks = append(blocks, rawBlock{raw})
		}
	}
	_, _, _, err = b.client.UpdateMessage(slacksim.General, b.ts,
		slackgo.MsgOptionText(m.Text, false), slackgo.MsgOptionBlocks(blocks...))
	if err != nil {
		return "", fmt.Errorf("the stand-in refuses it: %w", err)
	}
	seen, ok := b.server.Find(sim.Ref{Room: slacksim.General, ID: b.ts})
	if !ok {
		return "", fmt.Errorf("message %s is gone", b.ts)
	}
	return seen.Shown, nil
}

// check fails if anything that was shown pinged anybody or broke a rule of the stand-in.
func (b *board) check(tb testing.TB) {
	tb.Helper()
	if v := b.server.Violations(); len(v) > 0 {
		tb.Errorf("violations: %q", v)
	}
	if v := b.server.Pings(); len(v) > 0 {
		tb.Errorf("pings: %q", v)
	}
}
