package slackfmt

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Message is what Part.Text holds: the two arguments of chat.postMessage and chat.update.
type Message struct {
	Text   string          `json:"text"`             // mrkdwn
	Blocks json.RawMessage `json:"blocks,omitempty"` // a list of blocks; nil if there are none
}

// prefix is how every encoded message begins.
const prefix = `{"text":"`

// Decode reads a Part.Text. One that [Render] did not make is taken as mrkdwn without blocks. The error is for an encoded
// message that was changed or cut.
func Decode(text string) (Message, error) {
	if !strings.HasPrefix(text, prefix) || !strings.HasSuffix(text, "]}") {
		return Message{Text: text}, nil
	}
	var m Message
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return Message{}, fmt.Errorf("decode slack message: %w", err)
	}
	if string(m.Blocks) == "[]" {
		m.Blocks = nil
	}
	return m, nil
}
