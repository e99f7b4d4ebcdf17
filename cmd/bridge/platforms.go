package main

import (
	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
)

// platforms is the only list of platforms: a new one is a line here.
func platforms() []core.PlatformKind {
	return []core.PlatformKind{
		slack.Kind(),
		discord.Kind(),
		telegram.Kind(),
	}
}
