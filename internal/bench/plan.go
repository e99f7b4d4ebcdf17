package bench

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

// Platforms are the names that Config.Platforms may have.
func Platforms() []string { return []string{"slack", "discord", "telegram"} }

// Modes are the values that Config.Mode may have.
func Modes() []string { return []string{"edit", "native", "final"} }

// Bounds of a load.
const (
	MaxConversations = 10_000 // the bridge runs so many turns at once
	MaxRooms         = 500    // on each platform; Discord's bound for one server
	MaxRate          = 500.0  // pieces a second of one answer
	MinChunkBytes    = 16
	MaxChunkBytes    = 1024
	MaxAnswerBytes   = 1_000_000 // the bridge cuts an answer at 1 MiB
	MaxDuration      = 24 * time.Hour
)

// Config is a load.
type Config struct {
	Conversations   int      // answers at once, shared evenly by the platforms
	Rooms           int      // on each platform; 0: as fits, see the help of the command
	Platforms       []string // of Platforms, in any order, each once
	ChunksPerSecond float64  // of each answer
	ChunkBytes      int      // of a piece, about
	Duration        time.Duration
	Answer          time.Duration // how long one answer lasts; 0: until the time is over
	Ramp            time.Duration // over which the first questions are spread; 0: all at once
	Wait            time.Duration // for the last texts after the end; 0: as long as the limits make necessary, with a margin
	Mode            string        // of Modes
	WarmUp          bool          // ask once in each room before
	Seed            uint64        // of the texts

	// ConfigFile is where the bridge's configuration is written, which must not be there yet, and Store the path of its store.
	ConfigFile, Store string
	// Start starts the bridge. Its context lives as long as the load.
	Start Starter
	// Shared says that Start starts it in this process.
	Shared bool
	// Progress gets a line every few seconds and each change of phase; nil: nobody.
	Progress func(line string)
	// Tamper, if set, changes a piece on its way to the bridge. Tests prove with it that loss is found.
	Tamper func(seq int, piece string) string
}

// Check says what is wrong with the figures, in the words of the command's flags; nil if nothing is.
func (c *Config) Check() error {
	pieces := c.ChunksPerSecond * c.answerTime().Seconds()
	switch {
	case c.Conversations < 1 || c.Conversations > MaxConversations:
		return fmt.Errorf("--conversations %d: use 1 to %d", c.Conversations, MaxConversations)
	case c.Rooms < 0 || c.Rooms > MaxRooms:
		return fmt.Errorf("--rooms %d: use 1 to %d, or 0 for as many as fit", c.Rooms, MaxRooms)
	case len(c.Platforms) == 0:
		return errors.New("--platforms names none: use slack, discord, telegram")
	case c.Conversations < len(c.Platforms):
		return fmt.Errorf("--conversations %d: each of the %d platforms needs one", c.Conversations, len(c.Platforms))
	case !(c.ChunksPerSecond >= 0.01 && c.ChunksPerSecond <= MaxRate): // NaN is neither
		return fmt.Errorf("--chunks-per-second %v: use 0.01 to %v", c.ChunksPerSecond, MaxRate)
	case c.ChunkBytes < MinChunkBytes || c.ChunkBytes > MaxChunkBytes:
		return fmt.Errorf("--chunk-bytes %d: use %d to %d", c.ChunkBytes, MinChunkBytes, MaxChunkBytes)
	case c.Duration < time.Second || c.Duration > MaxDuration:
		return fmt.Errorf("--duration %v: use 1s to %v", c.Duration, MaxDuration)
	case c.Answer < 0 || c.Ramp < 0 || c.Wait < 0:
		return errors.New("--answer, --ramp and --wait must not be negative")
	case c.Ramp >= c.Duration:
		return fmt.Errorf("--ramp %v: it must be shorter than the load, %v", c.Ramp, c.Duration)
	case !slices.Contains(Modes(), c.Mode):
		return fmt.Errorf("--mode %q: use edit, native or final", c.Mode)
	case pieces*float64(c.ChunkBytes+3) > MaxAnswerBytes:
		return fmt.Errorf("an answer of %v at %v chunks a second of %d bytes is longer than %d bytes, where the bridge cuts: use a shorter --answer",
			c.answerTime(), c.ChunksPerSecond, c.ChunkBytes, MaxAnswerBytes)
	case float64(c.Conversations)*(c.Duration.Seconds()/c.answerTime().Seconds()+2) > maxAnswers/2:
		return errors.New("these are more answers than can be told apart: use a longer --answer")
	}
	for i, name := range c.Platforms {
		switch {
		case !slices.Contains(Platforms(), name):
			return fmt.Errorf("--platforms %q is not known: use slack, discord, telegram", name)
		case slices.Contains(c.Platforms[:i], name):
			return fmt.Errorf("--platforms names %s twice", name)
		}
	}
	return nil
}

