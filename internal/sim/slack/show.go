package slack

import (
	"encoding/json"
	"fmt"
	"strings"
)

// object is one decoded JSON object.
type object = map[string]any

func str(o object, key string) string {
	v, _ := o[key].(string)
	return v
}

func obj(o object, key string) object {
	v, _ := o[key].(object)
	return v
}

func list(o object, key string) []object {
	raw, _ := o[key].([]any)
	out := make([]object, 0, len(raw))
	for _, v := range raw {
		if e, ok := v.(object); ok {
			out = append(out, e)
		}
	}
	return out
}

func decodeBlocks(raw json.RawMessage) []object {
	var blocks []object
	if len(raw) == 0 || json.Unmarshal(raw, &blocks) != nil {
		return nil
	}
	return blocks
}

// lookLocked works out, once, what a state of a message says in its own markup, and to a reader.
func (s *Server) lookLocked(c *content) {
	if c.read {
		return
	}
	c.read = true
	blocks := decodeBlocks(c.blocks)
	n := s.namesLocked()
	if len(blocks) == 0 || c.typed {
		c.markup, c.shown = c.text, n.mrkdwn(c.text)
		return
	}
	c.markup = flatten(blocks, blockReader{n, true})
	c.shown = flatten(blocks, blockReader{n, false})
}

// markup is a state's text in Slack's markup; it needs no names.
func (c *content) raw() string {
	if blocks := decodeBlocks(c.blocks); len(blocks) > 0 {
		return flatten(blocks, blockReader{raw: true})
	}
	return c.text
}

func flatten(blocks []object, r blockReader) string {
	var parts []string
	for _, b := range blocks {
		if part := r.block(b); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n")
}

// blockReader reads Block Kit: as markup if raw, else as a reader sees it.
// Source: https://docs.slack.dev/reference/block-kit/blocks
type blockReader struct {
	names
	raw bool
}

// text is a text object.
func (r blockReader) text(t object) string {
	s := str(t, "text")
	switch {
	case r.raw:
		return s
	case str(t, "type") == "mrkdwn":
		return r.mrkdwn(s)
	default:
		return showEmoji(entities.Replace(s))
	}
}

func (r blockReader) join(parts []string, sep string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}

func (r blockReader) block(b object) string {
	switch str(b, "type") {
	case "section":
		parts := []string{r.text(obj(b, "text"))}
		for _, f := range list(b, "fields") {
			parts = append(parts, r.text(f))
		}
		return r.join(append(parts, r.element(obj(b, "accessory"))), "\n")
	case "header":
		return r.text(obj(b, "text"))
	case "divider":
		return "───"
	case "markdown":
		if r.raw {
			return str(b, "text")
		}
		return r.markdown(str(b, "text"))
	case "actions", "context_actions":
		return "" // see Server.Buttons
	case "context":
		var parts []string
		for _, e := range list(b, "elements") {
			parts = append(parts, r.element(e))
		}
		return r.join(parts, " ")
	case "image":
		return r.join([]string{r.text(obj(b, "title")), str(b, "alt_text")}, "\n")
	case "video":
		return r.text(obj(b, "title"))
	case "input":
		return r.text(obj(b, "label"))
	case "rich_text":
		var parts []string
		for _, e := range list(b, "elements") {
			parts = append(parts, r.rich(e))
		}
		return strings.TrimSuffix(strings.Join(parts, ""), "\n")
	case "table":
		return r.table(b)
	case "task_card":
		return r.task(b)
	case "plan":
		parts := []string{str(b, "title")}
		for _, t := range list(b, "tasks") {
			parts = append(parts, r.task(t))
		}
		return r.join(parts, "\n")
	default:
		return r.join([]string{r.text(obj(b, "title")), r.text(obj(b, "text"))}, "\n")
	}
}

func (r blockReader) task(t object) string {
	mark := map[string]string{"pending": "○", "in_progress": "◔", "complete": "●", "error": "✗"}[str(t, "status")]
	return r.join([]string{r.join([]string{mark, str(t, "title")}, " "), r.block(obj(t, "details")), r.block(obj(t, "output"))}, "\n")
}

// element is a text, a picture or a control; controls show as their label in brackets.
func (r blockReader) element(e object) string {
	switch str(e, "type") {
	case "":
		return ""
	case "plain_text", "mrkdwn":
		return r.text(e)
	case "image":
		return str(e, "alt_text")
	case "feedback_buttons":
		return r.join([]string{r.label(obj(e, "positive_button")), r.label(obj(e, "negative_button"))}, " ")
	default:
		return r.label(e)
	}
}

func (r blockReader) label(e object) string {
	text := obj(e, "text")
	if text == nil {
		text = obj(e, "placeholder")
	}
	if t := r.text(text); t != "" {
		return "[" + t + "]"
	}
	return ""
}

func (r blockReader) table(b object) string {
	rows, _ := b["rows"].([]any)
	lines := make([]string, 0, len(rows))
	for _, row := range rows {
		cells, _ := row.([]any)
		var shown []string
		for _, c := range cells {
			cell, _ := c.(object)
			if str(cell, "type") == "rich_text" {
				shown = append(shown, r.block(cell))
			} else {
				shown = append(shown, str(cell, "text"))
			}
		}
		lines = append(lines, strings.Join(shown, " | "))
	}
	return strings.Join(lines, "\n")
}

// rich is one part of a rich text; each ends its line.
func (r blockReader) rich(e object) string {
	switch str(e, "type") {
	case "rich_text_list":
		var b strings.Builder
		indent, _ := e["indent"].(float64)
		offset, _ := e["offset"].(float64)
		for i, item := range list(e, "elements") {
			bullet := "• "
			if str(e, "style") == "ordered" {
				bullet = fmt.Sprintf("%d. ", int(offset)+i+1)
			}
			b.WriteString(strings.Repeat("    ", int(indent)) + bullet + r.run(item) + "\n")
		}
		return b.String()
	case "rich_text_quote":
		return "> " + strings.ReplaceAll(r.run(e), "\n", "\n> ") + "\n"
	default:
		run := r.run(e)
		if strings.HasSuffix(run, "\n") {
			return run
		}
		return run + "\n"
	}
}

func (r blockReader) run(e object) string {
	var b strings.Builder
	for _, x := range list(e, "elements") {
		switch str(x, "type") {
		case "text":
			b.WriteString(r.literal(str(x, "text")))
		case "link":
			b.WriteString(r.richLink(x))
		case "user":
			b.WriteString(r.sequenceOf("@" + str(x, "user_id")))
		case "channel":
			b.WriteString(r.sequenceOf("#" + str(x, "channel_id")))
		case "broadcast":
			b.WriteString(r.sequenceOf("!" + str(x, "range")))
		case "usergroup":
			b.WriteString(r.sequenceOf("!subteam^" + str(x, "usergroup_id")))
		case "emoji":
			if r.raw {
				b.WriteString(":" + str(x, "name") + ":")
			} else {
				b.WriteString(emojiChar(str(x, "name")))
			}
		}
	}
	return b.String()
}

func (r blockReader) literal(s string) string {
	if r.raw {
		return escapes.Replace(s)
	}
	return s
}

func (r blockReader) richLink(x object) string {
	url, label := str(x, "url"), str(x, "text")
	switch {
	case r.raw && label != "":
		return "<" + url + "|" + escapes.Replace(label) + ">"
	case r.raw:
		return "<" + url + ">"
	case label != "":
		return label
	}
	return url
}

func (r blockReader) sequenceOf(inner string) string {
	if r.raw {
		return "<" + inner + ">"
	}
	shown, _ := r.sequence(inner)
	return shown
}
