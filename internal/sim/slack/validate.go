package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Limits of one message. Sources: the block reference (https://docs.slack.dev/reference/block-kit/blocks), the
// markdown block (https://docs.slack.dev/reference/block-kit/blocks/markdown-block).
const (
	// maxText is where apps see msg_too_long. The documentation speaks of 40,000 characters with truncation, reports
	// of refusals begin near 4,000 (https://github.com/seratch/ChatGPT-in-Slack/issues/102); the stricter one holds.
	maxText = 4000
	// maxMarkdown holds for markdown_text, and for all markdown blocks of a message together.
	maxMarkdown = 12_000
	maxBlocks   = 50
	// maxPayload is the size of a message's blocks as JSON, in characters. It is not documented; refusals begin near
	// 13,200 (https://github.com/slackapi/bolt-js/issues/2509).
	maxPayload = 13_200
	// maxInput is the most characters of a text field.
	// Source: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
	maxInput = 3000
)

// checker collects what is wrong with blocks, each with a JSON pointer, as Slack's response_metadata tells it.
type checker struct {
	errs     []string
	ids      map[string]bool
	markdown int
	tables   int
}

func (c *checker) fail(at, format string, args ...any) {
	c.errs = append(c.errs, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", fmt.Sprintf(format, args...), at))
}

// checkBlocks reads a blocks argument. It returns nil blocks for an empty list.
func checkBlocks(raw []byte) (json.RawMessage, *apiError) {
	var blocks []object
	if err := json.Unmarshal(raw, &blocks); err != nil {
		return nil, refuse("invalid_blocks_format").broken()
	}
	if len(blocks) == 0 {
		return nil, nil
	}
	c := &checker{ids: map[string]bool{}}
	if len(blocks) > maxBlocks {
		c.fail("/blocks", "no more than %d items allowed", maxBlocks)
	}
	for i, b := range blocks {
		c.block(fmt.Sprintf("/blocks/%d", i), b)
	}
	if len(c.errs) > 0 {
		return nil, refuse("invalid_blocks").broken().say(c.errs...)
	}
	if c.tables > 1 {
		return nil, refuse("invalid_attachments").broken().say("only_one_table_allowed")
	}
	compact := plainJSON(blocks)
	if c.markdown > maxMarkdown || runes(string(compact)) > maxPayload {
		return nil, refuse("msg_blocks_too_long").broken()
	}
	return compact, nil
}

// plainJSON encodes without HTML escapes, so that sizes are those of the text.
func plainJSON(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // only for what JSON has no form for; nothing here is of that kind
		panic(fmt.Sprintf("slack stand-in: encode %T: %v", v, err))
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func (c *checker) block(at string, b object) {
	if b == nil {
		c.fail(at, "must be an object")
		return
	}
	if id := str(b, "block_id"); id != "" {
		if runes(id) > 255 {
			c.fail(at+"/block_id", "must be less than 256 characters")
		}
		if c.ids[id] {
			c.fail(at+"/block_id", "block_id %q is used twice", id)
		}
		c.ids[id] = true
	}
	switch kind := str(b, "type"); kind {
	case "section":
		c.section(at, b)
	case "header":
		c.text(at+"/text", obj(b, "text"), 150, "plain_text")
	case "divider", "video", "task_card", "plan":
	case "image":
		c.image(at, b)
	case "context":
		c.elements(at, b, 10, "image", "plain_text", "mrkdwn")
	case "actions":
		c.elements(at, b, 25, "button", "static_select", "external_select", "users_select", "conversations_select",
			"channels_select", "multi_static_select", "overflow", "datepicker", "timepicker", "datetimepicker",
			"checkboxes", "radio_buttons", "workflow_button")
	case "context_actions":
		c.elements(at, b, 5, "feedback_buttons", "icon_button")
	case "markdown":
		if str(b, "text") == "" {
			c.fail(at+"/text", "must be more than 0 characters")
		}
		c.markdown += runes(str(b, "text"))
	case "rich_text":
		c.richText(at, b)
	case "table":
		c.table(at, b)
	case "input":
		c.input(at, b)
	case "file":
		if str(b, "external_id") == "" || str(b, "source") != "remote" {
			c.fail(at, "a file block needs external_id and source remote")
		}
	default:
		c.fail(at+"/type", "unsupported type: %s", kind)
	}
}

func (c *checker) section(at string, b object) {
	text, fields := obj(b, "text"), list(b, "fields")
	if text == nil && len(fields) == 0 {
		c.fail(at, "missing required field: text")
	}
	if text != nil {
		c.text(at+"/text", text, 3000)
	}
	if len(fields) > 10 {
		c.fail(at+"/fields", "no more than 10 items allowed")
	}
	for i, f := range fields {
		c.text(fmt.Sprintf("%s/fields/%d", at, i), f, 2000)
	}
	if acc := obj(b, "accessory"); acc != nil {
		c.element(at+"/accessory", acc)
	}
}

// text checks a text object; its type is one of kinds, or either if none are given.
func (c *checker) text(at string, t object, limit int, kinds ...string) {
	if len(kinds) == 0 {
		kinds = []string{"plain_text", "mrkdwn"}
	}
	switch n := runes(str(t, "text")); {
	case t == nil:
		c.fail(at, "missing required field")
	case !slices.Contains(kinds, str(t, "type")):
		c.fail(at+"/type", "must be one of %v", kinds)
	case n == 0:
		c.fail(at+"/text", "must be more than 0 characters")
	case n > limit:
		c.fail(at+"/text", "must be less than %d characters", limit+1)
	}
}

func (c *checker) image(at string, b object) {
	if str(b, "image_url") == "" && obj(b, "slack_file") == nil {
		c.fail(at, "missing required field: image_url")
	}
	if n := runes(str(b, "alt_text")); n == 0 || n > 2000 {
		c.fail(at+"/alt_text", "must be 1 to 2000 characters")
	}
	if runes(str(b, "image_url")) > 3000 {
		c.fail(at+"/image_url", "must be less than 3001 characters")
	}
}

// input is a block of a form.
// Source: https://docs.slack.dev/reference/block-kit/blocks/input-block
func (c *checker) input(at string, b object) {
	c.text(at+"/label", obj(b, "label"), 2000, "plain_text")
	e := obj(b, "element")
	switch kind := str(e, "type"); kind {
	case "plain_text_input":
		for key, least := range map[string]float64{"min_length": 0, "max_length": 1} {
			if n, ok := e[key].(float64); ok && (n < least || n > maxInput) {
				c.fail(at+"/element/"+key, "must be %v to %d", least, maxInput)
			}
		}
		if hint := obj(e, "placeholder"); hint != nil {
			c.text(at+"/element/placeholder", hint, 150, "plain_text")
		}
	case "rich_text_input", "email_text_input", "url_text_input", "number_input", "file_input", "checkboxes", "radio_buttons",
		"datepicker", "timepicker", "datetimepicker", "static_select", "external_select", "users_select", "conversations_select",
		"channels_select", "multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select",
		"multi_channels_select":
	default:
		c.fail(at+"/element/type", "unsupported type: %s", kind)
	}
	c.element(at+"/element", e)
}

func (c *checker) elements(at string, b object, most int, kinds ...string) {
	used := map[string]bool{}
	raw, _ := b["elements"].([]any)
	if len(raw) == 0 || len(raw) > most {
		c.fail(at+"/elements", "1 to %d items allowed", most)
	}
	for i, v := range raw {
		e, _ := v.(object)
		here := fmt.Sprintf("%s/elements/%d", at, i)
		if !slices.Contains(kinds, str(e, "type")) {
			c.fail(here+"/type", "unsupported type: %s", str(e, "type"))
			continue
		}
		if id := str(e, "action_id"); id != "" {
			if used[id] {
				c.fail(here+"/action_id", "action_id %q is used twice in the block", id)
			}
			used[id] = true
		}
		c.element(here, e)
	}
}

func (c *checker) element(at string, e object) {
	if runes(str(e, "action_id")) > 255 {
		c.fail(at+"/action_id", "must be less than 256 characters")
	}
	switch str(e, "type") {
	case "plain_text", "mrkdwn":
		c.text(at, e, 2000)
	case "image":
		c.image(at, e)
	case "button":
		c.text(at+"/text", obj(e, "text"), 75, "plain_text")
		c.value(at, e)
	case "icon_button":
		c.text(at+"/text", obj(e, "text"), 75, "plain_text")
		if str(e, "icon") != "trash" {
			c.fail(at+"/icon", "must be one of [trash]")
		}
		c.value(at, e)
	case "feedback_buttons":
		for _, side := range []string{"positive_button", "negative_button"} {
			c.text(at+"/"+side+"/text", obj(obj(e, side), "text"), 75, "plain_text")
			c.value(at+"/"+side, obj(e, side))
		}
	}
}

func (c *checker) value(at string, e object) {
	if runes(str(e, "value")) > 2000 {
		c.fail(at+"/value", "must be less than 2001 characters")
	}
	if runes(str(e, "url")) > 3000 {
		c.fail(at+"/url", "must be less than 3001 characters")
	}
}

func (c *checker) richText(at string, b object) {
	parts, ok := b["elements"].([]any)
	if !ok || len(parts) == 0 {
		c.fail(at+"/elements", "missing required field")
	}
	for i, v := range parts {
		part, _ := v.(object)
		here := fmt.Sprintf("%s/elements/%d", at, i)
		switch kind := str(part, "type"); kind {
		case "rich_text_section", "rich_text_preformatted", "rich_text_quote":
			c.run(here, part)
		case "rich_text_list":
			if style := str(part, "style"); style != "bullet" && style != "ordered" {
				c.fail(here+"/style", "must be one of [bullet ordered]")
			}
			for j, item := range list(part, "elements") {
				c.run(fmt.Sprintf("%s/elements/%d", here, j), item)
			}
		default:
			c.fail(here+"/type", "unsupported type: %s", kind)
		}
	}
}

func (c *checker) run(at string, part object) {
	kinds := []string{"text", "link", "emoji", "user", "usergroup", "channel", "broadcast", "date", "color", "team"}
	for i, x := range list(part, "elements") {
		here := fmt.Sprintf("%s/elements/%d", at, i)
		if kind := str(x, "type"); !slices.Contains(kinds, kind) {
			c.fail(here+"/type", "unsupported type: %s", kind)
		}
		if str(x, "type") == "text" && str(x, "text") == "" {
			c.fail(here+"/text", "must be more than 0 characters")
		}
	}
}

// table holds up to 100 rows of 20 cells and 10,000 characters.
// Source: https://docs.slack.dev/reference/block-kit/blocks/table-block
func (c *checker) table(at string, b object) {
	c.tables++
	rows, _ := b["rows"].([]any)
	if len(rows) == 0 || len(rows) > 100 {
		c.fail(at+"/rows", "1 to 100 items allowed")
	}
	total := 0
	for i, v := range rows {
		cells, _ := v.([]any)
		if len(cells) == 0 || len(cells) > 20 {
			c.fail(fmt.Sprintf("%s/rows/%d", at, i), "1 to 20 items allowed")
		}
		for j, v := range cells {
			cell, _ := v.(object)
			here := fmt.Sprintf("%s/rows/%d/%d", at, i, j)
			switch kind := str(cell, "type"); kind {
			case "raw_text", "raw_number":
				total += runes(str(cell, "text"))
			case "rich_text":
				c.richText(here, cell)
				total += runes(blockReader{raw: true}.block(cell))
			default:
				c.fail(here+"/type", "unsupported type: %s", kind)
			}
		}
	}
	if total > 10_000 {
		c.fail(at+"/rows", "no more than 10000 characters allowed")
	}
}
