package gallery

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed answers/*.md
var sources embed.FS

// answer is one of the ten.
type answer struct {
	file, title string
	about       string // one line of Markdown
	long        bool   // pictures and source are abridged
	grows       bool   // cut marks where it stops for a moment while it comes
}

// cut marks, in the source of an answer that grows, where a state of it ends.
const cut = "✂"

var answers = []answer{
	{
		file: "01-lists.md", title: "Headings and nested lists",
		about: "Four levels of headings, lists in lists, a paragraph in an item, a rule.",
	},
	{
		file: "02-table.md", title: "Tables in Vietnamese, Chinese and emoji",
		about: "Columns must line up although characters are one or two columns wide.",
	},
	{
		file: "03-code.md", title: "Code",
		about: "Fences with their language, in lists and in each other; nothing in code is markup.",
	},
	{
		file: "04-links.md", title: "Links",
		about: "Links with labels, by reference, bare, in brackets, and those that a chat cannot open.",
	},
	{
		file: "05-quotes.md", title: "Quotations and task lists",
		about: "Quotations in quotations, lists in quotations, ticked and open boxes.",
	},
	{
		file: "06-math.md", title: "Formulas and footnotes",
		about: "No chat sets formulas, so their TeX stays readable; prices are no formulas.",
	},
	{
		file: "07-long.md", title: "A long answer", long: true,
		about: "It goes over to the next message at the border of blocks: tables get their head again, lists keep their numbers, fences their language.",
	},
	{
		file: "08-html.md", title: "HTML and images",
		about: "Tags that mean something become what they mean, other tags and comments go, and what is no HTML is text.",
	},
	{
		file: "09-special.md", title: "Special characters and mentions",
		about: "What looks like markup of the platform or like a mention is text, and reaches nobody.",
	},
	{
		file: "10-growing.md", title: "An answer that is still being written", grows: true,
		about: "The message at some moments (" + cut + " in the source). What is open is closed or held back, and what was shown stays.",
	},
}

func (a answer) source() (string, error) {
	raw, err := sources.ReadFile("answers/" + a.file)
	if err != nil {
		return "", fmt.Errorf("read an answer: %w", err)
	}
	return string(raw), nil
}

// states are what has come of the answer, moment by moment, the whole of it last.
func (a answer) states() ([]string, error) {
	whole, err := a.source()
	if err != nil || !a.grows {
		return []string{whole}, err
	}
	pieces := strings.Split(whole, cut)
	states := make([]string, 0, len(pieces))
	for i := range pieces {
		states = append(states, strings.Join(pieces[:i+1], ""))
	}
	return states, nil
}