// answerTime is how long one answer lasts.
func (c *Config) answerTime() time.Duration {
	if c.Answer > 0 {
		return min(c.Answer, c.Duration)
	}
	return c.Duration
}

// conversation is a place in which one question after the other is asked.
type conversation struct {
	group   *group
	say     sim.Say // the place and the person
	thread  bool    // the answer opens a thread, and what follows is asked there
	private bool    // a direct chat
	answers int
}

// crowd is who asks where on one platform.
type crowd struct {
	people  standins.Crowd
	convs   []conversation
	warmups []conversation
}

const (
	usualRooms   = 20
	usualPeople  = 20
	threadsARoom = 49 // Discord's stand-in lets 50 threads begin in a channel in five minutes; one is the warm-up's
	threadsInAll = 950
)

// crowdOn spreads n conversations over a platform.
func (c *Config) crowdOn(platform string, n int) crowd {
	switch platform {
	case "slack":
		return c.slackCrowd(n)
	case "discord":
		return c.discordCrowd(n)
	}
	return c.telegramCrowd(n)
}

func (c *Config) rooms(usual int) int {
	if c.Rooms > 0 {
		return c.Rooms
	}
	return usual
}

// slackCrowd asks in channels, each question in a thread of its own. There are few people, since each of their names is
// looked up once, which Slack limits.
func (c *Config) slackCrowd(n int) crowd {
	w := crowd{people: standins.Crowd{People: min(n, usualPeople), Rooms: c.rooms(min(n, usualRooms))}}
	opt := w.people.Slack(slack.Options{})
	at := func(i int) conversation {
		return conversation{thread: true, say: sim.Say{Room: opt.Channels[i%w.people.Rooms].ID, User: opt.Users[i%w.people.People].ID, Mention: true}}
	}
	for i := range n {
		w.convs = append(w.convs, at(i))
	}
	for i := range max(w.people.Rooms, w.people.People) {
		w.warmups = append(w.warmups, at(i))
	}
	return w
}

// discordCrowd asks in channels, each question in a thread of its own, as many as Discord lets begin; the others in direct
// chats.
func (c *Config) discordCrowd(n int) crowd {
	rooms := c.rooms(min(n, usualRooms))
	threads := min(n, rooms*threadsARoom, threadsInAll)
	w := crowd{people: standins.Crowd{People: max(min(n, usualPeople), n-threads), Rooms: rooms}}
	opt := w.people.Discord(discord.Options{})
	at := func(i int) conversation {
		return conversation{thread: true, say: sim.Say{Room: opt.Channels[i%rooms].ID, User: opt.People[i%w.people.People].ID, Mention: true}}
	}
	for i := range threads {
		w.convs = append(w.convs, at(i))
	}
	for i := range n - threads {
		w.convs = append(w.convs, conversation{private: true, say: sim.Say{Room: opt.People[i].DM, User: opt.People[i].ID}})
	}
	for i := range rooms {
		w.warmups = append(w.warmups, at(i))
	}
	return w
}

// telegramCrowd asks one half in groups of their own and the other in private chats; with a number of rooms in so many
// groups alone, where each person has a conversation of their own.
func (c *Config) telegramCrowd(n int) crowd {
	groups := c.rooms(n / 2)
	w := crowd{people: standins.Crowd{People: n, Rooms: groups}}
	opt := w.people.Telegram(telegram.Options{})
	for i, person := range opt.Users {
		id := strconv.FormatInt(person.ID, 10)
		if c.Rooms == 0 && i >= groups {
			w.convs = append(w.convs, conversation{private: true, say: sim.Say{Room: id, User: id}})
			continue
		}
		room := strconv.FormatInt(opt.Chats[i%groups].ID, 10)
		w.convs = append(w.convs, conversation{say: sim.Say{Room: room, User: id, Mention: true}})
	}
	w.warmups = append(w.warmups, w.convs[0]) // updates bring all names along
	if n > 1 {
		w.warmups = append(w.warmups, w.convs[n-1])
	}
	return w
}

// extra is what the configuration of a platform's bot has besides: nothing that people may do too often gets in the way.
func (c *Config) extra(platform string) string {
	yaml := fmt.Sprintf("thread_context: 0\nstream: {mode: %s}\nlimits: {turns_per_user: \"0\", queue_per_conversation: 1000, answer_timeout: %s}\n",
		c.Mode, c.answerTime()+time.Hour)
	if platform == "telegram" {
		yaml += "conversation: user\n"
	}
	return yaml
}
