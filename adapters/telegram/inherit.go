package telegram

import "github.com/clickai/bridge/core"

var _ core.Heir = (*Platform)(nil)

// Inherit is core.Heir. Telegram counts by account, and both have one where they have the same token.
func (p *Platform) Inherit(before core.Platform) {
	if old, ok := before.(*Platform); ok && old.token == p.token && old.base == p.base {
		p.pacer = old.pacer
	}
}
