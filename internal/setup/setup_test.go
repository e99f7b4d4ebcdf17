package setup_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joho/godotenv"

	"github.com/clickai/bridge/internal/setup"
)

func TestAsk(t *testing.T) {
	var out bytes.Buffer
	a := setup.NewAsker(strings.NewReader("  one \n\nthree\nmaybe\nYES\n\nlast"), &out)
	ctx := t.Context()
	for i, want := range []string{"one", "default", "three"} {
		got, err := a.Ask(ctx, "What", "default")
		if err != nil || got != want {
			t.Errorf("answer %d is %q, %v, want %q", i, got, err, want)
		}
	}
	for _, want := range []bool{true, false} {
		if got, err := a.Yes(ctx, "Really?"); err != nil || got != want {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	if got, err := a.Secret(ctx, "Key"); err != nil || got != "last" {
		t.Errorf("the last answer, without a line's end, is %q, %v", got, err)
	}
	if _, err := a.Ask(ctx, "More", ""); !errors.Is(err, setup.ErrNoAnswer) || !strings.Contains(err.Error(), "More") {
		t.Errorf("after the end: %v", err)
	}
	for _, want := range []string{"What [default]: ", "Really? [y/N]: ", "Answer y or n.\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %q", want, out.String())
		}
	}
	if strings.Contains(out.String(), "last") {
		t.Errorf("an answer is shown: %q", out.String())
	}
}

func TestAskTooLong(t *testing.T) {
	a := setup.NewAsker(strings.NewReader(strings.Repeat("x", 1<<20)), io.Discard)
	if _, err := a.Ask(t.Context(), "What", ""); err == nil {
		t.Error("no error")
	}
}

func TestAskEndsWithContext(t *testing.T) {
	in, typed := io.Pipe()
	defer func() { _ = typed.Close() }()
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := setup.NewAsker(in, io.Discard).Ask(ctx, "What", ""); !errors.Is(err, gone) {
		t.Errorf("error %v", err)
	}
}

func TestCompose(t *testing.T) {
	odd := `#a b"c\d$e${f}`
	text, secrets, err := setup.Compose(setup.Answers{
		BaseURL: "https://api.example.org/${x}", Mode: "workflow", APIKey: odd, QueryInput: `in"put`,
		Bots: []setup.Bot{{Name: "one", Platform: "test", Keys: []setup.Key{
			{Name: "token", Value: "t-1", Env: "ONE_TOKEN"}, {Name: "api_url", Value: "https://example.org"}, {Name: "empty", Env: "ONE_EMPTY"},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`base_url: "https://api.example.org/$${x}"`, `query_input: "in\"put"`, `token: "${ONE_TOKEN}"`, `api_url: "https://example.org"`, `empty: ""`,
	} {
		if !strings.Contains(text, want+"\n") && !strings.Contains(text, want+" #") {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	set, err := godotenv.Unmarshal(secrets)
	if err != nil || set["CLICKAI_API_KEY"] != odd || set["ONE_TOKEN"] != "t-1" || len(set) != 2 {
		t.Errorf("read as %q, %v from\n%s", set, err, secrets)
	}
	for _, bad := range []string{"a'b", "a\nB=c", "a\x00"} {
		if _, _, err := setup.Compose(setup.Answers{APIKey: bad}); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWrite(t *testing.T) {
	refusal := errors.New("refused")
	tests := []struct {
		name  string
		there map[string]string
		check func(path string) error
		err   error
		want  map[string]string
	}{
		{"both", nil, func(path string) error {
			env, err := os.ReadFile(setup.EnvFile(path))
			if string(env) != "A=1" {
				return errors.Join(errors.New("no .env beside it"), err)
			}
			return nil
		}, nil, map[string]string{"c.yaml": "text", ".env": "A=1"}},
		{"refused", nil, func(string) error { return refusal }, refusal, nil},
		{"a configuration came meanwhile", map[string]string{"c.yaml": "mine"}, nil, fs.ErrExist, map[string]string{"c.yaml": "mine"}},
		{"secrets came meanwhile", map[string]string{".env": "mine"}, nil, fs.ErrExist, map[string]string{".env": "mine"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "c.yaml")
			if err := setup.Free(path); err != nil {
				t.Fatal(err)
			}
			err := setup.Write(path, "text", "A=1", func(draft string) error {
				for name, text := range tt.there {
					if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if tt.check != nil {
					return tt.check(draft)
				}
				return nil
			})
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != len(tt.want) {
				t.Errorf("the folder holds %v, %v", entries, err)
			}
			for name, want := range tt.want {
				if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
					t.Errorf("%s holds %q, %v", name, got, err)
				}
			}
			if len(tt.want) > 0 && !errors.Is(setup.Free(path), fs.ErrExist) {
				t.Error("what is there counts as free")
			}
		})
	}
}

func TestFree(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"nowhere/c.yaml", "file/c.yaml", ".env", "link.yaml"} {
		if err := setup.Free(filepath.Join(dir, bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
