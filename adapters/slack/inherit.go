package slack

import "github.com/clickai/bridge/core"

var _ core.Heir = (*Platform)(nil)

// Inherit is core.Heir. Slack counts by account, and both have one where they have the same token.
func (p *Platform) Inherit(before core.Platform) {
	if old, ok := before.(*Platform); ok && old.http.token == p.http.token && old.base.String() == p.base.String() {
		p.budgets = old.budgets
	}
}
