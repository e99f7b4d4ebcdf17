package crashtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickai/bridge/internal/standins"
)

// Storm is how the network, and the services behind it, fail.
type Storm struct {
	// Rounds are how often all that was asked is looked at, in each scene. The network is fine while what is open is ended.
	Rounds int
	// For is how long rounds go on in each scene, whatever Rounds says; 0: Rounds counts.
	For time.Duration
	// Troubles are how many each service has in a round, at least.
	Troubles int
	// Lull is the longest time before each; 0: a second.
	Lull time.Duration
	// Late has also trouble that is found out only after a long silence.
	Late bool
	// Rest is the longest time that a person waits before the next question.
	Rest time.Duration
	// Quiet is called in the quiet after the first start and after each round, with the bridge's process id; nil: nobody.
	Quiet func(pid int) error
}

const (
	lull     = time.Second     // Storm.Lull where it is 0
	recovery = 3 * time.Second // after one, so that none of the few tries for a file is hit by two
	// heartbeat is how often Discord hears of the bridge, and so about how long a silent gateway goes unnoticed.
	heartbeat = 4 * time.Second
	// lateTime is added to what is open may take: a gateway that ended again and again is opened anew after two minutes.
	lateTime = 4 * time.Minute
)

// Play plays all scenes in a storm; nobody is killed. Its results are those of [Run].
func (st Storm) Play(ctx context.Context, cfg Config) (*Result, error) {
	res := newResult(cfg)
	began := time.Now()
	for i, sc := range cfg.Scenes {
		if err := st.play(ctx, cfg, sc, i, res); err != nil {
			res.Took = time.Since(began)
			return res, fmt.Errorf("scene %q: %w", sc, err)
		}
	}
	res.Took = time.Since(began)
	return res, nil
}

func (st Storm) play(ctx context.Context, cfg Config, sc Scene, index int, res *Result) (err error) {
	if cfg.Settle == 0 && st.Late {
		cfg.Settle = settleTime + lateTime
	}
	s := &scene{cfg: cfg, sc: sc, res: res, r: newRand(cfg.Seed, uint64(index)), links: map[string]*link{}}
	defer func() { err = errors.Join(err, s.close()) }()
	opt := s.options()
	if err := s.linkUp(ctx, &opt); err != nil {
		return err
	}
	opt.Discord.HeartbeatInterval = heartbeat
	if st.Late { // Slack tries for longer than a silent socket goes unnoticed, which is half a minute
		opt.Slack.Retries = []time.Duration{0, 20 * time.Second, 40 * time.Second, time.Minute}
	}
	if err := s.open(index, opt); err != nil {
		return err
	}
	s.crowd.rest = st.Rest
	services := append([]string{"clickai"}, cfg.Platforms...)
	var bags []*bag
	for _, service := range services {
		bags = append(bags, s.newBag(service, st.Late))
	}
	began := time.Now()
	if err := s.firstStart(ctx); err != nil {
		return err
	}
	s.check(0, began)
	if err := st.quiet(s); err != nil {
		return err
	}
	for i := 0; st.For > 0 && time.Since(began) < st.For || st.For == 0 && i < st.Rounds; i++ {
		if err := st.round(ctx, s, bags); err != nil {
			return err
		}
	}
	if err := s.k.stop(); err != nil {
		return err
	}
	res.Violations = append(res.Violations, s.set.Violations()...)
	return nil
}

func (st Storm) quiet(s *scene) error {
	if st.Quiet == nil {
		return nil
	}
	return st.Quiet(s.k.p.cmd.Process.Pid)
}

// linkUp puts a link in front of every service.
func (s *scene) linkUp(ctx context.Context, opt *standins.Options) error {
	for _, service := range append([]string{"clickai"}, s.cfg.Platforms...) {
		l, err := newLink(ctx)
		if err != nil {
			return err
		}
		s.links[service] = l
		listenAt(opt, service, l)
	}
	return nil
}

