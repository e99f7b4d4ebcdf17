package config_test

import (
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
)

func TestSame(t *testing.T) {
	bot := func(change func(*config.Bot)) config.Bot {
		b := config.Bot{BotSettings: core.DefaultBotSettings(), Settings: &discordSettings{Token: "secret"}}
		change(&b)
		return b
	}
	plain := bot(func(*config.Bot) {})
	tests := []struct {
		name string
		a, b any
		want bool
	}{
		{"equal", plain, bot(func(*config.Bot) {}), true},
		{"an empty list and none", plain, bot(func(b *config.Bot) { b.Allow.Rooms = []string{} }), true},
		{"another list", plain, bot(func(b *config.Bot) { b.Allow.Rooms = []string{"a"} }), false},
		{"another order", bot(func(b *config.Bot) { b.Admins = []string{"a", "b"} }), bot(func(b *config.Bot) { b.Admins = []string{"b", "a"} }), false},
		{"another secret of the platform", plain, bot(func(b *config.Bot) { b.Settings = &discordSettings{Token: "other"} }), false},
		{"another platform", plain, bot(func(b *config.Bot) { b.Settings = nil }), false},
		{"another route", plain, bot(func(b *config.Bot) { b.Routes = []core.Route{{Rooms: []string{"a"}, App: "x"}} }), false},
		{"another number", plain, bot(func(b *config.Bot) { b.ThreadContext++ }), false},
		{"another key of an app", config.App{APIKey: "a"}, config.App{APIKey: "b"}, false},
		{"inputs", config.App{Inputs: map[string]any{"a": int64(1), "b": []any{"x"}}}, config.App{Inputs: map[string]any{"b": []any{"x"}, "a": int64(1)}}, true},
		{"another type of input", config.App{Inputs: map[string]any{"a": int64(1)}}, config.App{Inputs: map[string]any{"a": "1"}}, false},
		{"another name of an input", config.App{Inputs: map[string]any{"a": nil}}, config.App{Inputs: map[string]any{"b": nil}}, false},
		{"an input without a value", config.App{Inputs: map[string]any{"a": nil}}, config.App{Inputs: map[string]any{"a": nil}}, true},
		{"no inputs", config.App{Inputs: map[string]any{}}, config.App{}, true},
		{"other types", config.App{}, config.Log{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if config.Same(tt.a, tt.b) != tt.want || config.Same(tt.b, tt.a) != tt.want {
				t.Errorf("Same(%+v, %+v) is not %v", tt.a, tt.b, tt.want)
			}
		})
	}
}
