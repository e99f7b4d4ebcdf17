package telegram_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestUpdates reads updates as the Bot API sends them (https://core.telegram.org/bots/api#update).
func TestUpdates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/updates/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			id, events := telegram.Events(raw)
			for i := range events {
				if events[i].Kind == core.KindPress { // Telegram does not tell when
					if time.Since(events[i].SentAt) > patience {
						t.Errorf("pressed at %s", events[i].SentAt)
					}
					events[i].SentAt = time.Unix(1785600000, 0).UTC()
				}
			}
			if id == 0 {
				t.Error("the update has no id")
			}
			got := asJSON(t, events) + "\n"
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil { //nolint:gosec // it is no secret
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			check(t, events)
		})
	}
}

// check holds what core asks of every event.
func check(t *testing.T, events []core.Event) {
	t.Helper()
	keys := map[string]bool{}
	for _, ev := range events {
		if ev.Key == "" || len(ev.Key) > 200 || keys[ev.Key] {
			t.Errorf("key %q of %+v", ev.Key, ev)
		}
		keys[ev.Key] = true
		if ev.Room.ID == "" || ev.MessageID == "" || ev.Sender.ID == "" || !strings.HasPrefix(ev.Sender.Key, "telegram:") {
			t.Errorf("event without its ids: %+v", ev)
		}
		if ev.Roots != "" || ev.Room.Direct && (ev.Room.Name != "" || ev.Kind != core.KindReaction && ev.Reach != core.ReachDirect) {
			t.Errorf("event = %+v", ev)
		}
		if (ev.Kind == core.KindCommand) != (ev.Command != nil) || (ev.Kind == core.KindPress) != (ev.Press != nil) || (ev.Press != nil) != (ev.Handle != "") {
			t.Errorf("event = %+v", ev)
		}
		if ev.Command != nil && (ev.Command.Name != strings.ToLower(ev.Command.Name) || ev.Reach != core.ReachDirect && ev.Reach != core.ReachMention || ev.Text != "") {
			t.Errorf("command = %+v of %+v", ev.Command, ev)
		}
		if ev.Press != nil && (ev.Press.ID == "" || len(ev.Press.ID) > core.MaxButtonID || !utf8.ValidString(ev.Press.Label)) {
			t.Errorf("press = %+v", ev.Press)
		}
		if !utf8.ValidString(ev.Text) {
			t.Errorf("text = %q", ev.Text)
		}
		for _, a := range ev.Attachments {
			if a.Ref == "" || a.Name == "" || a.Size < -1 {
				t.Errorf("attachment = %+v", a)
			}
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, entities string
		want                 string
		mentioned            bool
	}{
		{name: "none", text: "hi", entities: `null`, want: "hi"},
		{name: "mention first", text: "@acme_support_bot, hi", entities: `[{"type":"mention","offset":0,"length":17}]`, want: "hi", mentioned: true},
		{name: "mention last", text: "hi @acme_support_bot", entities: `[{"type":"mention","offset":3,"length":17}]`, want: "hi ", mentioned: true},
		{name: "mention in the middle", text: "hi @acme_support_bot how are you", entities: `[{"type":"mention","offset":3,"length":17}]`, want: "hi how are you", mentioned: true},
		{name: "mention behind a bracket", text: "(@acme_support_bot: hi)", entities: `[{"type":"mention","offset":1,"length":17}]`, want: "(: hi)", mentioned: true},
		{name: "mention twice", text: "@acme_support_bot @acme_support_bot hi", entities: `[{"type":"mention","offset":0,"length":17},{"type":"mention","offset":18,"length":17}]`, want: "hi", mentioned: true},
		{name: "mention in bold", text: "@acme_support_bot hi", entities: `[{"type":"bold","offset":0,"length":20},{"type":"mention","offset":0,"length":17}]`, want: "hi", mentioned: true},
		{name: "a longer name", text: "@acme_support_bot2 hi", entities: `[{"type":"mention","offset":0,"length":18}]`, want: "@acme_support_bot2 hi"},
		{name: "person without a user name", text: "Anna hi", entities: `[{"type":"text_mention","offset":0,"length":4,"user":{"id":9}}]`, want: "@Anna hi"},
		{name: "link that is its own address", text: "https://x.example", entities: `[{"type":"text_link","offset":0,"length":17,"url":"https://x.example/"}]`, want: "https://x.example"},
		{name: "code with a backtick", text: "a`b", entities: `[{"type":"code","offset":0,"length":3}]`, want: "``a`b``"},
		{name: "out of order", text: "a b", entities: `[{"type":"code","offset":2,"length":1},{"type":"code","offset":0,"length":1}]`, want: "`a` `b`"},
		{name: "broken offsets", text: "hi", entities: `[{"type":"code","offset":1,"length":9},{"type":"code","offset":-1,"length":1},{"type":"code","offset":9,"length":1},{"type":"code","offset":9223372036854775807,"length":9223372036854775807}]`, want: "hi"},
		{name: "within a pair", text: "👋", entities: `[{"type":"code","offset":1,"length":1}]`, want: "\ufffd`\ufffd`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, mentioned, err := telegram.Plain(tt.text, tt.entities)
			if err != nil || got != tt.want || mentioned != tt.mentioned {
				t.Errorf("plain = %q, %t, %v; want %q, %t", got, mentioned, err, tt.want, tt.mentioned)
			}
		})
	}
}

// FuzzUpdate: nothing that comes in makes the reader panic, and every event holds what core needs.
func FuzzUpdate(f *testing.F) {
	files, err := filepath.Glob("testdata/updates/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, events := telegram.Events(raw)
		check(t, events)
	})
}

// FuzzPlain: whatever the entities say, the text between them stays.
func FuzzPlain(f *testing.F) {
	f.Add("👋 @acme_support_bot hi", `[{"type":"mention","offset":3,"length":17}]`)
	f.Add("a b", `[{"type":"code","offset":2,"length":1},{"type":"pre","offset":0,"length":1,"language":"go"}]`)
	f.Add("x", `[{"type":"text_link","offset":0,"length":1,"url":"https://x"}]`)
	f.Fuzz(func(t *testing.T, text, entities string) {
		out, _, err := telegram.Plain(text, entities)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		if !utf8.ValidString(out) {
			t.Errorf("plain(%q, %s) = %q", text, entities, out)
		}
		var all []json.RawMessage
		_ = json.Unmarshal([]byte(entities), &all)
		if len(all) == 0 && out != text {
			t.Errorf("plain(%q) = %q", text, out)
		}
		if len(utf16.Encode([]rune(out))) > len(utf16.Encode([]rune(text)))+len(entities)+len(all)*(2*len(text)+20) {
			t.Errorf("plain(%q, %s) is much longer: %q", text, entities, out)
		}
	})
}
