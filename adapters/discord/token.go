package discord

import (
	"context"
	"fmt"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// doubts ends the connection when a request was refused for its token and another one confirms that: the gateway would go on
// with a token that has been replaced, and take questions that nothing can be answered to. It ends with ctx.
func (r *runner) doubts(ctx context.Context, refuse context.CancelCauseFunc) {
	for {
		select {
		case <-r.p.api.doubt:
		case <-ctx.Done():
			return
		}
		if err := r.confirm(ctx); err != nil {
			refuse(err)
			return
		}
	}
}

// confirm asks with the token until the answer says whether it is good; it returns an error of class [core.Auth] if not, nil
// also when ctx has ended.
// Source: https://docs.discord.com/developers/resources/user#get-current-user
func (r *runner) confirm(ctx context.Context) *core.Error {
	for tries := 0; ; tries++ {
		r.p.api.trust()
		var me wireUser
		err := r.p.read(ctx, "discord.Run", discordgo.EndpointUser("@me"), "users", "", &me)
		switch {
		case core.ClassOf(err) == core.Auth:
			return &core.Error{Op: "discord.Run", Class: core.Auth, Err: fmt.Errorf("%s: %w", mendToken, err)}
		case err == nil, lasting(err):
			return nil
		}
		wait := min(r.p.times.backoff<<min(tries, 10), r.p.times.maxBackoff)
		if sleep(ctx, max(wait, core.RetryAfterOf(err), time.Millisecond)) != nil {
			return nil
		}
	}
}
