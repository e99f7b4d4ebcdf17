package telegram

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/clickai/bridge/core"
)

// Check asks for what the bot needs: that the token is taken, what it sees in groups, and whether a webhook stands in the
// way of polling. It does not poll, to find out whether another process does: that would throw out the bridge itself, if
// it runs.
func (p *Platform) Check(ctx context.Context) ([]core.Check, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var me user
	if err := p.call(ctx, "getMe", struct{}{}, &me); err != nil {
		if api, ok := errors.AsType[*apiError](err); ok && (api.Code == http.StatusUnauthorized || api.Code == http.StatusNotFound) {
			return []core.Check{{What: "token", Mend: errToken.Error()}}, nil
		}
		return nil, p.fail("Check", err, false)
	}
	if me.ID == 0 {
		return nil, p.fail("Check", errNoResult, false)
	}
	found := []core.Check{{What: "token", OK: true, Mend: "@" + me.Username}, privacy(me)}
	if me.CanJoin != nil && !*me.CanJoin {
		found = append(found, core.Check{What: "joining groups", OK: true, Mend: "is off, so the bot answers in private chats alone; @BotFather /setjoingroups changes it"})
	}
	info, err := p.webhookInfo(ctx)
	if err != nil {
		return nil, p.fail("Check", err, false)
	}
	return append(found, p.checkHook(info)...), nil
}

// checkHook tells what Telegram knows of the webhook.
func (p *Platform) checkHook(info hookInfo) []core.Check {
	c := core.Check{What: "webhook", OK: true}
	switch set := info.URL != ""; {
	case p.hook == nil && !set:
		return nil
	case p.hook == nil:
		c.Mend = "is set to " + hostOf(info.URL) + "; run takes it away, since this bot polls: stop the program that set it"
	case !set:
		c.Mend = "is not set; run sets it to " + hostOf(p.hook.url)
	case info.URL != p.hook.url:
		c.Mend = "is set to another address, at " + hostOf(info.URL) + "; run replaces it: stop the program that set it"
	case info.Pending > 0 && info.LastError != "":
		c.OK, c.Mend = false, fmt.Sprintf("%d updates wait, and Telegram's last delivery to %s failed: %s", info.Pending, hostOf(info.URL), p.said(info.LastError))
	default:
		c.Mend = "is set to " + hostOf(info.URL)
		if missing := info.unwanted(); len(missing) > 0 {
			c.Mend += "; run asks for these updates too, which do not come now: " + strings.Join(missing, ", ")
		}
	}
	return []core.Check{c}
}

// privacy tells what the bot sees in groups. Whether it must see more depends on `respond`, which is none of the adapter's
// business. In which groups the bot is an administrator, Telegram does not list.
// Source: https://core.telegram.org/bots/features#privacy-mode
func privacy(me user) core.Check {
	c := core.Check{What: "messages in groups", OK: true, Mend: "all are seen"}
	if !me.ReadsAll {
		c.Unheard = true
		c.Mend = "mentions, replies and commands are seen, and all where the bot is an administrator; for `respond: thread` or `all`: @BotFather /setprivacy, Disable, then add the bot to its groups again"
	}
	return c
}

// hostOf is the host of an address, whose path and query may hold a secret.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "somewhere"
}
