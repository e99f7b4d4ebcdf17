package discord_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/discord"
)

// TestBotIsPrintedWithoutCredentials prints a bot and its configuration in the ways that a program prints things.
func TestBotIsPrintedWithoutCredentials(t *testing.T) {
	t.Parallel()
	cfg := discord.Config{Token: "planted0815", APIURL: discord.DefaultAPIURL}
	p, err := discord.New("acme", cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%t"} {
		for _, v := range []any{p, []any{p}, cfg, &cfg} {
			fmt.Fprintf(&shown, verb+"\n", v)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&shown, nil), slog.NewJSONHandler(&shown, nil)} {
		slog.New(h).Info("x", slog.Any("bot", p), slog.Any("config", cfg), slog.Any("pointer", &cfg))
	}
	if strings.Contains(shown.String(), "planted0815") {
		t.Errorf("credentials are shown: %s", shown.String())
	}
	if !strings.Contains(shown.String(), "discord(acme)") {
		t.Errorf("the bot is printed as %.200s", shown.String())
	}
}
