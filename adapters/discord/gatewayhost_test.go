package discord_test

import (
	"testing"

	"github.com/clickai/bridge/adapters/discord"
)

// TestGatewayHost: the token is sent to a gateway of Discord's only, and never in the open.
func TestGatewayHost(t *testing.T) {
	t.Parallel()
	const own = "https://chat.example/api/v9"
	for _, tt := range []struct {
		name, base, address string
		want                bool
	}{
		{"Discord's", discord.DefaultAPIURL, "wss://gateway.discord.gg", true},
		{"for resuming", discord.DefaultAPIURL, "wss://gateway-us-east1-b.discord.gg/", true},
		{"another host", discord.DefaultAPIURL, "wss://gateway.example", false},
		{"a host that looks alike", discord.DefaultAPIURL, "wss://gateway.discord.gg.example", false},
		{"a host that ends alike", discord.DefaultAPIURL, "wss://notdiscord.gg", false},
		{"user information", discord.DefaultAPIURL, "wss://gateway.discord.gg@x.example", false},
		{"in the open", discord.DefaultAPIURL, "ws://gateway.discord.gg", false},
		{"not a gateway", discord.DefaultAPIURL, "https://gateway.discord.gg", false},
		{"no host", discord.DefaultAPIURL, "wss://", false},
		{"nothing", discord.DefaultAPIURL, "", false},
		{"own server", own, "wss://gateway.chat.example", true},
		{"own server in the open", own, "ws://gateway.chat.example", false},
		{"own server on loopback", "http://127.0.0.1:8080/api/v9", "ws://127.0.0.1:8081/ws", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := discord.IsGateway(newBot(t, tt.base, "token"), tt.address); got != tt.want {
				t.Errorf("%s from %s: %v", tt.address, tt.base, got)
			}
		})
	}
}
