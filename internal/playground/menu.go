package playground

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// command is one that the platform offers as soon as a person types a slash.
type command struct {
	Name string `json:"name"` // as it is typed, with the slash
	Does string `json:"does"`
	Arg  string `json:"arg,omitempty"`
}

// form is a window that asks a person for a text.
type form struct {
	ID    string `json:"id"`
	User  string `json:"user"`
	Title string `json:"title"`
	Label string `json:"label"`
	Value string `json:"value,omitempty"`
	field string
}

// hint is a line that one person sees for a moment.
type hint struct {
	ID    string `json:"id"`
	User  string `json:"user"`
	Text  string `json:"text"`
	Alert bool   `json:"alert"`
}

// hintFor is how long a hint shows.
const hintFor = 10 * time.Second

// slackCommands: Slack offers what an app's own configuration lists, which is the one command of the bridge's manifest.
func slackCommands() []command {
	return []command{{Name: "/clickai", Does: "help, new, stop, retry …", Arg: "help"}}
}

// discordCommand makes a person use a slash command; what follows its name goes into its first option.
func discordCommand(s *discord.Server) func(context.Context, place, string) error {
	return func(ctx context.Context, at place, line string) error {
		name, rest := cutWord(line[1:])
		var options map[string]any
		for _, o := range s.Offers(at.Room, at.Thread, "en-US") {
			if o.Name == name && rest != "" && len(o.Options) > 0 {
				options = map[string]any{o.Options[0].Name: rest}
			}
		}
		if rest != "" && options == nil {
			return fmt.Errorf("/%s takes nothing after it here", name)
		}
		_, err := s.Command(ctx, at.Room, at.Thread, at.User, name, options)
		return err
	}
}

func discordCommands(s *discord.Server, people []Person) func() []command {
	return func() []command {
		var out []command
		// All rooms of the server offer the same; a direct chat stands for them.
		if len(people) == 0 {
			return nil
		}
		for _, o := range s.Offers(people[0].DM, "", "en-US") {
			c := command{Name: "/" + o.Name, Does: o.Description}
			if len(o.Options) > 0 {
				c.Arg = o.Options[0].Name
			}
			out = append(out, c)
		}
		return out
	}
}

func telegramCommands(s *telegram.Server, people []Person) func() []command {
	return func() []command {
		if len(people) == 0 {
			return nil
		}
		var out []command
		for _, c := range s.Menu(people[0].DM, people[0].ID, "en") {
			out = append(out, command{Name: "/" + c.Command, Does: c.Description})
		}
		return out
	}
}

func slackForms(s *slack.Server) func() []form {
	return func() []form {
		var out []form
		for _, v := range s.Views() {
			if v.Open {
				out = append(out, form{ID: v.ID, User: v.User, Title: v.Title, Label: v.Label, Value: slackInitial(v.JSON)})
			}
		}
		return out
	}
}

// slackInitial is what stands in the first field of a view from the start:
// https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
func slackInitial(view []byte) string {
	var v struct {
		Blocks []struct {
			Element struct {
				Initial string `json:"initial_value"`
			} `json:"element"`
		} `json:"blocks"`
	}
	if json.Unmarshal(view, &v) != nil {
		return ""
	}
	for _, b := range v.Blocks {
		if b.Element.Initial != "" {
			return b.Element.Initial
		}
	}
	return ""
}

func slackForm(s *slack.Server) func(context.Context, form, string, bool) error {
	return func(ctx context.Context, f form, text string, send bool) error {
		if !send {
			return s.CloseView(f.ID)
		}
		return s.Submit(ctx, f.ID, text)
	}
}

func discordForms(s *discord.Server, people []Person) func() []form {
	return func() []form {
		var out []form
		for _, x := range s.Places() {
			for _, who := range people {
				for _, i := range s.Interactions(x.Room, x.Thread, who.ID) {
					if i.Form == nil {
						continue
					}
					f := form{ID: i.ID, User: who.ID, Title: i.Form.Title}
					if len(i.Form.Fields) > 0 {
						f.Label, f.Value, f.field = i.Form.Fields[0].Label, i.Form.Fields[0].Value, i.Form.Fields[0].ID
					}
					out = append(out, f)
				}
			}
		}
		return out
	}
}

func discordForm(s *discord.Server) func(context.Context, form, string, bool) error {
	return func(ctx context.Context, f form, text string, send bool) error {
		if !send {
			return s.CloseForm(f.ID)
		}
		_, err := s.SendForm(ctx, f.ID, map[string]string{f.field: text})
		return err
	}
}

// telegramHints are the answers to presses: https://core.telegram.org/bots/api#answercallbackquery
func telegramHints(s *telegram.Server) func() []hint {
	return func() []hint {
		var out []hint
		for _, p := range s.Presses() {
			if p.Answered && p.Text != "" && time.Since(p.When) < hintFor {
				out = append(out, hint{ID: p.ID, User: p.User, Text: p.Text, Alert: p.Alert})
			}
		}
		return out
	}
}

var errNoForm = errors.New("the form is closed")

// form sends or closes a form.
func (s *Server) form(ctx context.Context, a *act) (any, error) {
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	if a.p.forms == nil {
		return nil, errNoForm
	}
	for _, f := range a.p.forms() {
		if f.ID == a.ID && f.User == a.User {
			return nil, a.p.form(ctx, f, a.Text, a.On)
		}
	}
	return nil, errNoForm
}

// cutWord cuts a line after its first word.
func cutWord(line string) (word, rest string) {
	word, rest, _ = strings.Cut(strings.TrimSpace(line), " ")
	return word, strings.TrimSpace(rest)
}
