package core_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clickai/bridge/core"
)

// desk is a chat that answers commands and presses in its own way.
type desk struct {
	*chat

	mu      sync.Mutex
	answers []string // handle: text
	forms   []core.Form
	menu    []core.CommandInfo
	refuse  bool // to answer
}

func (d *desk) Answer(_ context.Context, handle string, p core.Part) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse {
		return &core.Error{Op: "desk.Answer", Class: core.Invalid}
	}
	d.answers = append(d.answers, handle+": "+p.Text)
	return nil
}

func (d *desk) OpenForm(_ context.Context, _ string, f core.Form) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forms = append(d.forms, f)
	return nil
}

func (d *desk) SetCommands(_ context.Context, all []core.CommandInfo) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.menu = append(d.menu, all...)
	return nil
}

func (d *desk) said() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.answers)
}

// library is an app that keeps conversations and has an opening statement.
type library struct {
	*app
	opening core.Opening

	mu      sync.Mutex
	names   map[string]string // conversation → name
	owner   string
	deleted []string
}

func (l *library) History(_ context.Context, user, conversation string, _ int) ([]core.PastTurn, error) {
	return []core.PastTurn{{Query: "what <@x> is it?", Answer: "it of " + user + " in " + conversation}}, nil
}

func (l *library) Conversations(_ context.Context, user string, _ int) ([]core.PastConversation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if user != l.owner {
		return nil, nil
	}
	var all []core.PastConversation
	for id, name := range l.names {
		all = append(all, core.PastConversation{ID: id, Name: name})
	}
	slices.SortFunc(all, func(a, b core.PastConversation) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

func (l *library) Rename(_ context.Context, _, conversation, name string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name == "" {
		name = "Made up"
	}
	l.names[conversation] = name
	return name, nil
}

func (l *library) Delete(_ context.Context, user, conversation string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deleted = append(l.deleted, user+" "+conversation)
	return nil
}

func (l *library) Opening(context.Context) (core.Opening, error) { return l.opening, nil }

// newDesk is a rig whose platform and app can do everything.
func newDesk(t *testing.T) (*rig, *desk, *library) {
	r := newRig(t)
	r.chat.limits.Buttons = 5
	d := &desk{chat: r.chat}
	l := &library{app: r.app, names: map[string]string{"c1": "First", "c9": "Invoices"}, owner: minh.Key}
	r.platform, r.asApp = d, l
	return r, d, l
}

// inThread is a message in a thread of a room that a question to the bot opened.
func (r *rig) inThread(text string) core.Event {
	ev := r.message(text)
	ev.Room, ev.Reach, ev.Thread = core.Room{ID: "C1", Name: "support"}, core.ReachMention, "t1"
	return ev
}

// slash is a command in the platform's own form.
func (r *rig) slash(name, args string) core.Event {
	ev := r.message("")
	ev.Kind, ev.Command, ev.Reach, ev.MessageID, ev.Handle = core.KindCommand, &core.Command{Name: name, Args: args}, "", "", "h-"+ev.Key
	return ev
}
