package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/clickai/bridge/core"
)

// botName is what a bot may be called: the name stands in web addresses, in the log and in every key of the store.
var botName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// IsBotName tells whether a bot may have that name.
func IsBotName(name string) bool { return botName.MatchString(name) }

// validate looks at what the values mean. What has a problem already is not looked at.
func (w *walker) validate(c *Config) {
	w.url("clickai.base_url", c.ClickAI.BaseURL)
	w.url("clickai.console_url", c.ClickAI.ConsoleURL)
	w.check(c.ClickAI.RequestsPerMinute < 0, "clickai.requests_per_minute", "is negative", "use 0 for the plan's figure")
	w.check(c.ClickAI.RequestsPerDay < 0, "clickai.requests_per_day", "is negative", "use 0 for the plan's figure")

	w.check(len(c.Apps) == 0, "apps", "no app is configured", "add one with its api_key")
	for _, name := range keysOf(c.Apps) {
		path := join("apps", name)
		w.check(name == "", path, "an app needs a name", "")
		w.check(c.Apps[name].APIKey == "", join(path, "api_key"), "is missing", "copy it from the app's API access page in ClickAI")
	}

	w.check(len(c.Bots) == 0, "bots", "no bot is configured", "add one with name, platform and app")
	first := map[string]int{}
	for i := range c.Bots {
		w.bridgeBot(c, i, first)
	}

	w.check(c.Store.Path == "", "store.path", "is empty", "use "+Default().Store.Path)
	w.check(c.Store.URL != "", "store.url", "a shared database is not supported in this version", "use store.path")
	w.check(c.Store.Retention <= 0, "store.retention", "is not a length of time", "use 90d, or as long as reactions are to count")
	w.listen(c.HTTP.Listen)
	w.check(c.ShutdownTimeout < 0, "shutdown_timeout", "is negative", "use 0s to end running answers at once")
}

// bridgeBot looks at one bot. first has the bots' names so far.
func (w *walker) bridgeBot(c *Config, i int, first map[string]int) {
	b := &c.Bots[i]
	path := fmt.Sprintf("bots[%d]", i)
	if w.failed[path] {
		return
	}
	name := join(path, "name")
	before, twice := first[b.Name]
	switch {
	case b.Name == "":
		w.check(true, name, "is missing", "give the bot a name of its own")
	case !IsBotName(b.Name):
		w.check(true, name, "is not a name", "use letters, digits, dots, dashes and underscores, at most 64")
	case twice:
		w.check(true, name, fmt.Sprintf("another bot has this name, on line %d", w.seen[fmt.Sprintf("bots[%d].name", before)].at.line),
			"give each bot a name of its own")
	default:
		first[b.Name] = i
	}

	switch platform := join(path, "platform"); {
	case b.Platform == "":
		w.check(true, platform, "is missing", "use one of "+strings.Join(w.kinds.names(), ", "))
	case b.Settings == nil:
		w.check(true, platform, fmt.Sprintf("unknown platform %s", quote(b.Platform)), suggest(b.Platform, w.kinds.names()))
	default:
		w.settings(path, b.Settings.Validate())
	}
	w.settings(path, b.Validate())

	app := join(path, "app")
	w.check(b.App == "", app, "is missing", "name one of apps")
	w.app(app, b.App, c)
	for r, route := range b.Routes {
		at := fmt.Sprintf("%s.routes[%d]", path, r)
		w.check(len(route.Rooms) == 0, join(at, "rooms"), "is missing: the route is never taken", "name the rooms")
		w.check(route.App == "", join(at, "app"), "is missing", "name one of apps")
		w.app(join(at, "app"), route.App, c)
	}
}

// app looks whether a named app is there.
func (w *walker) app(path, name string, c *Config) {
	if name == "" || len(c.Apps) == 0 {
		return
	}
	_, ok := c.Apps[name]
	w.check(!ok, path, fmt.Sprintf("there is no app %s", quote(name)), suggest(name, keysOf(c.Apps)))
}

// settings takes the problems that a struct of settings finds with itself.
func (w *walker) settings(path string, found []core.Problem) {
	for _, p := range found {
		at := path
		if p.Key != "" {
			at += "." + p.Key
		}
		// A platform's check may show what it likes: any variable's value is taken out.
		w.check(true, at, conceal(p.What, long(w.values)), conceal(p.Mend, long(w.values)))
	}
}

// long are the values that can be told from other text.
func long(values []hidden) []hidden {
	return slices.DeleteFunc(slices.Clone(values), func(h hidden) bool { return len(h.value) < 6 })
}

func (w *walker) url(path, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		w.check(true, path, "is not an http or https address", "write it as https://host, with a path if it has one")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		w.check(true, path, "has a user, a query or a fragment", "leave them out")
	}
}

func (w *walker) listen(text string) {
	if text == "" {
		return
	}
	_, port, err := net.SplitHostPort(text)
	if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil {
		w.check(true, "http.listen", "is not host:port", "write it as 127.0.0.1:8080, or :8080 for every address")
	}
}

// check notes a problem at a path, unless that has one already. Where the file does not give the value, the place is that of
// what should hold it. A value from a variable is named by the variable.
func (w *walker) check(wrong bool, path, what, mend string) {
	if !wrong || len(w.list) >= maxProblems || w.hasFailed(path) {
		return
	}
	at, given := w.seen[path]
	for up := path; !given && up != ""; {
		up = up[:max(strings.LastIndexAny(up, ".["), 0)]
		at, given = w.seen[up]
	}
	if !given {
		at.at = place{1, 1}
	}
	var names []string
	for p, s := range w.seen {
		if p != path && !strings.HasPrefix(p, path+".") && !strings.HasPrefix(p, path+"[") {
			continue
		}
		for _, r := range s.refs {
			what = concealWord(what, r)
			mend = concealWord(mend, r)
			if !slices.Contains(names, r.shown) {
				names = append(names, r.shown)
			}
		}
	}
	slices.Sort(names)
	if len(names) > 0 && !strings.Contains(what, names[0]) {
		what += " (from " + strings.Join(names, ", ") + ")"
	}
	w.fail(path, at.at, what, mend)
}

// hasFailed is true if the path, what holds it, or what it holds has a problem already.
func (w *walker) hasFailed(path string) bool {
	for p := range w.failed {
		if p == path || strings.HasPrefix(p, path+".") || strings.HasPrefix(p, path+"[") {
			return true
		}
	}
	return false
}

// concealWord replaces a short value only where it stands as a word, a long one everywhere.
func concealWord(text string, h hidden) string {
	if h.value == "" {
		return text
	}
	if len(h.value) >= 4 {
		return conceal(text, []hidden{h})
	}
	word, err := regexp.Compile(`(^|[^\pL\pN])` + regexp.QuoteMeta(h.value) + `($|[^\pL\pN])`)
	if err != nil {
		return text
	}
	return word.ReplaceAllString(text, "${1}"+strings.ReplaceAll(h.shown, "$", "$$")+"${2}")
}
