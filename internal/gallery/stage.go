package gallery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
	simslack "github.com/clickai/bridge/internal/sim/slack"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// callTime bounds each call of an adapter, the wait for its turn included.
const callTime = time.Minute

// platform is one of the three.
type platform struct {
	title string
	bot   string // what others call the bot
	start func(*slog.Logger) (*stage, error)
}

var platforms = []platform{
	{title: "Slack", bot: "bridge", start: startSlack},
	{title: "Discord", bot: "Bridge", start: startDiscord},
	{title: "Telegram", bot: "Acme Support", start: startTelegram},
}

// stage is a bot and the stand-in that it talks to.
type stage struct {
	server sim.Looker
	bot    core.Platform
	at     core.Place
	pings  func() []string
}

func startSlack(log *slog.Logger) (*stage, error) {
	s, err := simslack.New(simslack.Options{})
	if err != nil {
		return nil, err //nolint:wrapcheck // start says what was being done
	}
	bot, err := slack.New("gallery", slack.Config{
		BotToken: core.Secret(s.BotToken()), AppToken: core.Secret(s.AppToken()), APIURL: s.APIURL(),
	}, log)
	return &stage{server: s, bot: bot, at: core.Place{Room: simslack.General}, pings: s.Pings}, err
}

func startDiscord(log *slog.Logger) (*stage, error) {
	s, err := simdiscord.New(simdiscord.Options{})
	if err != nil {
		return nil, err //nolint:wrapcheck // start says what was being done
	}
	bot, err := discord.New("gallery", discord.Config{Token: core.Secret(s.Token()), APIURL: s.APIURL()}, log)
	return &stage{server: s, bot: bot, at: core.Place{Room: simdiscord.General}, pings: s.Pings}, err
}

func startTelegram(log *slog.Logger) (*stage, error) {
	s, err := simtelegram.New(simtelegram.Options{})
	if err != nil {
		return nil, err //nolint:wrapcheck // start says what was being done
	}
	bot, err := telegram.New("gallery", telegram.Config{Token: core.Secret(s.Token()), APIURL: s.APIURL()}, log)
	pings := func() []string {
		var found []string
		for _, p := range s.Pings() {
			found = append(found, fmt.Sprintf("message %s pinged %v", p.ID, p.Users))
		}
		return found
	}
	return &stage{server: s, bot: bot, at: core.Place{Room: simtelegram.Minh}, pings: pings}, err
}

// show is how the messages of an answer look on a platform, state by state.
func (p platform) show(ctx context.Context, a answer) (_ [][][]sim.Block, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("show %s on %s: %w", a.file, p.title, err)
		}
	}()
	states, err := a.states()
	if err != nil {
		return nil, err
	}
	st, err := p.start(slog.New(slog.DiscardHandler))
	if st != nil {
		defer func() { err = errors.Join(err, st.server.Close()) }()
	}
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	w := poster{stage: st}
	looks := make([][][]sim.Block, 0, len(states))
	for i, source := range states {
		if err := w.write(ctx, st.bot.Render(source, i == len(states)-1)); err != nil {
			return nil, err
		}
		look, err := w.look()
		if err != nil {
			return nil, err
		}
		looks = append(looks, look)
	}
	if wrong := append(st.server.Violations(), st.pings()...); len(wrong) > 0 {
		return nil, fmt.Errorf("%w: %q", errWrong, wrong)
	}
	return looks, nil
}

var (
	errWrong    = errors.New("the bot did what it must not")
	errNoEdits  = errors.New("the platform cannot edit")
	errFewer    = errors.New("there are fewer messages than before")
	errUnsealed = errors.New("a message changed that another one follows")
)

// poster writes the messages of one answer, as they grow.
type poster struct {
	*stage
	parts []core.Part
	refs  []core.MessageRef
}

func (w *poster) write(ctx context.Context, parts []core.Part) error {
	if len(parts) < len(w.parts) {
		return errFewer
	}
	for i, part := range parts {
		switch {
		case i >= len(w.refs):
			if err := w.post(ctx, part, i); err != nil {
				return err
			}
		case part == w.parts[i]:
		case i < len(w.refs)-1:
			return errUnsealed
		default:
			if err := w.edit(ctx, part, i); err != nil {
				return err
			}
		}
	}
	w.parts = parts
	return nil
}

func (w *poster) post(ctx context.Context, part core.Part, i int) error {
	err := w.call(ctx, core.ShowPost, func(ctx context.Context) error {
		ref, err := w.bot.Post(ctx, core.Post{Place: w.at, Part: part, Nonce: fmt.Sprintf("part%d", i)})
		if err == nil {
			w.refs = append(w.refs, ref)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("post message %d: %w", i+1, err)
	}
	return nil
}

func (w *poster) edit(ctx context.Context, part core.Part, i int) error {
	editor, ok := w.bot.(core.Editor)
	if !ok {
		return errNoEdits
	}
	err := w.call(ctx, core.ShowEdit, func(ctx context.Context) error { return editor.Edit(ctx, w.refs[i], part) })
	if err != nil {
		return fmt.Errorf("edit message %d: %w", i+1, err)
	}
	return nil
}

// call makes a call in its turn, and again after the wait that a refusal asks for.
func (w *poster) call(ctx context.Context, kind core.ShowKind, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for {
		if pacer, ok := w.bot.(core.Pacer); ok {
			if err := pacer.Pace(ctx, core.Show{Kind: kind, Place: w.at, Urgent: true}); err != nil {
				return fmt.Errorf("wait for the turn: %w", err)
			}
		}
		err := do(ctx)
		if core.ClassOf(err) != core.RateLimited {
			return err
		}
		timer := time.NewTimer(max(core.RetryAfterOf(err), 10*time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

func (w *poster) look() ([][]sim.Block, error) {
	looks := make([][]sim.Block, 0, len(w.refs))
	for i, ref := range w.refs {
		look, err := w.server.Look(sim.Ref{Room: ref.Room, Thread: ref.Thread, ID: ref.ID})
		if err != nil {
			return nil, fmt.Errorf("look at message %d: %w", i+1, err)
		}
		looks = append(looks, look)
	}
	return looks, nil
}
