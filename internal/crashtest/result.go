package crashtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Result is what a run has shown.
type Result struct {
	Seed      uint64
	Took      time.Duration
	Kills     int
	AtRandom  int
	Aimed     map[Point][2]int // at the first and at a later occurrence
	Troubles  map[string]int   // by service and kind
	Platforms []*Platform      // in the order of the configuration
	// Violations are what the bridge did against the documentation of a service while the network failed, as far as the
	// stand-ins tell: some follow from answers that were lost.
	Violations []string
	// Failures are what was promised and not kept, each with what was seen.
	Failures []string

	progress func(line string) // gets failures at once; nil: nobody
}

// Platform is what was seen on one platform.
type Platform struct {
	Name      string
	Questions int
	Answers   int // whole, once, in their place
	Uploads   int // files of people
	Made      int // files of answers
	Ratings   int // reactions that ClickAI was to hear of

	// What may happen twice, since neither side can know of the first time.
	Doubled         int // messages, in the window between the request and the store
	DoubledAtRandom int // those of kills at random times
	DoubledFiles    int // files of answers, in the same window
	AskedAgain      int // questions whose first asking was not known to have begun
	UploadedAgain   int // files of people whose ids were not stored yet
	Reordered       int // questions that were delivered again after later ones
	RatedAgain      int // ratings that were sent with the same value again

	Hit         int // open questions, summed over the kills
	HitAtRandom int // the same for kills at random times
}

func newResult(cfg Config) *Result {
	r := &Result{Seed: cfg.Seed, Aimed: map[Point][2]int{}, Troubles: map[string]int{}, progress: cfg.Progress}
	for _, name := range cfg.Platforms {
		r.Platforms = append(r.Platforms, &Platform{Name: name})
	}
	return r
}

func (r *Result) platform(name string) *Platform {
	i := slices.IndexFunc(r.Platforms, func(p *Platform) bool { return p.Name == name })
	return r.Platforms[i]
}

func (r *Result) addKills(kills []Kill) {
	for _, k := range kills {
		r.Kills++
		if k.Point == (Point{}) {
			r.AtRandom++
			continue
		}
		n := r.Aimed[k.Point]
		i := 0
		if k.Nth > 1+greeting(k.Point.Service, k.Point.What) {
			i = 1
		}
		n[i]++
		r.Aimed[k.Point] = n
	}
}

func (r *Result) fail(format string, args ...any) {
	f := fmt.Sprintf(format, args...)
	r.Failures = append(r.Failures, f)
	if r.progress != nil {
		r.progress("FAILURE " + f)
	}
}

// maxViolations are how many are told.
const maxViolations = 20

// String is the result for people.
func (r *Result) String() string {
	var b strings.Builder
	if r.Kills > 0 {
		fmt.Fprintf(&b, "seed %d: %d kills in %v, %d of them at random times and the others at %d points\n",
			r.Seed, r.Kills, r.Took.Round(time.Second), r.AtRandom, len(r.Aimed))
	}
	if len(r.Troubles) > 0 {
		n := 0
		for _, times := range r.Troubles {
			n += times
		}
		fmt.Fprintf(&b, "seed %d: %d troubles of %d kinds in %v\n", r.Seed, n, len(r.Troubles), r.Took.Round(time.Second))
	}
	for _, p := range r.Platforms {
		fmt.Fprintf(&b, "%s: %d questions, %d answered once and whole; %d files in, %d files out, %d ratings\n",
			p.Name, p.Questions, p.Answers, p.Uploads, p.Made, p.Ratings)
		fmt.Fprintf(&b, "%s: doubled_in_the_known_window %d messages, %d files; of %d open answers at kills (%s); of kills at random times %d in %d (%s)\n",
			p.Name, p.Doubled, p.DoubledFiles, p.Hit, percent(p.Doubled, p.Hit), p.DoubledAtRandom, p.HitAtRandom, percent(p.DoubledAtRandom, p.HitAtRandom))
		fmt.Fprintf(&b, "%s: asked again before anything was known %d, uploaded again before the id was stored %d, same rating sent again %d, delivered again in another order %d\n",
			p.Name, p.AskedAgain, p.UploadedAgain, p.RatedAgain, p.Reordered)
	}
	var points []Point
	for p := range r.Aimed {
		points = append(points, p)
	}
	slices.SortFunc(points, func(a, b Point) int { return strings.Compare(a.String(), b.String()) })
	for _, p := range points {
		fmt.Fprintf(&b, "  %-50s first %d, later %d\n", p, r.Aimed[p][0], r.Aimed[p][1])
	}
	for _, what := range slices.Sorted(maps.Keys(r.Troubles)) {
		fmt.Fprintf(&b, "  %-50s %d\n", what, r.Troubles[what])
	}
	for i, v := range r.Violations {
		if i == maxViolations {
			fmt.Fprintf(&b, "  and %d more violations\n", len(r.Violations)-i)
			break
		}
		fmt.Fprintf(&b, "  violation: %s\n", v)
	}
	fmt.Fprintf(&b, "%d failures\n", len(r.Failures))
	return b.String()
}

func percent(n, of int) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(n)/float64(of))
}
