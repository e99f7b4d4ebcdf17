package standins

import (
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// Stage is where a scripted conversation plays on one platform.
type Stage struct {
	Title    string // "Slack"
	Platform sim.Platform
	Person   string // id of who writes
	Name     string // and what others call them
	Bot      string // what others call the bot
	// Room is where the first question is written, and Mention whether it has to name the bot.
	Room    sim.Place
	Mention bool
	// Threads says that the answer to a question in Room stands in a thread whose id is the question's.
	Threads bool
	// Other is where a second question begins a conversation of its own, and OtherMention whether it has to name the bot.
	Other        sim.Place
	OtherMention bool
}

// Stages are the scenes of the demo, one for each platform.
func (s *Set) Stages() []Stage {
	return []Stage{
		{
			Title: "Slack", Platform: s.Slack, Person: slack.Minh, Name: "Minh", Bot: "bridge",
			Room: place(s.Slack, slack.General, ""), Mention: true, Threads: true,
			Other: place(s.Slack, slack.General, ""), OtherMention: true,
		},
		{
			Title: "Discord", Platform: s.Discord, Person: discord.Minh, Name: "Minh", Bot: "Bridge",
			Room: place(s.Discord, discord.General, ""), Mention: true, Threads: true,
			Other: place(s.Discord, discord.General, ""), OtherMention: true,
		},
		{
			Title: "Telegram", Platform: s.Telegram, Person: telegram.Minh, Name: "Minh", Bot: "Acme Support",
			Room:  place(s.Telegram, telegram.Minh, ""),
			Other: place(s.Telegram, telegram.Forum, telegram.TopicBilling), OtherMention: true,
		},
	}
}

func place(p sim.Platform, room, thread string) sim.Place {
	for _, x := range p.Places() {
		if x.Room == room && x.Thread == thread {
			return x
		}
	}
	return sim.Place{Room: room, Thread: thread, Name: room}
}

// AnswerPlace is where the answer to a question of this stage stands.
func (st Stage) AnswerPlace(q sim.Message) (room, thread string) {
	if st.Threads && q.Thread == "" {
		return q.Room, q.ID
	}
	return q.Room, q.Thread
}
