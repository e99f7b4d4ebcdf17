package telegram

import "github.com/clickai/bridge/core"

// setup is how a person gets a bot. Source: https://core.telegram.org/bots/features#creating-a-new-bot
func setup() *core.Setup {
	return &core.Setup{
		Title: "Telegram",
		Steps: []string{
			"Open a chat with @BotFather in Telegram, send /newbot, and give the bot a name and a user name that ends in bot.",
			"BotFather answers with the token.",
		},
		Questions: []core.SetupQuestion{{Key: "token", Ask: "Token from @BotFather", Env: "TELEGRAM_TOKEN"}},
		// Source: https://core.telegram.org/bots/features#privacy-mode
		Next: func(core.Settings) []string {
			return []string{
				"In a group the bot sees its mentions and replies to it. To let it see all that is said there, send /setprivacy to @BotFather, choose the bot and Disable; then take it out of the group and add it again.",
			}
		},
	}
}
