package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/clickai/bridge/core"
)

// Load reads the configuration at path, with the .env beside it and the environment env, which is [os.LookupEnv] in a
// program. kinds are the platforms that bots can be on.
//
// An *[Error] holds all that is wrong. Any other error means that the file could not be read; it wraps the cause, such as
// [os.ErrNotExist].
func Load(path string, kinds []core.PlatformKind, env func(string) (string, bool)) (*Config, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, fmt.Errorf("read configuration: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("read configuration: %s is a directory; name the file in it", path)
	}
	src, err := readFile(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", path, err)
	}
	dotenv, problem := readDotenv(filepath.Join(filepath.Dir(path), ".env"))
	return load(path, src, kinds, variables{env: env, dotenv: dotenv, dir: filepath.Dir(path)}, problem)
}

// load reads src. before is a problem that was found already.
func load(path string, src []byte, kinds []core.PlatformKind, vars variables, before *Problem) (*Config, error) {
	// YAML takes all three for a line's end; here the parser and we count lines alike.
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(src))
	w := &walker{
		file: path, lines: strings.Split(text, "\n"), variables: vars, kinds: kinds,
		seen: map[string]seen{}, failed: map[string]bool{},
	}
	if before != nil {
		w.add(*before)
	}
	t, problem := parse(path, text)
	if problem != nil {
		w.add(*problem)
		return nil, w.err()
	}
	w.anchors = t.anchors
	c := Default()
	root := reflect.ValueOf(&c).Elem()
	switch t.root.(type) {
	case nil, *ast.NullNode:
	case *ast.SequenceNode:
		w.fail("", start(t.root), "is a list where the configuration's keys are due", "begin with bots: or apps:")
		return nil, w.err()
	default:
		w.decode("", t.root, target{v: root})
	}
	if !w.failed[""] {
		w.validate(&c)
	}
	if err := w.err(); err != nil {
		return nil, err
	}
	return &c, nil
}
