package discord

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/bwmarrin/discordgo"
	"github.com/rivo/uniseg"

	"github.com/clickai/bridge/core"
)

// Limits of buttons. Lengths are in characters; counted in UTF-16 units, the strictest reading.
// Source: https://docs.discord.com/developers/components/reference#action-row and #button
const (
	maxRows     = 5
	maxInRow    = 5
	maxLabel    = 80
	maxCustomID = 100
)

// rowsOf are the buttons as components: rows of five. What would make Discord refuse the whole message is left out: an id that is
// blank or too long, a second button with the same id, and a 26th button.
func rowsOf(b core.Buttons) []discordgo.MessageComponent {
	rows := []discordgo.MessageComponent{}
	var row []discordgo.MessageComponent
	seen := map[string]bool{}
	for _, one := range b.All() {
		if one.ID == "" || len(one.ID) > maxCustomID || seen[one.ID] || len(rows) == maxRows {
			continue
		}
		seen[one.ID] = true
		row = append(row, discordgo.Button{
			CustomID: one.ID, Style: styleOf(one.ID), Label: cmp.Or(clipUnits(strings.TrimSpace(one.Label), maxLabel), clipUnits(one.ID, maxLabel)),
		})
		if len(row) == maxInRow {
			rows, row = append(rows, discordgo.ActionsRow{Components: row}), nil
		}
	}
	if len(row) > 0 {
		rows = append(rows, discordgo.ActionsRow{Components: row})
	}
	return rows
}

// styleOf is the colour of a button: that of the way on for what tries again, that of a warning for what ends or takes away.
func styleOf(id string) discordgo.ButtonStyle {
	kind, _, _ := strings.Cut(id, ":")
	switch kind {
	case "retry":
		return discordgo.PrimaryButton
	case "stop", "delete":
		return discordgo.DangerButton
	}
	return discordgo.SecondaryButton
}

// clipUnits cuts a text to at most limit UTF-16 units, between characters as people see them.
func clipUnits(s string, limit int) string {
	if utf16Len(s) <= limit {
		return s
	}
	var cut strings.Builder
	used := 0
	for g := uniseg.NewGraphemes(s); g.Next(); {
		n := utf16Len(g.Str())
		if used+n > limit-1 {
			break
		}
		used += n
		cut.WriteString(g.Str())
	}
	if cut.Len() == 0 { // a single character of more code points than that
		return ""
	}
	return strings.TrimRight(cut.String(), " ") + "…"
}

// bare remembers messages that are known to have no buttons, so that their edits need not take any away. One that is
// forgotten only costs a few bytes in its next edit.
type bare struct {
	mu  sync.Mutex
	all *recent[struct{}]
}

func newBare() *bare { return &bare{all: newRecent[struct{}](maxBare)} }

func (b *bare) has(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.all.get(id)
	return ok
}

func (b *bare) set(id string, is bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if is {
		b.all.put(id, struct{}{})
	} else {
		b.all.drop(id)
	}
}

// sentMessage is what Discord says of a message that was created or changed.
type sentMessage struct {
	ID         string          `json:"id"`
	Components json.RawMessage `json:"components"`
}

// noButtons tells whether the message has no components. A server that knows none says nothing of them.
func (m *sentMessage) noButtons() bool {
	if len(m.Components) == 0 {
		return true
	}
	var list []json.RawMessage
	return json.Unmarshal(m.Components, &list) == nil && len(list) == 0
}

// wireAny is a value of which only the number matters.
type wireAny struct{}

// UnmarshalJSON takes anything.
func (*wireAny) UnmarshalJSON([]byte) error { return nil }

// editedButtons are the components of an edit: those of the part, none to take them away, nil to say nothing of them.
func (p *Platform) editedButtons(id string, b core.Buttons) *[]discordgo.MessageComponent {
	if b == "" && p.bare.has(id) {
		return nil
	}
	rows := rowsOf(b)
	if len(rows) > 0 {
		p.bare.set(id, false) // also when the answer to this edit is lost
	}
	return &rows
}

// hasButton tells whether a list of buttons has one with the id; the label is what stands on it.
func hasButton(list []wireComponent, id string) (label string, ok bool) {
	i := slices.IndexFunc(list, func(c wireComponent) bool {
		return c.Type == int(discordgo.ButtonComponent) && c.CustomID == id
	})
	if i >= 0 {
		return list[i].Label, true
	}
	for _, c := range list {
		if label, ok := hasButton(c.inner(), id); ok {
			return label, true
		}
	}
	return "", false
}
