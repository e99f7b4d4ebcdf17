package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shown are the command lines of a document's blocks.
func shown(d *document) [][]string {
	var all [][]string
	for _, b := range d.blocks {
		if b.language == "sh" || b.language == "shell" || b.language == "bash" || b.language == "console" {
			all = append(all, commandLines(b.code)...)
		}
	}
	return all
}

// TestCommandsExist wants each command that a document shows, with its flags.
func TestCommandsExist(t *testing.T) {
	t.Parallel()
	targets := makeTargets(t)
	for _, name := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, name)
			for _, c := range shown(d) {
				if args, ok := ofBridge(c); ok {
					if why := wrongUse(t, args); why != "" {
						t.Errorf("%s: %s", strings.Join(c, " "), why)
					}
					continue
				}
				checkOther(t, c, targets)
			}
			for _, span := range d.spans {
				for _, args := range inLine(span) {
					if why := wrongUse(t, args); why != "" {
						t.Errorf("`%s`: %s", span, why)
					}
				}
				if c := strings.Fields(span); len(c) > 1 && c[0] == "make" && allTargets.MatchString(span) {
					checkOther(t, c, targets)
				}
			}
		})
	}
}

// allTargets is a call of make, rather than a sentence that begins so.
var allTargets = regexp.MustCompile(`^make( [a-z][a-z-]*)?( [A-Z]+=\S+)*$`)

// inLine are the program's arguments in code of a line, where [x] may be left out and x|y is one of both; none if it is not
// the program's.
func inLine(span string) [][]string {
	words := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(span))
	if len(words) < 2 {
		return nil
	}
	if _, ok := ofBridge(words); !ok {
		return nil
	}
	args, _ := ofBridge(words)
	all := [][]string{nil}
	for _, w := range args {
		var longer [][]string
		for one := range strings.SplitSeq(w, "|") {
			for _, before := range all {
				longer = append(longer, append(slices.Clone(before), one))
			}
		}
		all = longer
	}
	return all
}

// checkOther looks at commands of others: targets of make, and files of the repository.
func checkOther(t *testing.T, c []string, targets []string) {
	t.Helper()
	for _, w := range c[1:] {
		switch {
		case c[0] == "make" && !strings.Contains(w, "=") && !slices.Contains(targets, w):
			t.Errorf("%s: there is no target %q", strings.Join(c, " "), w)
		case c[0] == "go" && strings.HasPrefix(w, "./") && w != "./..." && !exists(w):
			t.Errorf("%s: there is no package %s", strings.Join(c, " "), w)
		case regexp.MustCompile(`^(deploy|scripts|docs)/`).MatchString(w) && !exists(w):
			t.Errorf("%s: there is no file %s", strings.Join(c, " "), w)
		}
	}
}

func makeTargets(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		all = append(all, m[1])
	}
	return all
}

// safe tells whether a command needs no account and changes nothing.
func safe(args []string) bool {
	line := strings.Join(args, " ")
	return args[0] == "version" || args[0] == "completion" || line == "config schema" || line == "demo --tour" ||
		args[0] == "check" && slices.Contains(args, "--offline") ||
		args[0] == "init" && slices.Contains(args, "--slack-manifest")
}

// TestSafeCommandsRun runs what documents show and can be run anywhere.
func TestSafeCommandsRun(t *testing.T) {
	t.Parallel()
	done := map[string]bool{}
	for _, name := range documents(t) {
		for _, c := range shown(open(t, name)) {
			args, ok := ofBridge(c)
			if !ok || len(args) == 0 || !safe(args) || wrongUse(t, args) != "" || done[strings.Join(args, " ")] {
				continue
			}
			done[strings.Join(args, " ")] = true
			t.Run(strings.Join(args, " "), func(t *testing.T) {
				t.Parallel()
				dir := exampleFolder(t)
				// Wherever a reader's configuration is, here it is the example.
				for i, a := range args {
					if i > 0 && args[i-1] == "--config" {
						args[i] = filepath.Join(dir, filepath.Base(a))
					}
				}
				if r := run(t, dir, nil, args...); r.code != 0 || r.out == "" {
					t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
				}
			})
		}
	}
	for _, want := range []string{"demo --tour", "config schema", "version"} {
		if !done[want] {
			t.Errorf("no document shows `bridge %s`", want)
		}
	}
}

// exampleEnv are values of the form that the example's variables have.
var exampleEnv = []string{
	"CLICKAI_SUPPORT_KEY=app-1", "SLACK_BOT_TOKEN=xoxb-1", "SLACK_APP_TOKEN=xapp-1", "DISCORD_TOKEN=d-1",
	"TELEGRAM_TOKEN=123456789:abcdefghijklmnopqrstuvwxyz",
}

// exampleFolder is a folder with the example as config.yaml, and .env beside it.
func exampleFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"config.yaml": read(t, "config.example.yaml"), ".env": strings.Join(exampleEnv, "\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
