package slack_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
)

func newDecoder(t testing.TB) slack.Decoder {
	t.Helper()
	return slack.NewDecoder(newBot(t, slack.Config{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: slack.DefaultAPIURL}))
}

// TestDecode compares the events of payloads as Slack sends them with golden files; "none" stands for no event.
func TestDecode(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d payloads, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			payload, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := []byte("none\n")
			if ev, ok := d.Payload(t.Context(), payload); ok {
				if got, err = json.MarshalIndent(ev, "", "  "); err != nil {
					t.Fatal(err)
				}
				got = append(got, '\n')
			}
			markdowntest.Golden(t, "events/"+strings.TrimSuffix(filepath.Base(file), ".json"), string(got))
		})
	}
}

// storable tells whether core can store an event.
func storable(ev core.Event) bool {
	needsMessage := ev.Kind != core.KindOpened && ev.Kind != core.KindCommand
	return ev.Key != "" && len(ev.Key) <= 200 && ev.Room.ID != "" && (ev.MessageID != "" || !needsMessage) && !ev.SentAt.IsZero()
}

// FuzzDecode holds that any payload is decoded, and that what comes out can be stored.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	d := slack.NewDecoder(newBot(f, slack.Config{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: slack.DefaultAPIURL}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		ev, ok := d.Payload(t.Context(), payload)
		if !ok {
			return
		}
		if !storable(ev) {
			t.Errorf("event %+v cannot be stored", ev)
		}
		if ev.Kind == core.KindMessage && (ev.Sender.ID == "" || ev.Sender.ID == "U0BOT") {
			t.Errorf("event %+v is nobody's", ev)
		}
		if _, err := json.Marshal(ev); err != nil {
			t.Errorf("event %+v: %v", ev, err)
		}
	})
}
