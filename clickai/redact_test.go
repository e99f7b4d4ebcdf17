package clickai_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/clickai/bridge/clickai"
)

// TestKeysAreNotPrinted prints configurations and clients in every way that a program prints things.
func TestKeysAreNotPrinted(t *testing.T) {
	t.Parallel()
	const key = "planted-key-0815"
	cfg, console := clickai.Config{APIKey: key}, clickai.ConsoleConfig{AccessToken: key}
	client, err := clickai.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	studio, err := clickai.NewConsole(console)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{
		"config": cfg, "config pointer": &cfg, "console config": console, "console config pointer": &console,
		"client": client, "console": studio, "list": []any{cfg, console, client, studio},
	} {
		var shown strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t"} {
			fmt.Fprintf(&shown, verb, v)
		}
		raw, err := json.Marshal(v)
		if err == nil { // a function in a configuration cannot be encoded, which shows nothing either
			shown.Write(raw)
		}
		for _, handler := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var b bytes.Buffer
			slog.New(handler(&b)).Info("x", slog.Any("v", v))
			shown.Write(b.Bytes())
		}
		if strings.Contains(shown.String(), key) {
			t.Errorf("%s shows the key: %s", name, shown.String())
		}
	}
}
