package discord

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Component types. Source: https://docs.discord.com/developers/components/reference#component-object-component-types
const (
	componentRow       = 1
	componentButton    = 2
	componentString    = 3
	componentUser      = 5
	componentRole      = 6
	componentMention   = 7
	componentChannels  = 8
	componentSection   = 9
	componentText      = 10
	componentThumbnail = 11
	componentGallery   = 12
	componentFile      = 13
	componentSeparator = 14
	componentContainer = 17
)

// Limits of components. Source: https://docs.discord.com/developers/components/reference
const (
	maxRows        = 5
	maxButtons     = 5
	maxCustomID    = 100
	maxLabel       = 80
	maxComponents  = 40   // v2, nested ones included
	maxTextV2      = 4000 // v2, all text displays together
	buttonLink     = 5
	buttonPremium  = 6
	maxSelectItems = 25
)

type component struct {
	Type       int             `json:"type"`
	CustomID   string          `json:"custom_id"`
	Label      string          `json:"label"`
	Style      int             `json:"style"`
	URL        string          `json:"url"`
	Content    string          `json:"content"`
	Disabled   bool            `json:"disabled"`
	Emoji      json.RawMessage `json:"emoji"`
	Options    []selectOption  `json:"options"`
	Components []component     `json:"components"`
	Accessory  *component      `json:"accessory"`
}

type selectOption struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

func walkComponents(list []component, visit func(*component)) {
	for i := range list {
		c := &list[i]
		visit(c)
		walkComponents(c.Components, visit)
		if c.Accessory != nil {
			visit(c.Accessory)
		}
	}
}

func (c *component) isSelect() bool {
	return c.Type == componentString || (c.Type >= componentUser && c.Type <= componentChannels)
}

func checkComponents(f form, list []component, v2 bool) {
	if !v2 && len(list) > maxRows {
		f.tooLong("components", maxRows)
	}
	seen := map[string]bool{}
	count, text := 0, 0
	walkComponents(list, func(c *component) {
		count++
		if c.Type == componentText {
			text += length(c.Content)
		}
		if c.CustomID != "" && seen[c.CustomID] {
			f.add("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
		}
		seen[c.CustomID] = true
	})
	if v2 && count > maxComponents {
		f.add("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", fmt.Sprintf("The total number of components cannot exceed %d", maxComponents))
	}
	if v2 && text > maxTextV2 {
		f.add("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", fmt.Sprintf("The total displayable text size cannot exceed %d", maxTextV2))
	}
	for i := range list {
		checkTop(f, "components."+strconv.Itoa(i), &list[i], v2)
	}
}

func checkTop(f form, at string, c *component, v2 bool) {
	allowed := []int{componentRow}
	if v2 {
		allowed = []int{
			componentRow, componentSection, componentText, componentGallery, componentFile, componentSeparator, componentContainer,
		}
	}
	if !oneOf(f, at, c, allowed) {
		return
	}
	switch c.Type {
	case componentRow:
		checkRow(f, at, c)
	case componentSection:
		checkSection(f, at, c)
	case componentText:
		if c.Content == "" {
			f.required(at + ".content")
		}
	case componentContainer:
		for i := range c.Components {
			at := fmt.Sprintf("%s.components.%d", at, i)
			if c.Components[i].Type == componentContainer {
				oneOf(f, at, &c.Components[i], allowed[:len(allowed)-1])
				continue
			}
			checkTop(f, at, &c.Components[i], true)
		}
	}
}

func oneOf(f form, at string, c *component, allowed []int) bool {
	names := make([]string, 0, len(allowed))
	for _, t := range allowed {
		if t == c.Type {
			return true
		}
		names = append(names, strconv.Itoa(t))
	}
	f.add(at+".type", "UNION_TYPE_CHOICES", fmt.Sprintf("Value of field \"type\" must be one of (%s,).", strings.Join(names, ", ")))
	return false
}

func checkRow(f form, at string, row *component) {
	if len(row.Components) == 0 || len(row.Components) > maxButtons {
		f.badLength(at+".components", 1, maxButtons)
	}
	for i := range row.Components {
		c := &row.Components[i]
		at := fmt.Sprintf("%s.components.%d", at, i)
		switch {
		case c.Type == componentButton:
			checkButton(f, at, c)
		case c.isSelect():
			checkCustomID(f, at, c)
			if len(row.Components) > 1 {
				f.add(at, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
			}
			if c.Type == componentString && (len(c.Options) == 0 || len(c.Options) > maxSelectItems) {
				f.badLength(at+".options", 1, maxSelectItems)
			}
		default:
			oneOf(f, at, c, []int{componentButton, componentString, componentUser, componentRole, componentMention, componentChannels})
		}
	}
}

func checkSection(f form, at string, c *component) {
	if len(c.Components) < 1 || len(c.Components) > 3 {
		f.badLength(at+".components", 1, 3)
	}
	for i := range c.Components {
		oneOf(f, fmt.Sprintf("%s.components.%d", at, i), &c.Components[i], []int{componentText})
	}
	if c.Accessory == nil {
		f.required(at + ".accessory")
	} else if oneOf(f, at+".accessory", c.Accessory, []int{componentButton, componentThumbnail}) && c.Accessory.Type == componentButton {
		checkButton(f, at+".accessory", c.Accessory)
	}
}

func checkButton(f form, at string, c *component) {
	if length(c.Label) > maxLabel {
		f.tooLong(at+".label", maxLabel)
	}
	switch {
	case c.Style < 1 || c.Style > buttonPremium:
		f.add(at+".style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6).")
	case c.Style == buttonPremium:
	case c.Style == buttonLink:
		if c.URL == "" {
			f.required(at + ".url")
		}
		if c.CustomID != "" {
			f.add(at, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A custom id and url cannot both be specified")
		}
	default:
		checkCustomID(f, at, c)
	}
	if c.Style != buttonPremium && c.Label == "" && (len(c.Emoji) == 0 || string(c.Emoji) == "null") {
		f.add(at, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A label or an emoji is required")
	}
}

func checkCustomID(f form, at string, c *component) {
	switch {
	case c.CustomID == "":
		f.add(at, "COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required")
	case length(c.CustomID) > maxCustomID:
		f.tooLong(at+".custom_id", maxCustomID)
	}
}
