package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
)

func usual(change func(*Config)) Config {
	c := Config{Conversations: 200, Platforms: Platforms(), ChunksPerSecond: 20, ChunkBytes: 20, Duration: time.Minute, Mode: "edit"}
	if change != nil {
		change(&c)
	}
	return c
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		want   string // part of the error; "" for none
	}{
		{"usual", nil, ""},
		{"the four loads", func(c *Config) { c.Conversations, c.ChunksPerSecond = 10_000, 2 }, ""},
		{"ten minutes at full speed", func(c *Config) { c.ChunksPerSecond, c.Duration = 100, 10*time.Minute }, "--answer"},
		{"the same in shorter answers", func(c *Config) { c.ChunksPerSecond, c.Duration, c.Answer = 100, 10*time.Minute, time.Minute }, ""},
		{"none", func(c *Config) { c.Conversations = 0 }, "--conversations"},
		{"too many", func(c *Config) { c.Conversations = 10_001 }, "--conversations"},
		{"fewer than platforms", func(c *Config) { c.Conversations = 2 }, "each of the 3"},
		{"rooms", func(c *Config) { c.Rooms = 501 }, "--rooms"},
		{"unknown platform", func(c *Config) { c.Platforms = []string{"slack", "irc"} }, `"irc"`},
		{"platform twice", func(c *Config) { c.Platforms = []string{"slack", "slack"} }, "twice"},
		{"no platform", func(c *Config) { c.Platforms = nil }, "--platforms"},
		{"speed", func(c *Config) { c.ChunksPerSecond = 0 }, "--chunks-per-second"},
		{"size", func(c *Config) { c.ChunkBytes = 3 }, "--chunk-bytes"},
		{"time", func(c *Config) { c.Duration = 0 }, "--duration"},
		{"mode", func(c *Config) { c.Mode = "fast" }, "--mode"},
		{"ramp", func(c *Config) { c.Ramp = time.Hour }, "--ramp"},
		{"negative", func(c *Config) { c.Wait = -1 }, "--wait"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := usual(tt.change)
			switch err := c.Check(); {
			case tt.want == "" && err != nil:
				t.Errorf("err = %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("err = %v, want one about %s", err, tt.want)
			}
		})
	}
}

func TestCrowds(t *testing.T) {
	tests := []struct {
		name, platform       string
		n, rooms             int
		inRooms, private     int // conversations
		roomsUsed, mostARoom int
	}{
		{"slack", "slack", 67, 0, 67, 0, 20, 4},
		{"slack in one room", "slack", 100, 1, 100, 0, 1, 100},
		{"discord", "discord", 67, 0, 67, 0, 20, 4},
		{"discord in one room", "discord", 50, 1, 49, 1, 1, 49},
		{"discord over what threads there may be", "discord", 3333, 0, 950, 2383, 20, 48},
		{"telegram", "telegram", 66, 0, 33, 33, 33, 1},
		{"telegram with one", "telegram", 1, 0, 0, 1, 0, 0},
		{"telegram in one group", "telegram", 200, 1, 200, 0, 1, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := usual(func(c *Config) { c.Rooms = tt.rooms })
			w := c.crowdOn(tt.platform, tt.n)
			rooms, private := map[string]int{}, 0
			who := map[string]bool{}
			for _, x := range w.convs {
				if x.private {
					private++
					if x.say.Mention || x.thread {
						t.Errorf("a direct chat needs no mention and has no threads: %+v", x)
					}
				} else {
					rooms[x.say.Room]++
				}
				who[x.say.Room+" "+x.say.User] = true
			}
			most := 0
			for _, n := range rooms {
				most = max(most, n)
			}
			if len(w.convs) != tt.n || private != tt.private || len(w.convs)-private != tt.inRooms || len(rooms) != tt.roomsUsed || most != tt.mostARoom {
				t.Errorf("%d conversations, %d private, in %d rooms, at most %d in one; want %d, %d, %d, %d",
					len(w.convs), private, len(rooms), most, tt.n, tt.private, tt.roomsUsed, tt.mostARoom)
			}
			if tt.platform == "telegram" && len(who) != tt.n {
				t.Errorf("%d people in their chats, want each conversation to have its own", len(who))
			}
			warmed := map[string]bool{}
			for _, x := range w.warmups {
				warmed[x.say.Room] = true
			}
			for room := range rooms {
				if tt.platform != "telegram" && !warmed[room] {
					t.Errorf("room %s is not warmed up", room)
				}
			}
		})
	}
}

func TestAllowed(t *testing.T) {
	near := func(name string, u Use, calls int, allowed float64) {
		t.Helper()
		if u.Calls != calls || u.Allowed < allowed-0.01 || u.Allowed > allowed+0.01 || u.Share != float64(calls)/u.Allowed {
			t.Errorf("%s: %+v, want %d of %v", name, u, calls, allowed)
		}
	}
	g := &group{posts: 4, edits: 30}
	l := slack.DefaultLimits()
	near("slack, 30 s", slackUse(l, g, 30*time.Second), 30, 20+25)
	near("slack streams, 30 s", slackUse(l, &group{edits: 30, appends: 50}, 30*time.Second), 50, 50+50)
	d := discord.Limits{Global: discord.Allowance{Calls: 50, Window: time.Second}, Edit: discord.Allowance{Calls: 5, Window: 5 * time.Second}}
	near("discord, two answers", discordUse(d, g, []span{{took: 12 * time.Second}, {took: 4 * time.Second}}, 12*time.Second), 30, 15+5)
	near("discord, the global limit", discordUse(d, g, slices.Repeat([]span{{took: 10 * time.Second}}, 100), 10*time.Second), 30, 550)
	near("telegram, private chat", telegramUse(g, []span{{took: 10 * time.Second, private: true}}, 10*time.Second), 34, 13)
	near("telegram, group", telegramUse(g, []span{{took: 70 * time.Second}}, 70*time.Second), 34, 40)
	near("telegram, all chats", telegramUse(g, slices.Repeat([]span{{took: 10 * time.Second, private: true}}, 100), 10*time.Second), 34, 330)
}
