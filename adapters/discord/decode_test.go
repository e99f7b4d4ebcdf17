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
			if ev.Key == "" || len(ev.Key) > 200 || ev.Room.ID == "" || ev.MessageID == "" {
				t.Errorf("event cannot be stored: %+v", ev)
			}
			if _, err := json.Marshal(ev); err != nil {
				t.Errorf("event cannot be encoded: %v", err)
			}
		}
	})
}
