// Command secrets reads the output of `go test -json -v` and searches all that the tests said, passing ones included, for
// the credentials that the stand-ins hand out. It prints what `go test` without -v would print, and exits 1 when it finds one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

const (
	maxLine  = 4 << 20 // of test2json, in bytes
	maxKept  = 1 << 20 // of a test's output, in bytes; the rest is searched and not shown
	maxFinds = 20      // that are shown
)

// event is a line of test2json. Source: https://pkg.go.dev/cmd/test2json
type event struct {
	Action, Package, ImportPath, Test, Output string
}

func main() {
	found, err := search(os.Stdin, os.Stdout, credentials())
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "search the tests' output:", err)
		os.Exit(1)
	case found > 0:
		fmt.Fprintf(os.Stderr, "credentials stand in the tests' output, %d times\n", found)
		os.Exit(1)
	}
}

// credentials are those of the stand-ins by name.
func credentials() map[string]string {
	all := map[string]string{
		"Slack's bot token": slack.DefaultBotToken, "Slack's app token": slack.DefaultAppToken,
		"Slack's signing secret": slack.DefaultSigningSecret, "Discord's token": discord.DefaultToken,
		"Telegram's token": telegram.DefaultToken, "ClickAI's access token": clickai.DefaultAccessToken,
	}
	for _, a := range clickai.DefaultApps() {
		all["ClickAI's key of "+a.Name] = a.Key
	}
	return all
}

// search passes on what is to be seen, and counts the lines with a credential.
func search(r io.Reader, w io.Writer, secrets map[string]string) (found int, err error) {
	kept := map[string]*strings.Builder{} // output by test that has not ended
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			e = event{Action: "output", Output: lines.Text() + "\n"} // not of test2json: a broken build
		}
		for name, secret := range secrets {
			if strings.Contains(e.Output, secret) {
				if found++; found <= maxFinds {
					_, _ = fmt.Fprintf(w, "CREDENTIAL: %s, in %s %s: %.200s\n", name, e.Package, e.Test, strings.ReplaceAll(e.Output, secret, "[it]"))
				}
			}
		}
		show(w, kept, &e)
	}
	return found, lines.Err() //nolint:wrapcheck // the caller says of what
}

// show prints what belongs to a package or the build, and the output of a test once it has failed.
func show(w io.Writer, kept map[string]*strings.Builder, e *event) {
	key := e.Package + "\x00" + e.Test
	if e.Test == "" && e.Action == "fail" { // tests that a timeout or a panic cut off do not end themselves
		for k, b := range kept {
			if strings.HasPrefix(k, key) {
				_, _ = io.WriteString(w, b.String())
				delete(kept, k)
			}
		}
		return
	}
	switch {
	case e.Test == "" && (e.Action == "output" || e.Action == "build-output"):
		if e.Output != "PASS\n" {
			_, _ = io.WriteString(w, e.Output)
		}
	case e.Action == "output":
		if kept[key] == nil {
			kept[key] = &strings.Builder{}
		}
		if b := kept[key]; b.Len() < maxKept {
			b.WriteString(e.Output)
		}
	case e.Action == "fail" && kept[key] != nil:
		_, _ = io.WriteString(w, kept[key].String())
		delete(kept, key)
	case e.Action == "pass" || e.Action == "skip":
		delete(kept, key)
	}
}
