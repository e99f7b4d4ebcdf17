package crashtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

const (
	quietTime  = 1500 * time.Millisecond // without news, after which nothing more is expected
	settleTime = 3 * time.Minute         // for all that is open after the last kill of a round
)

// Scene is what one store goes through: an app's mode and how answers grow.
type Scene struct {
	Mode   clickai.Mode
	Stream string // "edit", "native" or "final"
}

// String is the scene in words.
func (s Scene) String() string { return string(s.Mode) + ", " + s.Stream }

// weight is the scene's share of the kills: where answers are streamed there are more points.
func (s Scene) weight() int {
	if s.Stream == "native" {
		return 3
	}
	return 1
}

// Scenes are all that the test knows. The first ones are the most usual.
func Scenes() []Scene {
	return []Scene{
		{clickai.ModeChat, "edit"},
		{clickai.ModeAgentChat, "edit"},
		{clickai.ModeChat, "native"},
		{clickai.ModeChat, "final"},
	}
}

// Config is one run.
type Config struct {
	Seed      uint64
	Kills     int      // in all scenes together
	Round     int      // kills before it is looked what became of all questions
	Platforms []string // of "slack", "discord" and "telegram"
	Scenes    []Scene
	// Dir gets the configurations, the stores and the logs of the bridges, a folder for each scene.
	Dir string
	// Command makes `bridge run` with the configuration at a path.
	Command func(config string) *exec.Cmd
	// Settle is how long all that is open may take after the last kill of a round; 0: long enough for every retry.
	Settle time.Duration
	// Progress gets a line for each round; nil: nobody.
	Progress func(line string)
}

// Run plays all scenes. The error says why it could not be played to its end; what the bridge did wrong is in the result,
// which is there as far as it goes also with an error.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	res := newResult(cfg)
	began := time.Now()
	all, done := 0, 0
	for _, sc := range cfg.Scenes {
		all += sc.weight()
	}
	for i, sc := range cfg.Scenes {
		done += sc.weight()
		kills := cfg.Kills * done / all
		if err := play(ctx, cfg, sc, i, kills-res.Kills, res); err != nil {
			res.Took = time.Since(began)
			return res, fmt.Errorf("scene %q: %w", sc, err)
		}
	}
	res.Took = time.Since(began)
	return res, nil
}

// newRand makes a sequence that depends on its seeds alone.
func newRand(a, b uint64) *rand.Rand {
	return rand.New(rand.NewPCG(a, b))
}

// scene is a Scene that is played.
type scene struct {
	cfg   Config
	sc    Scene
	res   *Result
	r     *rand.Rand
	w     watch
	dir   string
	log   *os.File
	set   *standins.Set
	k     *killer
	crowd *crowd
	plans *planner         // of kills
	links map[string]*link // of a storm, by service

	mu       sync.Mutex
	troubles []Trouble // that are over
}

// play plays one scene with so many kills.
func play(ctx context.Context, cfg Config, sc Scene, index, kills int, res *Result) (err error) {
	s := &scene{cfg: cfg, sc: sc, res: res, r: newRand(cfg.Seed, uint64(index))}
	defer func() { err = errors.Join(err, s.close()) }()
	opt := s.options()
	at := &doors{}
	if err := at.into(ctx, &opt, cfg.Platforms); err != nil {
		return err
	}
	if err := s.open(index, opt); err != nil {
		return err
	}
	s.k.doors = at
	s.plans = newPlanner(newRand(s.r.Uint64(), s.r.Uint64()), Points(cfg.Platforms, sc.Stream), res.Aimed)
	for _, p := range s.set.Platforms() {
		p.Faults().SetTap(&tap{service: p.Name(), k: s.k})
	}
	s.set.ClickAI.Faults().SetTap(&tap{service: "clickai", k: s.k})
	began := time.Now()
	if err := s.firstStart(ctx); err != nil {
		return err
	}
	if err := s.k.stop(); err != nil {
		return err
	}
	s.check(0, began)
	rounds := (kills + s.cfg.Round - 1) / s.cfg.Round
	for i := range rounds {
		if err := s.round(ctx, kills*(i+1)/rounds-kills*i/rounds); err != nil {
			return err
		}
	}
	return nil
}

// open starts the stand-ins and makes all that is needed to start the bridge. Close the scene also after an error.
func (s *scene) open(index int, opt standins.Options) (err error) {
	if s.set, err = standins.Start(opt); err != nil {
		return err
	}
	s.dir = filepath.Join(s.cfg.Dir, fmt.Sprintf("scene%d", index))
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	path, err := s.set.WriteConfig(s.dir, s.set.Agent(s.sc.Mode), s.extra())
	if err != nil {
		return err
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "bridge.log")); err != nil {
		return fmt.Errorf("make a log: %w", err)
	}
	s.k = &killer{
		command: func() *exec.Cmd { return s.cfg.Command(path) }, log: s.log,
		r: newRand(s.r.Uint64(), s.r.Uint64()),
	}
	s.crowd = &crowd{w: &s.w, streams: s.sc.Stream == "native"}
	for _, p := range s.set.Platforms() {
		s.crowd.spots = append(s.crowd.spots, spots(p, s.r)...)
	}
	return nil
}

