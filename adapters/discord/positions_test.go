package discord_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
)

// server is GUILD_CREATE with two channels, a thread and a forum, and the newest message of each.
func server(general, support, thread string) []byte {
	return fmt.Appendf(nil, `{"id":"1000","name":"Acme","roles":[],"members":[],
		"channels":[{"id":"1","type":0,"name":"general","last_message_id":%q},{"id":"2","type":0,"name":"support","last_message_id":%q},
			{"id":"3","type":15,"name":"help","last_message_id":"9999"},{"id":"4","type":4,"name":"a category"}],
		"threads":[{"id":"5","type":11,"parent_id":"1","name":"a thread","last_message_id":%q,"thread_metadata":{"archived":false}}]}`,
		general, support, thread)
}

// TestPositions: which channels are behind, from one session to the next.
func TestPositions(t *testing.T) {
	t.Parallel()
	d := discord.NewDecoder(newBot(t, discord.DefaultAPIURL, "token"), self, nil, func(core.Event) {})
	behind := func(step string, guild []byte, want map[string]string) {
		t.Helper()
		got, err := discord.Missed(d, guild)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: behind %v, %v; want %v", step, got, err, want)
		}
	}
	dispatch := func(kind, data string) {
		t.Helper()
		if err := d.Dispatch(t.Context(), kind, []byte(data), 1); err != nil {
			t.Fatal(err)
		}
	}
	message := func(id, channel string) {
		dispatch("MESSAGE_CREATE", `{"id":"`+id+`","channel_id":"`+channel+`","guild_id":"1000","content":"x","author":{"id":"7","username":"minh"}}`)
	}
	ready := `{"session_id":"s","user":{"id":"` + self + `"},"guilds":[{"id":"1000","unavailable":true}]}`

	behind("the first start", server("100", "90", ""), nil)
	message("110", "1")
	message("111", "2")
	message("112", "1")
	behind("nothing missed", server("112", "111", ""), nil)
	behind("one missed, and a new thread", server("120", "111", "121"), map[string]string{"1": "112", "5": "100"})

	dispatch("READY", ready)
	message("130", "2") // ahead of the server itself: what was missed before it must not be hidden
	behind("a new session", server("120", "130", "121"), map[string]string{"1": "112", "2": "111", "5": "100"})
	message("131", "1")
	behind("handled since", server("131", "130", "121"), map[string]string{"2": "111", "5": "100"})
}
