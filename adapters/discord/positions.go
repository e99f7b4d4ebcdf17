package discord

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/core"
)

// positions remember up to which message each channel has been handled. They are kept in memory, and written now and
// then: one that lags costs some messages read again, which are known by their keys. One value is stored for each server,
// one for all direct chats, and one for the session.
type positions struct {
	host core.Host

	mu      sync.Mutex
	guilds  map[string]*guildPosition
	awaited map[string]struct{} // servers of a new session that have not been told yet: their positions stand
	dms     map[string]snowflake
	dirty   map[string]struct{} // names of values to be written
	urgent  chan struct{}       // capacity 1: write soon
}

// guildPosition is stored as JSON. Channels that are not in Last are handled up to Base.
type guildPosition struct {
	Base snowflake            `json:"base"`
	Last map[string]snowflake `json:"last"`
}

const (
	cursorDMs     = "dms"
	cursorSession = "session"
)

func cursorGuild(id string) string { return "guild:" + id }

func newPositions(host core.Host) *positions {
	return &positions{
		host: host, guilds: map[string]*guildPosition{}, awaited: map[string]struct{}{}, dms: map[string]snowflake{}, dirty: map[string]struct{}{},
		urgent: make(chan struct{}, 1),
	}
}

// load reads the direct chats. A value that cannot be read is taken as none: it was not written by this version.
func (p *positions) load() error {
	raw, err := p.host.Cursor(cursorDMs)
	if err != nil {
		return fmt.Errorf("read the position of direct chats: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var dms map[string]snowflake
	if raw != "" && json.Unmarshal([]byte(raw), &dms) == nil {
		p.dms = dms
	}
	return nil
}

// behind is a channel with messages that have not been handled.
type behind struct {
	channel channel
	after   snowflake
	newest  snowflake // 0 if not told
	// ownBefore is the newest message of the bot's there; 0 if it has written nothing lately.
	ownBefore snowflake
}

// await begins a new session, which tells of these servers one by one. Until a server is told, a message of it must not
// hide what was missed before it.
func (p *positions) await(guilds []wireGuild) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.awaited)
	for _, g := range guilds {
		p.awaited[g.ID] = struct{}{}
	}
}

// open takes in a server as GUILD_CREATE told it, and lists what is behind. A server that is seen for the first time is
// taken to be handled up to its newest message.
func (p *positions) open(guildID string, channels []channel) ([]behind, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.awaited, guildID)
	g, err := p.guildLocked(guildID)
	if err != nil {
		return nil, err
	}
	if g == nil {
		g = p.newGuildLocked(guildID)
		for _, c := range channels {
			g.Base = max(g.Base, c.last)
		}
	}
	var found []behind
	for _, c := range channels {
		after, listed := g.Last[c.id]
		if !listed {
			after = g.Base
		}
		newest := c.last
		if newest == 0 && c.isThread() {
			newest = idOf(c.id) // a new post, whose last message was not told
		}
		if newest > after {
			g.Last[c.id] = after // keeps its place when Base grows
			found = append(found, behind{channel: c, after: after, newest: newest})
		}
	}
	return found, nil
}

// guildLocked is the position in a server, read from the store the first time; nil if there is none. A value that cannot
// be decoded is taken as none: it was not written by this version.
func (p *positions) guildLocked(id string) (*guildPosition, error) {
	if g := p.guilds[id]; g != nil {
		return g, nil
	}
	raw, err := p.host.Cursor(cursorGuild(id))
	if err != nil {
		return nil, fmt.Errorf("read the position of a server: %w", err)
	}
	g := &guildPosition{}
	if raw == "" || json.Unmarshal([]byte(raw), g) != nil {
		return nil, nil //nolint:nilnil // none is a good answer
	}
	if g.Last == nil {
		g.Last = map[string]snowflake{}
	}
	p.guilds[id] = g
	return g, nil
}

func (p *positions) newGuildLocked(id string) *guildPosition {
	g := &guildPosition{Last: map[string]snowflake{}}
	p.guilds[id] = g
	p.touchLocked(cursorGuild(id), true)
	return g
}

// direct lists the known direct chats, the latest first. Whether one is behind, nobody tells.
func (p *positions) direct() []behind {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []behind
	for id, last := range p.dms {
		found = append(found, behind{channel: channel{id: id}, after: last})
	}
	slices.SortFunc(found, func(a, b behind) int { return cmp.Compare(b.after, a.after) })
	return found
}

