package slack

import (
	"context"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"

	"github.com/clickai/bridge/core"
)

// directory remembers the names of people and rooms.
type directory struct {
	once singleflight.Group

	mu    sync.Mutex
	users map[string]*person
	rooms map[string]*room
}

// person is what is known of a user.
type person struct {
	name, handle, team string
	known              bool // false: could not be looked up
	until              time.Time
}

// room is what is known of a room.
type room struct {
	name   string
	direct bool
	known  bool
	until  time.Time
}

func newDirectory() *directory {
	return &directory{users: map[string]*person{}, rooms: map[string]*room{}}
}

func (d *directory) user(id string) (u person, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.users[id]; u != nil {
		return *u, time.Now().Before(u.until)
	}
	return person{}, false
}

func (d *directory) room(id string) (r room, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.rooms[id]; r != nil {
		return *r, time.Now().Before(r.until)
	}
	return room{}, false
}

func (d *directory) putUser(id string, u person) {
	d.mu.Lock()
	defer d.mu.Unlock()
	put(d.users, id, &u, maxUsers)
}

func (d *directory) putRoom(id string, r room) {
	d.mu.Lock()
	defer d.mu.Unlock()
	put(d.rooms, id, &r, maxRooms)
}

// put adds to a bounded map. When it is full, some others go: which, is left to chance.
func put[K comparable, V any](m map[K]V, key K, v V, bound int) {
	if _, ok := m[key]; !ok && len(m) >= bound {
		for k := range m {
			delete(m, k)
			if len(m) < bound-bound/10 {
				break
			}
		}
	}
	m[key] = v
}

// failedUser and failedRoom note that a look-up failed: what was known stays, and is not asked for again at once.
func (d *directory) failedUser(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := person{}
	if old := d.users[id]; old != nil {
		u = *old
	}
	u.until = time.Now().Add(namesTry)
	put(d.users, id, &u, maxUsers)
}

func (d *directory) failedRoom(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := room{}
	if old := d.rooms[id]; old != nil {
		r = *old
	}
	r.until = time.Now().Add(namesTry)
	put(d.rooms, id, &r, maxRooms)
}

// user finds a person: in the directory, else by users.info. When Slack does not answer before ctx ends, what is known is
// taken, and be it nothing: an event must not wait.
// Source: https://docs.slack.dev/reference/methods/users.info
func (p *Platform) user(ctx context.Context, id string) person {
	u, ok := p.dir.user(id)
	if ok || !isID(id) || ctx.Err() != nil {
		return u
	}
	_, err, _ := p.dir.once.Do("u"+id, func() (any, error) {
		var out struct {
			User wireUser `json:"user"`
		}
		_, err := p.call(ctx, "slack.User", method("users.info"), func(ctx context.Context) error {
			_, err := p.api.GetUserInfoContext(ctx, id)
			return err //nolint:wrapcheck // call classifies it
		}, &out)
		if err == nil {
			p.dir.putUser(id, out.User.person())
		}
		return nil, err
	})
	if err != nil {
		p.dir.failedUser(id)
	}
	u, _ = p.dir.user(id)
	return u
}

// wireUser is a user object. Source: https://docs.slack.dev/reference/objects/user-object
type wireUser struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	RealName string `json:"real_name"`
	TeamID   string `json:"team_id"`
	Deleted  bool   `json:"deleted"`
	Profile  struct {
		Display string `json:"display_name"`
		Real    string `json:"real_name"`
	} `json:"profile"`
}

func (w *wireUser) person() person {
	u := person{handle: w.Name, team: w.TeamID, known: true, until: time.Now().Add(namesFresh)}
	for _, name := range []string{w.Profile.Display, w.RealName, w.Profile.Real, w.Name} {
		if name != "" {
			u.name = name
			break
		}
	}
	return u
}

// room finds a room: in the directory, else by conversations.info. Like user it does not wait for long.
// Source: https://docs.slack.dev/reference/methods/conversations.info
func (p *Platform) room(ctx context.Context, id string) room {
	r, ok := p.dir.room(id)
	if ok || !isID(id) || ctx.Err() != nil {
		return r
	}
	_, err, _ := p.dir.once.Do("r"+id, func() (any, error) {
		var out struct {
			Channel wireRoom `json:"channel"`
		}
		_, err := p.call(ctx, "slack.Room", method("conversations.info"), func(ctx context.Context) error {
			_, err := p.api.GetConversationInfoContext(ctx, &slackgo.GetConversationInfoInput{ChannelID: id})
			return err //nolint:wrapcheck // call classifies it
		}, &out)
		if err == nil {
			p.dir.putRoom(id, out.Channel.room())
		}
		return nil, err
	})
	if err != nil {
		p.dir.failedRoom(id)
	}
	r, _ = p.dir.room(id)
	return r
}

// wireRoom is a conversation object. Source: https://docs.slack.dev/reference/objects/conversation-object
type wireRoom struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	User     string `json:"user"`
	IsIM     bool   `json:"is_im"`
	IsMember bool   `json:"is_member"`
	IsMPIM   bool   `json:"is_mpim"`
	Archived bool   `json:"is_archived"`
}

func (w *wireRoom) room() room {
	return room{name: w.Name, direct: w.IsIM, known: true, until: time.Now().Add(namesFresh)}
}

// names tells how to write what a text mentions.
func (p *Platform) names(ctx context.Context, self string) *names {
	return &names{
		self: self,
		user: func(id string) string { return p.user(ctx, id).name },
		room: func(id string) string { return p.room(ctx, id).name },
	}
}

// sender is the person behind an event. Guests of a channel that workspaces share are of their own team.
// Source: https://docs.slack.dev/apis/slack-connect
func (p *Platform) sender(ctx context.Context, id, home, own string) core.User {
	u := p.user(ctx, id)
	return core.User{ID: id, Name: u.name, Handle: u.handle, Key: userKey(id, home, u.team, own)}
}

// userKey names a person by the first team that is known.
func userKey(id string, teams ...string) string {
	for _, t := range teams {
		if isID(t) {
			return "slack:" + t + ":" + id
		}
	}
	return "slack::" + id
}

// isID tells whether s can be an id: Slack's are capital letters and digits, other servers' have their own.
func isID(s string) bool {
	if len(s) < 1 || len(s) > 40 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isWord(c) && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
