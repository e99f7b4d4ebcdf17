package core_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
)

type forXML struct{ Token core.Secret }

// TestSecretIsNeverShown prints one in every way that a program prints things, and looks for it plain and in hexadecimal.
func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	const value = "planted-credential-0815"
	secret := core.Secret(value)
	type holder struct {
		Token core.Secret
		Ptr   *core.Secret
		List  []core.Secret
		ByKey map[string]core.Secret
		Any   any
	}
	held := holder{secret, &secret, []core.Secret{secret}, map[string]core.Secret{"a": secret}, secret}
	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%#q", "%x", "%X", "% x", "%d", "%t", "%c", "%U", "%e", "%g", "%b", "%o", "%-40v", "%.3s"} {
		for name, v := range map[string]any{"alone": secret, "held": held, "by pointer": &held, "in a list": []any{secret, held}} {
			shown["fmt "+verb+" "+name] = fmt.Sprintf(verb, v)
		}
	}
	shown["fmt: too many"] = fmt.Sprintf("text"+"%s", append([]any{"x"}, secret)...)
	shown["Sprint"] = fmt.Sprint(secret, held)
	shown["Reveal aside, String"] = secret.String() + secret.GoString()
	shown["error"] = errors.Join(fmt.Errorf("call with %v: %w", secret, &core.Error{Op: "x", Err: fmt.Errorf("token %s", secret)})).Error()
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "xml": xml.Marshal} {
		v := any(held)
		if name == "xml" {
			v = forXML{secret} // it knows no maps
		}
		raw, err := marshal(v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		shown[name] = string(raw)
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		log := slog.New(handler(&b)).With(slog.Any("with", secret))
		log.Info("x", slog.Any("alone", secret), slog.Any("held", held), slog.Any("pointer", &held), slog.Any("list", []core.Secret{secret}),
			slog.Group("group", slog.Any("in", secret)), slog.Any("err", fmt.Errorf("x %s", secret)))
		shown[name] = b.String()
	}
	for name, text := range shown {
		for _, form := range []string{value, value[:7], hex.EncodeToString([]byte(value))[:14]} {
			if strings.Contains(strings.ToLower(strings.ReplaceAll(text, " ", "")), form) {
				t.Errorf("%s shows it: %s", name, text)
			}
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %d", secret, secret, secret, secret, secret); got != strings.TrimSpace(strings.Repeat("[redacted] ", 5)) {
		t.Errorf("it prints as %s", got)
	}
	if secret.Reveal() != value || fmt.Sprint(core.Secret("")) != "" {
		t.Error("Reveal, or an empty one, is not what it was")
	}
}
