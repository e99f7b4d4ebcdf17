package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

const talkHelp = `Write to the bot; its answers appear as each platform shows them.
  /slack /discord /telegram   where you write (a new question there begins a new thread; Telegram is a private chat)
  /reply TEXT                 go on in the thread of the last answer
  /file PATH [TEXT]           send a file
  /like /dislike /unrate      react to the last answer, or take the reaction back
  /menu                       answers to try
  /help /quit`

// maxDemoFile bounds a file that a person sends in the demo.
const maxDemoFile = 20 << 20

// talk lets a person write on each stand-in from the terminal until the input ends.
func (p *program) talk(ctx context.Context, set *standins.Set) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &talker{set: set, out: p.out, stages: set.Stages(), seen: map[string]string{}, last: map[string]sim.Message{}}
	fmt.Fprintln(p.out, talkHelp)
	t.prompt()
	var wg sync.WaitGroup
	for _, st := range t.stages {
		wg.Go(func() { t.watch(ctx, st) })
	}
	defer wg.Wait()
	defer cancel()

	// Reading cannot be interrupted; the reader is left behind when the program ends.
	lines := make(chan string)
	go func() {
		defer close(lines)
		in := bufio.NewScanner(p.in)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			select {
			case lines <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			quit, err := t.command(ctx, strings.TrimSpace(line))
			if err != nil {
				t.say("! %v", err)
			}
			if quit {
				return nil
			}
		}
	}
}

// talker is the terminal's side of the demo.
type talker struct {
	set    *standins.Set
	out    io.Writer
	stages []standins.Stage
	at     int // index of the stage that is written to

	mu      sync.Mutex
	seen    map[string]string      // message → what was printed of it
	last    map[string]sim.Message // platform → last message of the bot
	current string                 // message that the output stands in
}

func (t *talker) prompt() {
	st := t.stages[t.at]
	t.say("You write as %s on %s, in %s.", st.Name, st.Title, st.Room.Name)
}

func (t *talker) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != "" {
		fmt.Fprintln(t.out)
		t.current = ""
	}
	fmt.Fprintf(t.out, format+"\n", args...)
}

func (t *talker) command(ctx context.Context, line string) (quit bool, err error) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	st := t.stages[t.at]
	switch word {
	case "":
		return false, nil
	case "/quit", "/exit":
		return true, nil
	case "/help":
		t.say("%s", talkHelp)
		return false, nil
	case "/menu":
		for _, s := range clickai.Menu() {
			t.say("  %-14s %s", s.Name, s.Question)
		}
		return false, nil
	case "/slack", "/discord", "/telegram":
		for i, x := range t.stages {
			if "/"+x.Platform.Name() == word {
				t.at = i
			}
		}
		t.prompt()
		return false, nil
	case "/like", "/dislike", "/unrate":
		return false, t.rate(ctx, st, word)
	}
	say := sim.Say{Room: st.Room.Room, Thread: st.Room.Thread, User: st.Person, Mention: st.Mention, Text: line}
	switch word {
	case "/reply":
		say.Text = rest
		if m, ok := t.lastOf(st); ok {
			say.Room, say.Thread, say.Mention = m.Room, m.Thread, false
		}
	case "/file":
		name, text, _ := strings.Cut(rest, " ")
		file, err := readFile(name)
		if err != nil {
			return false, err
		}
		say.Files, say.Text = []sim.File{file}, text
	default:
		if strings.HasPrefix(word, "/") {
			return false, fmt.Errorf("%s is not known; /help lists what is", word)
		}
	}
	_, err = st.Platform.Say(ctx, say)
	return false, err
}

func (t *talker) lastOf(st standins.Stage) (sim.Message, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m, ok := t.last[st.Platform.Name()]
	return m, ok
}

func (t *talker) rate(ctx context.Context, st standins.Stage, word string) error {
	m, ok := t.lastOf(st)
	if !ok {
		return errors.New("there is no answer here yet")
	}
	switch word {
	case "/like":
		return st.Platform.React(ctx, m.Ref, st.Person, "👍")
	case "/dislike":
		return st.Platform.React(ctx, m.Ref, st.Person, "👎")
	}
	now, ok := st.Platform.Find(m.Ref)
	if !ok {
		return errors.New("the answer is gone")
	}
	for emoji, people := range now.Reactions {
		for _, who := range people {
			if who == st.Person {
				if err := st.Platform.Unreact(ctx, m.Ref, st.Person, emoji); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func readFile(name string) (sim.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return sim.File{}, err
	}
	if info.Size() > maxDemoFile {
		return sim.File{}, fmt.Errorf("%s has %d bytes; at most %d", name, info.Size(), maxDemoFile)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return sim.File{}, err
	}
	kind := mime.TypeByExtension(filepath.Ext(name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	return sim.File{Name: filepath.Base(name), MIME: kind, Data: data}, nil
}

// watch prints what the bot writes on one platform, as it grows. Ratings that reach ClickAI are told too.
func (t *talker) watch(ctx context.Context, st standins.Stage) {
	ratings := 0
	for {
		changed := st.Platform.Changed()
		var told <-chan struct{}
		if t.set.ClickAI != nil && st.Platform.Name() == "slack" { // one of the watchers tells of ClickAI's side
			told = t.set.ClickAI.Changed()
			all := t.set.ClickAI.Ratings()
			for ; ratings < len(all); ratings++ {
				r := all[ratings]
				word := r.Rating
				if word == "" {
					word = "null"
				}
				t.say("   ClickAI: message %s is rated %s (%s)", r.MessageID, word, r.Content)
			}
		}
		for _, place := range st.Platform.Places() {
			for _, m := range st.Platform.Messages(place.Room, place.Thread) {
				if m.Bot {
					t.print(st, place, m)
				}
			}
		}
		select {
		case <-changed:
		case <-told:
		case <-ctx.Done():
			return
		}
	}
}

// print shows what is new of a message: the rest of a text that has grown, the whole of one that has changed.
func (t *talker) print(st standins.Stage, place sim.Place, m sim.Message) {
	key := st.Platform.Name() + " " + m.Room + " " + m.Thread + " " + m.ID
	t.mu.Lock()
	defer t.mu.Unlock()
	had, known := t.seen[key]
	if known && had == m.Shown {
		return
	}
	t.seen[key], t.last[st.Platform.Name()] = m.Shown, m
	grown, grows := strings.CutPrefix(m.Shown, had)
	if grows && known && t.current == key {
		fmt.Fprint(t.out, grown)
		return
	}
	if t.current != "" {
		fmt.Fprintln(t.out)
	}
	t.current = key
	note := ""
	if known {
		note = ", changed"
	}
	fmt.Fprintf(t.out, "[%s, %s%s] %s: %s", st.Title, place.Name, note, st.Bot, m.Shown)
	for _, f := range m.Files {
		fmt.Fprintf(t.out, " 📎 %s (%d bytes)", f.Name, len(f.Data))
	}
}
