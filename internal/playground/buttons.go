package playground

import (
	"strings"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// Button is what can be pressed under a message.
type Button struct {
	ID    string `json:"id,omitempty"` // as the platform's press takes it
	Label string `json:"label"`
	URL   string `json:"url,omitempty"`   // of a button that opens a page
	Style string `json:"style,omitempty"` // "primary", "danger" or ""
}

func slackButtons(s *slack.Server) func(sim.Ref) [][]Button {
	return func(at sim.Ref) [][]Button {
		var row []Button
		for _, b := range s.Buttons(at) {
			row = append(row, Button{ID: b.Action + "/" + b.ID, Label: b.Label})
		}
		return oneRow(row)
	}
}

func oneRow(row []Button) [][]Button {
	if len(row) == 0 {
		return nil
	}
	return [][]Button{row}
}

// discordStyles are of https://docs.discord.com/developers/components/reference#button-button-styles
var discordStyles = map[int]string{1: "primary", 3: "primary", 4: "danger"}

func discordButtons(s *discord.Server) func(sim.Ref) [][]Button {
	return func(at sim.Ref) [][]Button {
		var rows [][]Button
		for _, b := range s.Buttons(at) {
			for len(rows) <= b.Row {
				rows = append(rows, nil)
			}
			if !b.Disabled {
				rows[b.Row] = append(rows[b.Row], Button{ID: b.ID, Label: b.Label, Style: discordStyles[b.Style]})
			}
		}
		return rows
	}
}

func telegramButtons(s *telegram.Server) func(sim.Ref) [][]Button {
	return func(at sim.Ref) [][]Button {
		var rows [][]Button
		for _, r := range s.Buttons(at) {
			var row []Button
			for _, b := range r {
				row = append(row, Button{ID: b.Data, Label: b.Text, URL: safeURL(b.URL)})
			}
			rows = append(rows, row)
		}
		return rows
	}
}

// safeURL is an address that a person may be led to; "" for one that could run something.
func safeURL(u string) string {
	scheme, _, ok := strings.Cut(u, ":")
	if !ok {
		return ""
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto", "tg", "tel":
		return u
	}
	return ""
}

// withoutControls takes out the lines in which a drawing in text shows buttons: here they are real ones.
func withoutControls(in []sim.Block) []sim.Block {
	out := in
	for len(out) > 0 {
		last := out[len(out)-1]
		if last.Kind != sim.LineBlock || !controls(last.Spans) {
			break
		}
		out = out[:len(out)-1]
	}
	return out
}

// controls tells whether a line is empty, or labels in brackets alone.
func controls(spans []sim.Span) bool {
	for _, s := range spans {
		if strings.TrimSpace(s.Text) != "" && (s.Style&sim.Active == 0 || !strings.HasPrefix(s.Text, "[") || !strings.HasSuffix(s.Text, "]")) {
			return false
		}
	}
	return true
}
