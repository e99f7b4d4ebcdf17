package config

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/clickai/bridge/core"
)

// platforms are those that bots can be on.
type platforms []core.PlatformKind

func (p platforms) names() []string {
	names := make([]string, len(p))
	for i, k := range p {
		names[i] = k.Name
	}
	return names
}

func (p platforms) byName(name string) (core.PlatformKind, bool) {
	for _, k := range p {
		if k.Name == name {
			return k, true
		}
	}
	return core.PlatformKind{}, false
}

// settingsFields are the keys that only this platform has.
func settingsFields(s core.Settings) []field {
	v := reflect.ValueOf(s)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	return fieldsOf(v.Elem())
}

// bots reads the list of bots. Each mapping holds the keys of [core.BotSettings] and those of its platform.
func (w *walker) bots(path string, seq *ast.SequenceNode) []Bot {
	list := make([]Bot, len(seq.Values))
	for i, n := range seq.Values {
		list[i].BotSettings = core.DefaultBotSettings()
		w.bot(fmt.Sprintf("%s[%d]", path, i), n, &list[i])
	}
	return list
}

func (w *walker) bot(path string, n ast.Node, b *Bot) {
	defer w.leave()
	if !w.enter(path, n) {
		return
	}
	at := start(n)
	w.seen[path] = seen{at: at}
	n, _, ok := w.resolve(path, n)
	if !ok {
		return
	}
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		w.fail(path, at, "a bot is a mapping", "write its keys under - name:")
		return
	}
	entries := w.entries(path, n)
	fields := fieldsOf(reflect.ValueOf(&b.BotSettings).Elem())
	// The platform is read first: it says which other keys there are.
	for _, e := range entries {
		if e.key == "platform" {
			w.decode(join(path, e.key), e.value, target{v: reflect.ValueOf(&b.Platform).Elem()})
		}
	}
	var elsewhere []string // keys of platforms that this bot may be meant to be on
	if kind, known := w.kinds.byName(b.Platform); known {
		b.Settings = kind.NewSettings()
		fields = append(fields, settingsFields(b.Settings)...)
	} else {
		for _, k := range w.kinds {
			for _, f := range settingsFields(k.NewSettings()) {
				elsewhere = append(elsewhere, f.name)
			}
		}
	}
	w.botKeys(path, entries, fields, elsewhere)
}

// botKeys reads the keys of a bot but for the platform.
func (w *walker) botKeys(path string, entries []entry, fields []field, elsewhere []string) {
	byName := map[string]field{}
	var names []string
	for _, f := range fields {
		if _, twice := byName[f.name]; !twice {
			byName[f.name] = f
			names = append(names, f.name)
		}
	}
	for _, e := range entries {
		f, known := byName[e.key]
		switch at := join(path, e.key); {
		case e.key == "platform":
		case known:
			w.decode(at, e.value, f.target)
		case !slices.Contains(elsewhere, e.key):
			mend := suggest(e.key, append(names, elsewhere...))
			if owner := w.platformWith(e.key); owner != "" {
				mend = "it is a key of " + owner + "; " + mend
			}
			w.fail(at, e.at, "unknown key", mend)
		}
	}
}

// platformWith is the platform that has a key of its own by that name; "" if none has.
func (w *walker) platformWith(key string) string {
	for _, k := range w.kinds {
		for _, f := range settingsFields(k.NewSettings()) {
			if f.name == key {
				return k.Name
			}
		}
	}
	return ""
}
