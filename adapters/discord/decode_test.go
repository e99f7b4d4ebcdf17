package discord_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const self = "1100000000000000900"

func newDecoder(t testing.TB, take func(core.Event)) *discord.Decoder {
	t.Helper()
	guild, err := os.ReadFile("testdata/guild.json")
	if err != nil {
		t.Fatal(err)
	}
	return discord.NewDecoder(newBot(t, discord.DefaultAPIURL, "token"), self, guild, take)
}

// TestDecode compares what becomes of gateway events, as Discord sends them, with what was reviewed. Those whose name
// begins with drop must become nothing.
func TestDecode(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/decode/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var f struct {
				T string          `json:"t"`
				S int64           `json:"s"`
				D json.RawMessage `json:"d"`
			}
			if err := json.Unmarshal(raw, &f); err != nil {
				t.Fatal(err)
			}
			got := []core.Event{}
			d := newDecoder(t, func(ev core.Event) { got = append(got, ev) })
			if err := d.Dispatch(t.Context(), f.T, f.D, f.S); err != nil {
				t.Fatalf("dispatch: %v", err)
			}
			for i := range got {
				if got[i].Kind == core.KindDelete || got[i].Kind == core.KindReaction {
					if got[i].SentAt.IsZero() {
						t.Error("no time")
					}
					got[i].SentAt = time.Time{} // the moment of arrival
				}
			}
			if strings.HasPrefix(name, "drop_") {
				if len(got) != 0 {
					t.Errorf("got %+v, want nothing", got)
				}
				return
			}
			if len(got) == 0 {
				t.Fatal("nothing came")
			}
			golden(t, filepath.Join("testdata", "decode", name+".golden"), got)
		})
	}
}

func golden(t *testing.T, file string, got any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s:\ngot  %s\nwant %s", file, b.Bytes(), want)
	}
}

// FuzzDispatch: whatever a server sends, nothing panics, and what is told of it can be stored and found again.
func FuzzDispatch(f *testing.F) {
	files, err := filepath.Glob("testdata/decode/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var fr struct {
			T string          `json:"t"`
			D json.RawMessage `json:"d"`
		}
		if err := json.Unmarshal(raw, &fr); err != nil {
			f.Fatal(err)
		}
		f.Add(fr.T, []byte(fr.D))
	}
	guild, err := os.ReadFile("testdata/guild.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, kind := range []string{"GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE", "CHANNEL_UPDATE", "THREAD_LIST_SYNC", "GUILD_ROLE_UPDATE", "GUILD_MEMBER_UPDATE"} {
		f.Add(kind, guild)
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		var got []core.Event
		d := newDecoder(t, func(ev core.Event) { got = append(got, ev) })
		if !json.Valid(data) || bytes.Contains(data, []byte("guild_id")) && !bytes.Contains(data, []byte(`1100000000000000000`)) {
			return // an unknown server would be asked for
		}
		ctx := t.Context()
		_ = d.Dispatch(ctx, kind, data, 1)
		for _, ev := range got {
			if ev.Key == "" || len(ev.Key) > 200 || ev.Room.ID == "" || ev.MessageID == "" && ev.Command == nil && ev.Press == nil {
				t.Errorf("event cannot be stored: %+v", ev)
			}
			if _, err := json.Marshal(ev); err != nil {
				t.Errorf("event cannot be encoded: %v", err)
			}
		}
	})
}

// FuzzInteraction: of whatever comes as an interaction, nothing panics, a token never gets into what is stored, and what can be
// answered has a handle.
func FuzzInteraction(f *testing.F) {
	files, err := filepath.Glob("testdata/decode/*.json")
	if err != nil {
		f.Fatal(err)
	}
	seeds := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var fr struct {
			T string          `json:"t"`
			D json.RawMessage `json:"d"`
		}
		if json.Unmarshal(raw, &fr) == nil && fr.T == "INTERACTION_CREATE" {
			f.Add([]byte(fr.D))
			seeds++
		}
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Add([]byte(`{"id":"1","token":"t","channel_id":"2","type":3,"user":{"id":"3"},"message":{"id":"4"},"data":{"custom_id":"x","component_type":2}}`))
	f.Add([]byte(`{"id":"1","channel_id":"2","type":2,"user":{"id":"3"},"data":{"name":"x","type":1,"options":[{"value":{}},{"value":[1]},{}]}}`))
	f.Add([]byte(`{"id":"1","channel_id":"2","type":5,"user":{"id":"3"},"data":{"custom_id":"x","components":[{"component":{"component":{"type":4,"value":"deep"}}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got []core.Event
		d := newDecoder(t, func(ev core.Event) { got = append(got, ev) })
		if !json.Valid(data) || bytes.Contains(data, []byte("guild_id")) && !bytes.Contains(data, []byte(`1100000000000000000`)) {
			return // an unknown server would be asked for
		}
		if err := d.Dispatch(t.Context(), "INTERACTION_CREATE", data, 1); err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Token string `json:"token"`
		}
		_ = json.Unmarshal(data, &sent)
		for _, ev := range got {
			stored, err := json.Marshal(ev)
			if err != nil {
				t.Fatal(err)
			}
			if ev.Key == "" || len(ev.Key) > 200 || ev.Room.ID == "" || ev.Sender.ID == "" || ev.SentAt.IsZero() {
				t.Errorf("event cannot be stored: %s", stored)
			}
			if len(sent.Token) > 20 && (strings.Contains(string(stored), sent.Token) || strings.Contains(ev.Handle, sent.Token)) {
				t.Errorf("the token is in the event: %s", stored)
			}
			switch ev.Kind {
			case core.KindCommand:
				if ev.Command == nil || ev.Command.Name == "" || ev.Command.Name != strings.ToLower(ev.Command.Name) {
					t.Errorf("command %s", stored)
				}
			case core.KindPress:
				if ev.Press == nil || ev.Press.ID == "" {
					t.Errorf("press %s", stored)
				}
			default:
				t.Errorf("kind %s", ev.Kind)
			}
		}
	})
}
