package discord

import "github.com/clickai/bridge/core"

var _ core.Heir = (*Platform)(nil)

// Inherit is core.Heir. Discord counts by account, and both have one where they have the same token.
func (p *Platform) Inherit(before core.Platform) {
	if old, ok := before.(*Platform); ok && old.auth == p.auth && old.base.String() == p.base.String() {
		p.api.limits = old.api.limits
	}
}
