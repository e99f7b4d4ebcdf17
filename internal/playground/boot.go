package playground

import (
	"encoding/json"
	"net/http"

	"github.com/clickai/bridge/internal/sim/clickai"
)

// bootItem is what does not change while the page is open.
type bootItem struct {
	Platforms []bootPlatform `json:"platforms"`
	Samples   []bootSample   `json:"samples"`
	Bridge    bool           `json:"bridge"` // it can be stopped
	Tour      bool           `json:"tour"`
	RealApp   bool           `json:"realApp"`
}

type bootPlatform struct {
	Name    string          `json:"name"`
	Title   string          `json:"title"`
	Bot     string          `json:"bot"`
	People  []Person        `json:"people"`
	Emoji   []string        `json:"emoji"`
	Threads bool            `json:"threads"` // a thread is opened by an act of its own
	Opens   bool            `json:"opens"`   // who looks at the direct chat tells the bot so
	Rooms   map[string]Room `json:"rooms"`
}

type bootSample struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Question string `json:"question"`
	Vi       string `json:"vi"`
	Mode     string `json:"mode"`
}

// shownSamples are the built-in answers that the page offers, with the mode of the app that gives each.
var shownSamples = []struct{ name, mode string }{
	{"long", "chat"},
	{"table", "chat"},
	{"code", "chat"},
	{"picture", "chat"},
	{"voice", "chat"},
	{"sources", "chat"},
	{"link", "chat"},
	{"think", "chat"},
	{"moderation", "chat"},
	{"error", "chat"},
	{"slow", "chat"},
	{"empty", "chat"},
	{"tools", "agent-chat"},
	{"steps", "workflow"},
}

func (s *Server) bootItem() bootItem {
	out := bootItem{Bridge: s.opt.Bridge != nil, Tour: s.opt.Tour != nil, RealApp: !s.opt.Samples, Samples: []bootSample{}}
	for _, p := range s.platforms {
		out.Platforms = append(out.Platforms, bootPlatform{
			Name: p.Name(), Title: p.title, Bot: p.bot, People: p.people, Emoji: p.emoji, Threads: p.thread != nil, Opens: p.open != nil,
			Rooms: s.opt.Rooms[p.Name()],
		})
	}
	if !s.opt.Samples {
		return out
	}
	menu := map[string]clickai.Sample{}
	for _, x := range clickai.Menu() {
		menu[x.Name] = x
	}
	for _, x := range shownSamples {
		if m, ok := menu[x.name]; ok {
			out.Samples = append(out.Samples, bootSample{m.Name, m.Title, m.Question, m.Vi, x.mode})
		}
	}
	return out
}

func (s *Server) boot(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.bootItem())
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(data) // a browser that left needs none
}