// advance notes that a channel has been handled up to a message.
func (p *positions) advance(c *channel, id snowflake) {
	if id == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.guild == "" {
		old, known := p.dms[c.id]
		if id > old {
			p.dms[c.id] = id
			p.touchLocked(cursorDMs, !known) // a chat that is not stored is not found after a crash
		}
		return
	}
	if _, ok := p.awaited[c.guild]; ok {
		return
	}
	g, err := p.guildLocked(c.guild)
	if err != nil {
		return // a position that lags is safe
	}
	if g == nil { // the gateway told of messages before it told of the server, or a lookup failed
		g = p.newGuildLocked(c.guild)
		g.Base = id
	}
	if id > g.Last[c.id] {
		g.Last[c.id] = id
		p.touchLocked(cursorGuild(c.guild), false)
	}
}

// of is up to which message a channel of a server has been handled; 0 if that is unknown.
func (p *positions) of(c *channel) snowflake {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, err := p.guildLocked(c.guild)
	if err != nil || g == nil {
		return 0
	}
	return g.Last[c.id]
}

func (p *positions) touchLocked(name string, soon bool) {
	p.dirty[name] = struct{}{}
	if soon {
		p.soon()
	}
}

// soon lets the writer write now.
func (p *positions) soon() {
	select {
	case p.urgent <- struct{}{}:
	default:
	}
}

// flush writes what has changed. pending tells which channels are being caught up, and keep their place. What could not
// be written is tried again next time.
func (p *positions) flush(ctx context.Context, pending func(channelID string) bool) error {
	p.mu.Lock()
	names := slices.Sorted(maps.Keys(p.dirty))
	clear(p.dirty)
	p.mu.Unlock()
	var errs []error
	for _, name := range names {
		value, err := p.encode(name, pending)
		if err == nil {
			err = p.host.SetCursor(ctx, name, value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("store position %s: %w", name, err))
			p.mu.Lock()
			p.dirty[name] = struct{}{}
			p.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}

func (p *positions) encode(name string, pending func(string) bool) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var v any
	if name == cursorDMs {
		trim(p.dms, maxKnownDMs, nil)
		v = p.dms
	} else {
		for id, g := range p.guilds {
			if cursorGuild(id) == name {
				g.Base = max(g.Base, trim(g.Last, maxPositions, pending))
				v = g
			}
		}
	}
	raw, err := json.Marshal(v)
	return string(raw), err //nolint:wrapcheck // the caller does
}

// trim removes the oldest entries over a bound, and returns the newest of what it removed.
func trim(m map[string]snowflake, bound int, keep func(string) bool) (newest snowflake) {
	if len(m) <= bound {
		return 0
	}
	ids := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Compare(m[a], m[b]) })
	for _, id := range ids {
		if len(m) <= bound {
			break
		}
		if keep != nil && keep(id) {
			continue
		}
		newest = max(newest, m[id])
		delete(m, id)
	}
	return newest
}

// storedSession is a session as it is stored: with a mark of the account and server that it belongs to.
type storedSession struct {
	session
	Of string `json:"of"`
	At int64  `json:"at"` // when it was stored, Unix seconds
}

// sessionLife is how long Discord keeps a session without a connection, at the most: "a few minutes". Asking for an older
// one would only cost the pause that a refusal asks for.
// Source: https://docs.discord.com/developers/events/gateway#initiating-a-disconnect
const sessionLife = 10 * time.Minute

// owner marks the token and server of a session without telling them.
func (p *Platform) owner() string {
	sum := sha256.Sum256([]byte(p.base.String() + "\n" + p.auth.Reveal()))
	return hex.EncodeToString(sum[:8])
}

func (p *Platform) loadSession(host core.Host) (session, error) {
	raw, err := host.Cursor(cursorSession)
	if err != nil {
		return session{}, fmt.Errorf("read the session: %w", err)
	}
	var s storedSession
	if raw == "" || json.Unmarshal([]byte(raw), &s) != nil || s.Of != p.owner() || !isID(s.Bot) {
		return session{}, nil
	}
	if time.Since(time.Unix(s.At, 0)) > sessionLife {
		return session{Bot: s.Bot, App: s.App}, nil
	}
	if !p.isGateway(s.URL) {
		s.URL = ""
	}
	return s.session, nil
}

func (p *Platform) storeSession(ctx context.Context, host core.Host, s session) error {
	raw, err := json.Marshal(storedSession{session: s, Of: p.owner(), At: time.Now().Unix()})
	if err != nil {
		return fmt.Errorf("encode the session: %w", err)
	}
	if err := host.SetCursor(ctx, cursorSession, string(raw)); err != nil {
		return fmt.Errorf("store the session: %w", err)
	}
	return nil
}
