package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

// tourStep bounds one step of the tour.
const tourStep = 60 * time.Second

// tourStages is how many stages of growth an answer must show.
const tourStages = 3

// tour plays the scripted conversation on all platforms at once and prints them one after the other. What it prints and
// checks is what the stand-ins saw; nothing is asked of the bridge.
func (p *program) tour(ctx context.Context, set *standins.Set, agent standins.AgentConfig) error {
	plays := playTour(ctx, set, "Tour", func(playground.Step) {})
	failed := 0
	for _, pl := range plays {
		if _, err := io.Copy(p.out, &pl.out); err != nil {
			return err
		}
		failed += pl.failed
	}
	violations := set.Violations()
	for _, v := range violations {
		fmt.Fprintln(p.out, "✗ against the platform's rules:", v)
	}
	if failed > 0 || len(violations) > 0 {
		fmt.Fprintf(p.out, "%d steps were not seen, %d rules broken\n", failed, len(violations))
		return errSilent
	}
	if set.ClickAI == nil {
		fmt.Fprintf(p.out, "Every step that can be seen from the platforms' side was seen; ClickAI's side is at %s.\n", agent.BaseURL)
		return nil
	}
	fmt.Fprintln(p.out, "Every step was seen on Slack, Discord and Telegram.")
	return nil
}

// playTour plays on all platforms at once and returns when all is over. Each question begins with label; report is told of
// each step, from several goroutines.
func playTour(ctx context.Context, set *standins.Set, label string, report func(playground.Step)) []*play {
	stages := set.Stages()
	plays := make([]*play, len(stages))
	var wg sync.WaitGroup
	for i, st := range stages {
		plays[i] = &play{set: set, Stage: st, label: label, report: report}
		wg.Go(func() { plays[i].run(ctx) })
	}
	wg.Wait()
	return plays
}

// play is the tour on one platform.
type play struct {
	standins.Stage
	set    *standins.Set
	label  string
	report func(playground.Step)
	out    bytes.Buffer
	failed int
}

func (pl *play) printf(format string, args ...any) { fmt.Fprintf(&pl.out, format+"\n", args...) }

// step runs one step and says whether it was seen.
func (pl *play) step(ctx context.Context, name string, f func(context.Context) (string, error)) bool {
	ctx, cancel := context.WithTimeout(ctx, tourStep)
	defer cancel()
	seen, err := f(ctx)
	told := playground.Step{Platform: pl.Title, Name: name, Seen: err == nil, Detail: strings.TrimLeft(seen, ": ")}
	if err != nil {
		told.Detail = err.Error()
	}
	pl.report(told)
	if err != nil {
		pl.failed++
		pl.printf("  ✗ %s: %v", name, err)
		return false
	}
	pl.printf("  ✓ %s%s", name, seen)
	return true
}