// close leaves nothing running.
func (s *scene) close() error {
	var errs []error
	if s.k != nil {
		s.k.end()
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	if s.set != nil {
		errs = append(errs, s.set.Close())
	}
	return errors.Join(errs...)
}

// firstStart lets the bots connect once, since nothing that was written before that is answered, and asks everywhere. The bridge
// goes on.
func (s *scene) firstStart(ctx context.Context) error {
	if err := s.k.start(plan{}, false); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, settleTime, errors.New("the bots did not connect"))
	defer cancel()
	for _, p := range s.set.Platforms() {
		for {
			changed := p.Changed()
			if p.Connected() {
				break
			}
			select {
			case <-changed:
			case <-s.k.p.dead:
				return fmt.Errorf("%w: %w", errEnded, s.k.p.err)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	for _, at := range s.crowd.spots { // a room in which nothing was ever said to it is not looked at after a restart
		at.conv = &conversation{spot: at}
		if _, err := s.crowd.say(ctx, at); err != nil {
			return err
		}
	}
	return s.settle(ctx, 0)
}

// options are stand-ins with people, whose limits do not get in the way: pacing is not what is tested.
func (s *scene) options() standins.Options {
	const many = 1_000_000
	c := standins.Crowd{People: crowdPeople, Rooms: crowdRooms}
	opt := standins.Options{Only: s.cfg.Platforms}
	opt.ClickAI = clickai.Options{
		Agent: s.w.answer, PingInterval: -1,
		Keep: clickai.Keep{Requests: 100, Turns: many, TurnEvents: -1, Files: many, Ratings: many, Conversations: many},
	}
	opt.Slack = c.Slack(slack.Options{
		LimitScale: 1000, AckDeadline: time.Second, Retries: []time.Duration{0, time.Second, 3 * time.Second, 5 * time.Second},
		MaxVersions: 2, Observe: s.w.observe,
	})
	opt.Discord = c.Discord(discord.Options{RateScale: 0.001, MaxVersions: 2, Observe: s.w.observe})
	opt.Telegram = c.Telegram(telegram.Options{RateScale: 1000, MaxVersions: 2, Observe: s.w.observe})
	for i := range opt.Telegram.Chats {
		opt.Telegram.Chats[i].BotAdmin = true // else neither reactions nor the other files of an album reach it
	}
	return opt
}

// extra is what the bots' configuration has besides: nothing that people may do too often gets in the way.
func (s *scene) extra() string {
	return fmt.Sprintf("stream: {mode: %s}\nlimits: {turns_per_user: \"0\", queue_per_conversation: 1000, answer_timeout: 2m}\n", s.sc.Stream)
}

// round kills so often while people ask, and then looks at what became of it.
func (s *scene) round(ctx context.Context, times int) error {
	from, began := len(s.w.asked(0)), time.Now()
	kills, _ := s.k.history()
	before := len(kills)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	s.crowd.ask(asking)
	var err error
	for range times {
		if err = s.k.runOnce(ctx, s.plans.next()); err != nil {
			break
		}
		if s.inFlight(from).Missed {
			s.plans.again()
		}
	}
	stop()
	if err = errors.Join(err, s.crowd.wait()); err != nil {
		return err
	}
	killing := time.Since(began)
	if err := s.k.start(plan{}, false); err != nil {
		return err
	}
	if err := s.settle(ctx, from); err != nil {
		return err
	}
	if err := s.k.stop(); err != nil {
		return err
	}
	s.check(from, began)
	kills, _ = s.k.history()
	made := kills[before:]
	s.res.addKills(made)
	if s.cfg.Progress != nil {
		s.cfg.Progress(fmt.Sprintf("%s: %d kills in %v, %d questions answered after %v; %d kills in all, %d failures", s.sc, len(made),
			killing.Round(10*time.Millisecond), len(s.w.asked(from)), time.Since(began).Round(10*time.Millisecond), s.res.Kills, len(s.res.Failures)))
	}
	return nil
}

// inFlight counts the questions that the last kill hit.
func (s *scene) inFlight(from int) Kill {
	kills, _ := s.k.history()
	kill := kills[len(kills)-1]
	for _, q := range s.w.asked(from) {
		select {
		case <-q.whole:
			continue
		default:
		}
		p := s.res.platform(q.conv.spot.platform.Name())
		p.Hit++
		if kill.Point == (Point{}) {
			p.HitAtRandom++
		}
	}
	return kill
}

// settle waits until everything is answered, rated and quiet, or until it has had time enough.
func (s *scene) settle(ctx context.Context, from int) error {
	end := time.NewTimer(cmp.Or(s.cfg.Settle, settleTime))
	defer end.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	began := time.Now()
	dead := s.k.p.dead
	for {
		since := s.w.quietSince()
		if since.Before(began) {
			since = began
		}
		if s.w.open(from) == 0 && time.Since(since) > quietTime && len(s.ratingsMissing(from)) == 0 && !s.filesMissing(from) {
			return nil
		}
		select {
		case <-look.C:
		case <-end.C:
			return nil
		case <-dead:
			return fmt.Errorf("%w: %w", errEnded, s.k.p.err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// filesMissing tells whether files of answers do not stand yet.
func (s *scene) filesMissing(from int) bool {
	stand := map[string]bool{}
	for _, p := range s.set.Platforms() {
		for _, at := range p.Places() {
			for _, m := range p.Messages(at.Room, at.Thread) {
				for _, f := range m.Files {
					stand[string(f.Data)] = true
				}
			}
		}
	}
	return slices.ContainsFunc(s.w.asked(from), func(q *question) bool {
		return slices.ContainsFunc(q.made, func(f sim.File) bool { return !stand[string(f.Data)] })
	})
}

// platformOf finds a stand-in by name.
func (s *scene) platformOf(name string) sim.Platform {
	for _, p := range s.set.Platforms() {
		if p.Name() == name {
			return p
		}
	}
	return nil
}
