package slack

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
	"github.com/clickai/bridge/core"
)

// Limits of buttons, and of what stands beside them.
// Sources: https://docs.slack.dev/reference/block-kit/block-elements/button-element,
// https://docs.slack.dev/reference/block-kit/blocks/section-block; for the size of all blocks together
// https://github.com/slackapi/bolt-js/issues/2509.
const (
	maxButtons     = 5
	maxActionID    = 255
	maxSection     = 3000 // characters
	maxBlocks      = 50
	maxBlocksBytes = 13_000
)

// The ids of the two buttons that Slack has an element of its own for.
const (
	like    = "like"
	dislike = "dislike"
	rating  = "rating" // action_id of that element
)

// content is one way to show a part.
type content struct {
	text   string // mrkdwn, or as it is when plain
	plain  bool
	blocks []slackgo.Block
	rated  bool // uses Slack's own element for ratings
}

// options are the arguments of a call that shows c. An empty list of blocks takes away those that a message had before;
// without one, an edit by text alone would do so too, but not everywhere.
func (c *content) options(edit bool) []slackgo.MsgOption {
	// Text is prepared already, so it is not escaped again. It is what notifications show, and always set.
	all := []slackgo.MsgOption{slackgo.MsgOptionText(c.text, false)}
	if c.plain {
		all = append(all, slackgo.MsgOptionDisableMarkdown())
	}
	if len(c.blocks) > 0 || edit {
		all = append(all, slackgo.MsgOptionBlocks(c.blocks...))
	}
	return all
}

// contents are the ways to show a part, the best first: each is for when Slack refuses the one before it.
func (p *Platform) contents(part core.Part) ([]content, error) {
	m, err := slackfmt.Decode(part.Text)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says all
	}
	blocks, err := rawBlocks(m.Blocks)
	if err != nil {
		return nil, err
	}
	whole := content{text: m.Text, blocks: blocks}
	plain := content{text: part.Plain, plain: true}
	hasPlain := part.Plain != "" && (len(blocks) > 0 || part.Plain != m.Text)
	under := p.under(part.Buttons)
	var all []content
	for _, u := range under {
		body := blocks
		if size := len(m.Blocks) + sizeOf(u.blocks); len(blocks) == 0 || size > maxBlocksBytes || len(blocks)+len(u.blocks) > maxBlocks {
			body = sections(m.Text, slackgo.MarkdownType)
		}
		all = append(all, content{text: m.Text, blocks: join(body, u.blocks), rated: u.rated})
	}
	if len(under) > 0 && hasPlain {
		last := under[len(under)-1]
		all = append(all, content{text: part.Plain, plain: true, blocks: join(sections(part.Plain, slackgo.PlainTextType), last.blocks)})
	}
	all = append(all, whole)
	if hasPlain {
		all = append(all, plain)
	}
	return all, nil
}

// under are the ways to show buttons under a message, the best first; none where there are no buttons.
func (p *Platform) under(b core.Buttons) []content {
	buttons := b.All()
	if len(buttons) > maxButtons {
		buttons = buttons[:maxButtons]
	}
	var up, down *core.Button
	var others []core.Button
	for i, one := range buttons {
		switch {
		case one.ID == like && up == nil:
			up = &buttons[i]
		case one.ID == dislike && down == nil:
			down = &buttons[i]
		default:
			others = append(others, one)
		}
	}
	var all []content
	if up != nil && down != nil && !p.plainRating.Load() {
		c := content{rated: true, blocks: actions(others)}
		c.blocks = append(c.blocks, slackgo.NewContextActionsBlock("", slackgo.NewFeedbackButtonsBlockElement(rating,
			slackgo.NewFeedbackButton(label(up), up.ID), slackgo.NewFeedbackButton(label(down), down.ID))))
		all = append(all, c)
	}
	if row := actions(buttons); len(row) > 0 {
		all = append(all, content{blocks: row})
	}
	return all
}

// actions is the block of plain buttons; none for no buttons.
func actions(buttons []core.Button) []slackgo.Block {
	var row []slackgo.BlockElement
	used := map[string]bool{}
	for i := range buttons {
		b := &buttons[i]
		id := b.ID
		if used[id] {
			id += "#" + strconv.Itoa(i) // unique in the block; the value is what counts
		}
		if b.ID == "" || len(id) > maxActionID {
			continue
		}
		used[id] = true
		row = append(row, slackgo.NewButtonBlockElement(id, b.ID, label(b)))
	}
	if len(row) == 0 {
		return nil
	}
	return []slackgo.Block{slackgo.NewActionBlock("", row...)}
}

func label(b *core.Button) *slackgo.TextBlockObject {
	text := fit(strings.TrimSpace(b.Label), core.MaxButtonLabel)
	if text == "" {
		text = "…"
	}
	emoji := true
	return &slackgo.TextBlockObject{Type: slackgo.PlainTextType, Text: text, Emoji: &emoji}
}

// sections are a text as blocks, so that it can have buttons under it.
func sections(text string, kind string) []slackgo.Block {
	var all []slackgo.Block
	for text != "" {
		part := text
		if utf8.RuneCountInString(text) > maxSection {
			part = text[:cutAt(text)]
		}
		if strings.TrimSpace(part) != "" {
			all = append(all, slackgo.NewSectionBlock(&slackgo.TextBlockObject{Type: kind, Text: part}, nil, nil))
		}
		text = strings.TrimPrefix(text[len(part):], "\n")
	}
	return all
}

// cutAt is where a text over maxSection is cut: at the end of a line that is outside code, if there is one.
func cutAt(text string) int {
	end, n := 0, 0
	for i := range text {
		if n == maxSection {
			end = i
			break
		}
		n++
	}
	line := 0
	for i := end; i > 0; {
		i = strings.LastIndexByte(text[:i], '\n')
		if i <= 0 {
			break
		}
		if line == 0 {
			line = i
		}
		if strings.Count(text[:i], "```")%2 == 0 {
			return i
		}
	}
	if line > 0 {
		return line
	}
	return end
}

func join(a, b []slackgo.Block) []slackgo.Block {
	return append(append(make([]slackgo.Block, 0, len(a)+len(b)), a...), b...)
}

func sizeOf(blocks []slackgo.Block) int {
	raw, err := json.Marshal(blocks)
	if err != nil {
		return 0
	}
	return len(raw)
}
