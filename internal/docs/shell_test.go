package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// commandLines splits shell text into the words of its commands, one list each. It knows quotes, comments, line ends and what joins
// commands; redirections are left out. That is all the shell that documents need.
func commandLines(code string) [][]string {
	var all [][]string
	for line := range strings.SplitSeq(strings.ReplaceAll(code, "\\\n", " "), "\n") {
		var command []string
		next := func() {
			if len(command) > 0 {
				all = append(all, command)
			}
			command = nil
		}
		skip := false
		for _, w := range splitWords(line) {
			switch {
			case skip:
				skip = false
			case slices.Contains([]string{"|", "||", "&&", ";", "&"}, w):
				next()
			case regexp.MustCompile(`^[0-9]?(>>?|<)$`).MatchString(w):
				skip = true
			default:
				command = append(command, w)
			}
		}
		next()
	}
	return all
}

// splitWords splits one line at blanks outside quotes, up to a comment.
func splitWords(line string) []string {
	var all []string
	var word strings.Builder
	var quote rune
	inside := false
	end := func() {
		if inside {
			all = append(all, word.String())
		}
		word.Reset()
		inside = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ' || r == '\t':
			end()
		case r == '#' && !inside:
			return all
		case r == ';':
			end()
			all = append(all, ";")
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	end()
	return all
}

// ofBridge are the arguments that a command gives to the program; ok is false when it is not the program that is run.
func ofBridge(command []string) (args []string, ok bool) {
	for len(command) > 0 && regexp.MustCompile(`^[A-Z_]+=`).MatchString(command[0]) {
		command = command[1:]
	}
	switch {
	case len(command) == 0:
		return nil, false
	case command[0] == "sudo":
		command = command[1:]
		if len(command) > 2 && command[0] == "-u" {
			command = command[2:]
		}
		return ofBridge(command)
	case command[0] == "kubectl":
		if i := slices.Index(command, "--"); i > 0 {
			return ofBridge(command[i+1:])
		}
		return nil, false
	case len(command) > 2 && command[0] == "docker" && command[1] == "compose":
		return ofCompose(command[2:])
	case len(command) > 2 && command[0] == "go" && command[1] == "run" && command[2] == "./cmd/bridge":
		return command[3:], true
	}
	if name := command[0]; name == "bridge" || name == "./bridge" || name == "/usr/local/bin/bridge" {
		return command[1:], true
	}
	return nil, false
}

// ofCompose is the same for what follows `docker compose`: exec runs a command in the service, run gives the service's own
// program arguments.
func ofCompose(command []string) ([]string, bool) {
	verb, rest := command[0], command[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		rest = rest[1:]
	}
	if len(rest) < 2 || rest[0] != "bridge" {
		return nil, false
	}
	switch verb {
	case "exec":
		return ofBridge(rest[1:])
	case "run":
		return rest[1:], true
	}
	return nil, false
}

func TestCommandLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, code string
		want       [][]string // the program's arguments
	}{
		{"plain", "bridge run --config x.yaml # goes on\n", [][]string{{"run", "--config", "x.yaml"}}},
		{"go run", "go run ./cmd/bridge demo --tour", [][]string{{"demo", "--tour"}}},
		{"over two lines", "./bridge explain \\\n  --text 'how are you'", [][]string{{"explain", "--text", "how are you"}}},
		{"joined", "cd x && sudo -u bridge bridge version; bridge check", [][]string{{"version"}, {"check"}}},
		{"redirected", "bridge config schema > schema.json", [][]string{{"config", "schema"}}},
		{"piped", "bridge feedback export | head", [][]string{{"feedback", "export"}}},
		{"with a variable", "CLICKAI_API_KEY=x bridge demo", [][]string{{"demo"}}},
		{"compose exec", "docker compose exec -T bridge bridge check", [][]string{{"check"}}},
		{"compose run", "docker compose run --rm bridge check --offline", [][]string{{"check", "--offline"}}},
		{"kubectl", "kubectl exec bridge-0 -- bridge check", [][]string{{"check"}}},
		{"others", "systemctl restart bridge\njournalctl -u bridge -f\ndocker compose logs -f bridge\nkubectl get pods\n# bridge run", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got [][]string
			for _, c := range commandLines(tt.code) {
				if args, ok := ofBridge(c); ok {
					got = append(got, args)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
		})
	}
}
