package discord

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Limits of modals. Sources: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-modal,
// https://docs.discord.com/developers/components/reference#text-input and #label
const (
	componentInput = 4
	componentLabel = 18

	maxModalTitle  = 45
	maxModalParts  = 5
	maxInputLabel  = 45
	maxInputText   = 4000
	maxPlaceholder = 100
)

// modal is a form that an answer opens.
type modal struct {
	CustomID   string      `json:"custom_id"`
	Title      string      `json:"title"`
	Components []modalPart `json:"components"`
}

// modalPart is a row with a text input in it (the older form), a label around one, or a text.
type modalPart struct {
	Type        int          `json:"type"`
	Label       string       `json:"label"`
	Description string       `json:"description"`
	Content     string       `json:"content"`
	Component   *modalInput  `json:"component"`
	Components  []modalInput `json:"components"`
}

type modalInput struct {
	Type        int    `json:"type"`
	CustomID    string `json:"custom_id"`
	Style       int    `json:"style"`
	Label       string `json:"label"`
	Required    *bool  `json:"required"`
	MinLength   *int   `json:"min_length"`
	MaxLength   *int   `json:"max_length"`
	Value       string `json:"value"`
	Placeholder string `json:"placeholder"`
}

func parseModal(raw json.RawMessage) (*modal, *apiError) {
	m := &modal{}
	if err := (&call{body: raw}).decode(m); err != nil {
		return nil, err
	}
	f := form{}
	bounded := func(at, text string, low, high int) {
		if n := length(text); n < low || n > high {
			f.badLength(at, low, high)
		}
	}
	bounded("data.custom_id", m.CustomID, 1, maxCustomID)
	bounded("data.title", m.Title, 1, maxModalTitle)
	if n := len(m.Components); n < 1 || n > maxModalParts {
		f.badLength("data.components", 1, maxModalParts)
	}
	seen := map[string]bool{}
	for i, part := range m.Components {
		at := fmt.Sprintf("data.components.%d", i)
		var input *modalInput
		switch {
		case part.Type == componentRow && len(part.Components) == 1:
			input = &part.Components[0]
			bounded(at+".components.0.label", input.Label, 1, maxInputLabel)
		case part.Type == componentLabel && part.Component != nil:
			input = part.Component
			bounded(at+".label", part.Label, 1, maxInputLabel)
			bounded(at+".description", part.Description, 0, maxCommandText)
			if input.Label != "" {
				f.add(at+".component.label", "COMPONENT_LABEL_NOT_ALLOWED", "A component in a label has no label of its own")
			}
		case part.Type == componentText && part.Content != "":
			continue
		default:
			f.add(at+".type", "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1, 10, 18,).")
			continue
		}
		input.check(f, at)
		if seen[input.CustomID] {
			f.add(at, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
		}
		seen[input.CustomID] = true
	}
	return m, f.err()
}

func (c *modalInput) check(f form, at string) {
	if c.Type != componentInput {
		f.add(at+".component.type", "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (4,): the stand-in knows text inputs only.")
	}
	if n := length(c.CustomID); n < 1 || n > maxCustomID {
		f.badLength(at+".component.custom_id", 1, maxCustomID)
	}
	if c.Style != 1 && c.Style != 2 {
		f.add(at+".component.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
	}
	if c.MinLength != nil && (*c.MinLength < 0 || *c.MinLength > maxInputText) || c.MaxLength != nil && (*c.MaxLength < 1 || *c.MaxLength > maxInputText) {
		f.add(at+".component", "NUMBER_TYPE_MAX", fmt.Sprintf("Lengths should be between 0 and %d.", maxInputText))
	}
	if length(c.Value) > maxInputText {
		f.tooLong(at+".component.value", maxInputText)
	}
	if length(c.Placeholder) > maxPlaceholder {
		f.tooLong(at+".component.placeholder", maxPlaceholder)
	}
}

// Form is a form as its person sees it.
type Form struct {
	ID, Title string
	Fields    []Field
}

// Field is a text field of a form.
type Field struct {
	ID, Label, Value, Placeholder string
	Paragraph, Required           bool
	Min, Max                      int // characters
}

// inputs are the text inputs with the labels that they show.
func (m *modal) inputs() []modalInput {
	var all []modalInput
	for _, part := range m.Components {
		if part.Component != nil {
			in := *part.Component
			in.Label = part.Label
			all = append(all, in)
		}
		all = append(all, part.Components...)
	}
	return all
}

func (m *modal) shown() *Form {
	f := &Form{ID: m.CustomID, Title: m.Title}
	for _, in := range m.inputs() {
		field := Field{
			ID: in.CustomID, Label: in.Label, Value: in.Value, Placeholder: in.Placeholder, Paragraph: in.Style == 2,
			Required: in.Required == nil || *in.Required, Max: maxInputText,
		}
		if in.MinLength != nil {
			field.Min = *in.MinLength
		}
		if in.MaxLength != nil {
			field.Max = *in.MaxLength
		}
		f.Fields = append(f.Fields, field)
	}
	return f
}

// fill is what is sent of a form; the client refuses what is too short or too long.
func (m *modal) fill(values map[string]string) ([]any, error) {
	fields := m.shown().Fields
	for id := range values {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.ID == id }) {
			return nil, fmt.Errorf("the form has no field %q", id)
		}
	}
	for _, f := range fields {
		v, given := values[f.ID]
		if !given {
			v = f.Value
		}
		if n := length(v); n > f.Max || n < f.Min && (n > 0 || f.Required) || n == 0 && f.Required {
			return nil, fmt.Errorf("field %q takes %d to %d characters (required: %t), not %d", f.ID, f.Min, f.Max, f.Required, n)
		}
	}
	next := 0
	id := func() int { next++; return next }
	filled := func(in modalInput) map[string]any {
		v, given := values[in.CustomID]
		if !given {
			v = in.Value
		}
		return map[string]any{"type": componentInput, "id": id(), "custom_id": in.CustomID, "value": v}
	}
	out := []any{}
	for _, part := range m.Components {
		o := map[string]any{"type": part.Type, "id": id()}
		switch part.Type {
		case componentLabel:
			o["component"] = filled(*part.Component)
		case componentRow:
			o["components"] = []any{filled(part.Components[0])}
		}
		out = append(out, o)
	}
	return out, nil
}
