package core

import "strings"

// Bounds of a button, so that it fits every platform: Slack's label
// (https://docs.slack.dev/reference/block-kit/block-elements/button-element) and Telegram's callback data
// (https://core.telegram.org/bots/api#inlinekeyboardbutton).
const (
	MaxButtonID    = 64 // bytes of printable ASCII
	MaxButtonLabel = 75 // characters
)

// Button is what a person can press under a message. A press comes back as an event of KindPress.
type Button struct {
	ID    string
	Label string
}

// Buttons are the buttons of one message, in order. They can be compared; the zero value is none.
type Buttons string

const (
	betweenButtons = "\x1e"
	insideButton   = "\x1f"
)

// NewButtons makes Buttons. What is over a bound is left out of the label with an ellipsis; control characters become spaces.
func NewButtons(all ...Button) Buttons {
	var b strings.Builder
	for i, one := range all {
		if i > 0 {
			b.WriteString(betweenButtons)
		}
		b.WriteString(one.ID + insideButton + clipLabel(oneLine(one.Label)))
	}
	return Buttons(b.String())
}

// All returns the buttons.
func (b Buttons) All() []Button {
	if b == "" {
		return nil
	}
	var all []Button
	for one := range strings.SplitSeq(string(b), betweenButtons) {
		id, label, _ := strings.Cut(one, insideButton)
		all = append(all, Button{ID: id, Label: label})
	}
	return all
}

// first is the first buttons, at most so many.
func (b Buttons) first(most int) Buttons {
	all := b.All()
	return NewButtons(all[:min(len(all), max(most, 0))]...)
}

func clipLabel(s string) string {
	runes := []rune(s)
	if len(runes) <= MaxButtonLabel {
		return s
	}
	return string(runes[:MaxButtonLabel-1]) + "…"
}