// listenAt has the stand-in of a service listen there.
func listenAt(opt *standins.Options, service string, l net.Listener) {
	switch service {
	case "clickai":
		opt.ClickAI.Listener = l
	case "slack":
		opt.Slack.Listener = l
	case "discord":
		opt.Discord.Listener = l
	case "telegram":
		opt.Telegram.Listener = l
	}
}

// bag holds the troubles of a service. Each is had once before any comes again.
type bag struct {
	service string
	r       *rand.Rand
	all     []kind
	left    []kind
}

func (s *scene) newBag(service string, late bool) *bag {
	b := &bag{service: service, r: newRand(s.r.Uint64(), s.r.Uint64())}
	for _, k := range s.kinds(service) {
		if late || !k.late {
			b.all = append(b.all, k)
		}
	}
	return b
}

func (b *bag) next() kind {
	if len(b.left) == 0 {
		b.left = slices.Clone(b.all)
		b.r.Shuffle(len(b.left), func(i, j int) { b.left[i], b.left[j] = b.left[j], b.left[i] })
	}
	k := b.left[0]
	b.left = b.left[1:]
	return k
}

// round troubles all services while people ask, and then looks at what became of it.
func (st Storm) round(ctx context.Context, s *scene, bags []*bag) error {
	from, began := len(s.w.asked(0)), time.Now()
	asking, stop := context.WithCancel(ctx)
	defer stop()
	dead := s.k.p.dead
	s.crowd.ask(asking)
	var wg sync.WaitGroup
	errs := make([]error, len(bags))
	var few atomic.Int64 // services that have not had their troubles yet: the others go on meanwhile
	few.Store(int64(len(bags)))
	for i, b := range bags {
		wg.Go(func() { errs[i] = st.troubleMaker(ctx, s, b, dead, &few) })
	}
	wg.Wait()
	stop()
	if err := errors.Join(append(errs, s.crowd.wait())...); err != nil {
		return err
	}
	stormed := time.Since(began)
	if err := s.settle(ctx, from); err != nil {
		return err
	}
	s.check(from, began)
	if s.cfg.Progress != nil {
		s.cfg.Progress(fmt.Sprintf("%s: %v of trouble, %d questions answered after %v; %d failures", s.sc, stormed.Round(10*time.Millisecond),
			len(s.w.asked(from)), time.Since(began).Round(10*time.Millisecond), len(s.res.Failures)))
	}
	return st.quiet(s)
}

// troubleMaker gives one service so many troubles, one after the other, and goes on while another one has had few.
func (st Storm) troubleMaker(ctx context.Context, s *scene, b *bag, dead <-chan struct{}, few *atomic.Int64) error {
	counted := false
	defer func() {
		if !counted {
			few.Add(-1)
		}
	}()
	for n := 1; ; n++ {
		select {
		case <-dead:
			return fmt.Errorf("%w: %w", errEnded, s.k.p.err)
		default:
		}
		if !pause(ctx, time.Duration(b.r.Int64N(int64(cmp.Or(st.Lull, lull))))) {
			return context.Cause(ctx)
		}
		k := b.next()
		t := Trouble{Service: b.service, What: k.what, From: time.Now(), loses: k.loses, mixes: k.mixes}
		if err := k.happen(ctx, b.r); err != nil {
			return fmt.Errorf("%s: %s: %w", b.service, k.what, err)
		}
		t.Until = time.Now()
		s.over(t)
		if !pause(ctx, recovery) {
			return context.Cause(ctx)
		}
		if n == st.Troubles {
			counted = true
			few.Add(-1)
		}
		if n >= st.Troubles && few.Load() <= 0 {
			return nil
		}
	}
}

// over notes a trouble that has ended.
func (s *scene) over(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubles = append(s.troubles, t)
	s.res.Troubles[t.Service+" "+t.What]++
}

// pastTroubles are those that have ended.
func (s *scene) pastTroubles() []Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.troubles)
}
