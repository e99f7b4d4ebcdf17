package discord

import (
	"encoding/base64"
	"strings"

	"github.com/clickai/bridge/core"
)

// setup is how a person gets a bot. Source: https://docs.discord.com/developers/quick-start/getting-started
func setup() *core.Setup {
	return &core.Setup{
		Title: "Discord",
		Steps: []string{
			"Open https://discord.com/developers/applications, press New Application and give it a name.",
			"On its page Bot switch MESSAGE CONTENT INTENT on and save.",
			"On the same page press Reset Token and copy the token.",
		},
		Questions: []core.SetupQuestion{{Key: "token", Ask: "Token of the bot", Env: "DISCORD_TOKEN"}},
		Next: func(s core.Settings) []string {
			c, ok := s.(*Config)
			if !ok {
				return nil
			}
			return []string{"Add the bot to your server with this link: " + InviteURL(ownID(c.token()))}
		},
	}
}

// ownID is the bot's id, which its token begins with, in base64; "" if it does not. Discord documents no such form but shows it
// (https://docs.discord.com/developers/reference#authentication); where it changes, the link has a place to fill in. The
// application has the bot's id, but for bots from before 2016.
func ownID(token string) string {
	first, _, _ := strings.Cut(token, ".")
	id, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(first, "="))
	if err != nil || !isID(string(id)) {
		return ""
	}
	return string(id)
}