// run plays all steps; those that need an earlier one that failed are left out and count as not seen.
func (pl *play) run(ctx context.Context) {
	pl.printf("\n━━ %s ━━", pl.Title)
	var first, second exchange
	notice := func(text string) string { return pl.label + " on " + pl.Title + ": " + text }

	ok := pl.step(ctx, "a question is answered, and the answer grows in place", func(ctx context.Context) (string, error) {
		err := pl.ask(ctx, &first, sim.Say{Room: pl.Room.Room, Thread: pl.Room.Thread, Mention: pl.Mention, Text: notice("what does the warranty cover?")})
		if err != nil {
			return "", err
		}
		pl.show(first)
		if n := first.stages(); n < tourStages {
			return "", fmt.Errorf("the answer was seen at %d stages, not %d", n, tourStages)
		}
		return fmt.Sprintf(": seen at %d stages in %s", first.stages(), first.took().Round(100*time.Millisecond)), nil
	})
	if !ok {
		pl.failed += 4
		pl.printf("  ✗ the other steps need this one")
		return
	}
	room, thread := pl.AnswerPlace(first.question)

	pl.step(ctx, "the second turn goes on with the conversation, without inputs", func(ctx context.Context) (string, error) {
		err := pl.ask(ctx, &second, sim.Say{Room: room, Thread: thread, Text: notice("and what did I ask before?")})
		if err != nil {
			return "", err
		}
		pl.show(second)
		if pl.set.ClickAI == nil {
			return " (ClickAI's side is not seen)", nil
		}
		switch {
		case first.turn.ConversationSent != "":
			return "", fmt.Errorf("the first turn was sent with conversation_id %q, not with none", first.turn.ConversationSent)
		case len(first.turn.Inputs) == 0:
			return "", errors.New("the first turn was sent without its inputs")
		case second.turn.ConversationSent == "" || second.turn.ConversationSent != first.turn.ConversationID:
			return "", fmt.Errorf("the second turn was sent with conversation_id %q, not %q", second.turn.ConversationSent, first.turn.ConversationID)
		case second.turn.Inputs == nil || len(second.turn.Inputs) != 0:
			return "", fmt.Errorf("the second turn was sent with inputs %v, not {}", second.turn.Inputs)
		}
		return fmt.Sprintf(": conversation_id %s, inputs {}", second.turn.ConversationSent), nil
	})

	pl.step(ctx, "an attachment arrives byte for byte", func(ctx context.Context) (string, error) {
		file := sim.File{Name: "invoice.csv", MIME: "text/csv", Data: []byte("item,price\nprinter,199\n" + strings.Repeat("toner,49\n", 500))}
		var third exchange
		if err := pl.ask(ctx, &third, sim.Say{Room: room, Thread: thread, Text: notice("what is in this file?"), Files: []sim.File{file}}); err != nil {
			return "", err
		}
		pl.show(third)
		if pl.set.ClickAI == nil {
			return " (ClickAI's side is not seen)", nil
		}
		if len(third.turn.Files) != 1 {
			return "", fmt.Errorf("the turn named %d files, not 1", len(third.turn.Files))
		}
		got := third.turn.Files[0]
		if got.Name != file.Name || !bytes.Equal(got.Data, file.Data) {
			return "", fmt.Errorf("ClickAI has %q of %d bytes, which is not what was sent", got.Name, len(got.Data))
		}
		return fmt.Sprintf(": %s, %d bytes, upload %s named by the turn", got.Name, len(got.Data), got.UploadID), nil
	})

	target := first.replies[len(first.replies)-1]
	rated := func(ctx context.Context, want string, do func(context.Context, sim.Ref, string, string) error) (string, error) {
		before := 0
		if pl.set.ClickAI != nil {
			before = len(pl.set.ClickAI.Ratings())
		}
		if err := do(ctx, target.Ref, pl.Person, "👍"); err != nil {
			return "", err
		}
		if pl.set.ClickAI == nil {
			return " (ClickAI's side is not seen)", nil
		}
		for {
			changed := pl.set.ClickAI.Changed()
			for _, r := range pl.set.ClickAI.Ratings()[before:] {
				if r.MessageID == first.turn.MessageID {
					if r.Rating != want {
						return "", fmt.Errorf("ClickAI was sent %q, not %q", r.Rating, want)
					}
					word := r.Rating
					if word == "" {
						word = "null"
					}
					return fmt.Sprintf(": message %s is rated %s", r.MessageID, word), nil
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return "", errors.New("no rating reached ClickAI")
			}
		}
	}
	pl.step(ctx, "👍 becomes like", func(ctx context.Context) (string, error) { return rated(ctx, "like", pl.Platform.React) })
	pl.step(ctx, "its removal becomes null", func(ctx context.Context) (string, error) { return rated(ctx, "", pl.Platform.Unreact) })

	pl.step(ctx, "another thread or topic has a conversation of its own", func(ctx context.Context) (string, error) {
		var other exchange
		if err := pl.ask(ctx, &other, sim.Say{Room: pl.Other.Room, Thread: pl.Other.Thread, Mention: pl.OtherMention, Text: notice("something else, please")}); err != nil {
			return "", err
		}
		pl.show(other)
		if pl.set.ClickAI == nil {
			return " (ClickAI's side is not seen)", nil
		}
		if other.turn.ConversationSent != "" || other.turn.ConversationID == first.turn.ConversationID {
			return "", fmt.Errorf("it was sent with conversation_id %q and got %q", other.turn.ConversationSent, other.turn.ConversationID)
		}
		return ": conversation_id " + other.turn.ConversationID, nil
	})
}

// exchange is one question with its answer, as the stand-ins saw it.
type exchange struct {
	question sim.Message
	replies  []sim.Message
	turn     clickai.Turn // zero with the real ClickAI
}

// ask writes as the person and waits for the whole answer.
func (pl *play) ask(ctx context.Context, ex *exchange, say sim.Say) error {
	say.User = pl.Person
	room, thread := say.Room, say.Thread
	// What stands there already is not the answer.
	old := map[string]bool{}
	for _, m := range pl.Platform.Messages(room, thread) {
		old[m.ID] = true
	}
	q, err := pl.Platform.Say(ctx, say)
	if err != nil {
		return fmt.Errorf("write the question: %w", err)
	}
	ex.question = q
	room, thread = pl.AnswerPlace(q)
	var quiet <-chan time.Time
	for {
		changed := pl.Platform.Changed()
		var told <-chan struct{}
		if pl.set.ClickAI != nil {
			told = pl.set.ClickAI.Changed()
		}
		ex.replies = nil
		for _, m := range pl.Platform.Messages(room, thread) {
			if m.Bot && !old[m.ID] {
				ex.replies = append(ex.replies, m)
			}
		}
		whole, err := pl.whole(ctx, ex, say.Text)
		if err != nil || whole {
			return err
		}
		if pl.set.ClickAI == nil && len(ex.replies) > 0 {
			quiet = time.After(8 * time.Second) // a real answer is complete when it has not changed for a while
		}
		select {
		case <-changed:
		case <-told:
		case <-quiet:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("no whole answer in %s: %d messages so far", tourStep, len(ex.replies))
		}
	}
}

// whole tells whether the platform shows all that ClickAI answered.
func (pl *play) whole(_ context.Context, ex *exchange, question string) (bool, error) {
	if pl.set.ClickAI == nil {
		return false, nil
	}
	for _, t := range pl.set.ClickAI.Turns() {
		if strings.Contains(t.Question, question) {
			ex.turn = t
		}
	}
	switch ex.turn.Status {
	case clickai.StatusFinished:
	case "", clickai.StatusRunning:
		return false, nil
	default:
		return false, fmt.Errorf("ClickAI's turn ended as %s", ex.turn.Status)
	}
	var shown strings.Builder
	for _, m := range ex.replies {
		shown.WriteString(m.Shown)
	}
	return strings.Contains(letters(shown.String()), lastLetters(ex.turn.Answer, 40)), nil
}

// letters are the letters and digits of a text: what is left of an answer in every platform's formatting.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

func lastLetters(s string, n int) string {
	all := []rune(letters(s))
	return string(all[max(0, len(all)-n):])
}

// stages counts the different states in which the answer was to be seen.
func (ex exchange) stages() int {
	n := 0
	for _, m := range ex.replies {
		n += len(m.Versions)
	}
	return n
}

// took is the time from the question to the last change.
func (ex exchange) took() time.Duration {
	last := ex.question.At
	for _, m := range ex.replies {
		if at := m.Versions[len(m.Versions)-1].At; at.After(last) {
			last = at
		}
	}
	return last.Sub(ex.question.At)
}

func (pl *play) placeName(room, thread string) string {
	for _, x := range pl.Platform.Places() {
		if x.Room == room && x.Thread == thread {
			if x.Kind == "channel" {
				return "#" + x.Name
			}
			return x.Name
		}
	}
	return room
}

// show prints an exchange: the question, the stages of the answer, and its last state whole.
func (pl *play) show(ex exchange) {
	pl.printf("\n  %s, %s: %s", pl.placeName(ex.question.Room, ex.question.Thread), pl.Name, oneLine(ex.question.Shown, 100))
	for _, f := range ex.question.Files {
		pl.printf("    📎 %s (%d bytes)", f.Name, len(f.Data))
	}
	for i, m := range ex.replies {
		const most = 6
		states := m.Versions
		for k, v := range states {
			if len(states) > most && k == most-2 {
				pl.printf("    …      (%d more stages)", len(states)-most+1)
			}
			if len(states) > most && k >= most-2 && k < len(states)-1 {
				continue
			}
			pl.printf("    %5.1f s  message %d, %4d characters: …%s", v.At.Sub(ex.question.At).Seconds(), i+1, len([]rune(v.Shown)), oneLine(tailOf(v.Shown, 50), 60))
		}
	}
	where := "in reply"
	if len(ex.replies) > 0 && ex.replies[0].Thread != ex.question.Thread {
		where = "in a thread of the question"
	}
	pl.printf("  %s, %s (whole, as shown):", pl.Bot, where)
	for _, m := range ex.replies {
		for line := range strings.SplitSeq(strings.TrimRight(m.Shown, "\n"), "\n") {
			pl.printf("  │ %s", line)
		}
	}
}

func tailOf(s string, n int) string {
	r := []rune(strings.TrimRight(s, "\n "))
	return string(r[max(0, len(r)-n):])
}

// oneLine makes one line of a text, cut to n characters.
func oneLine(s string, n int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}
