package slack

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

// atName is what link_names and parse=full turn into mentions.
// Source: https://docs.slack.dev/messaging/formatting-message-text#automatic-parsing
var atName = sim.Regexp(`@(?:here|channel|everyone)\b`)

// mentionsIn finds the sequences that notify; a date has their form and does not.
func mentionsIn(text string) []string {
	return slices.DeleteFunc(mention().FindAllString(text, -1), func(m string) bool {
		return strings.HasPrefix(m, "<!date^")
	})
}

// pingsIn lists the sequences of a bot's message that would notify somebody. Those in code count too where the text
// is mrkdwn, since Slack resolves sequences before it looks for code; in Markdown, code is literal.
func pingsIn(text string, blocks json.RawMessage, linkNames bool) []string {
	found := mentionsIn(text)
	if linkNames {
		found = append(found, atName().FindAllString(text, -1)...)
	}
	for _, b := range decodeBlocks(blocks) {
		found = append(found, blockPings(b)...)
	}
	return found
}

// blockPings walks a block, since mrkdwn texts stand in many places of it.
func blockPings(b object) []string {
	var found []string
	switch str(b, "type") {
	case "markdown":
		return markdownMentions(str(b, "text"))
	case "mrkdwn":
		return mentionsIn(str(b, "text"))
	case "user":
		return []string{"<@" + str(b, "user_id") + ">"}
	case "broadcast":
		return []string{"<!" + str(b, "range") + ">"}
	case "usergroup":
		return []string{"<!subteam^" + str(b, "usergroup_id") + ">"}
	}
	for _, v := range b {
		found = append(found, valuePings(v)...)
	}
	return found
}

func valuePings(v any) []string {
	var found []string
	switch v := v.(type) {
	case object:
		found = blockPings(v)
	case []any:
		for _, e := range v {
			found = append(found, valuePings(e)...)
		}
	}
	return found
}

// notePingsLocked records what a message of the bot pings, each sequence once a message.
func (s *Server) notePingsLocked(room, ts string, found []string) {
	for _, seq := range found {
		note := room + " " + ts + " " + seq
		if s.pinged[note] || len(s.pings) >= maxNotes {
			continue
		}
		s.pinged[note] = true
		s.pings = append(s.pings, note)
	}
}
