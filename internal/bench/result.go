package bench

import (
	"runtime"
	"time"
)

// Result is what a load has shown. The names of its JSON are kept.
type Result struct {
	Load      Load              `json:"load"`
	All       Measures          `json:"all"`
	Platforms map[string]Report `json:"platforms"`
	Text      Text              `json:"text"`
	// Limited is how many calls were refused with 429, and Violations what else was done against the documentation of the
	// platforms and of ClickAI: how often, and the first ones in words.
	Limited    int      `json:"rate_limited"`
	Violations int      `json:"violations"`
	Against    []string `json:"violation_examples,omitempty"`
	Bridge     Process  `json:"bridge"`
	Generator  Process  `json:"load_process"`
	// Late is how long after it was due a piece was sent: where it is long, the load process is the limit.
	Late     Values   `json:"piece_late"`
	Problems []string `json:"problems,omitempty"` // why the run failed; none: it did not
}

// OK tells whether no text was lost, doubled or out of order, every answer ended, and every limit was kept.
func (r *Result) OK() bool { return len(r.Problems) == 0 }

// Load is what was played.
type Load struct {
	Conversations   int      `json:"conversations"`
	Platforms       []string `json:"platforms"`
	ChunksPerSecond float64  `json:"chunks_per_second"`
	ChunkBytes      int      `json:"chunk_bytes"`
	DurationSeconds float64  `json:"duration_seconds"`
	AnswerSeconds   float64  `json:"answer_seconds"`
	RampSeconds     float64  `json:"ramp_seconds"`
	Mode            string   `json:"mode"`
	InProcess       bool     `json:"in_process"`
	WarmUp          bool     `json:"warm_up"`
	Seed            uint64   `json:"seed"`
	Pieces          int      `json:"pieces"`
	TookSeconds     float64  `json:"took_seconds"` // from the first question to the end of the last answer
	CPUs            int      `json:"cpus"`
	GoVersion       string   `json:"go_version"`
	OS              string   `json:"os"`
}

// Values are the quantiles of one measure, in milliseconds.
type Values struct {
	Count  uint64  `json:"count"`
	Median float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (h *Histogram) values() Values {
	return Values{Count: h.Count(), Median: millis(h.Quantile(0.5)), P99: millis(h.Quantile(0.99)), Max: millis(h.Max())}
}

// Measures are described in the package's documentation.
type Measures struct {
	Request   Values `json:"question_to_request"`
	FirstText Values `json:"first_piece_to_first_text"`
	Lag       Values `json:"piece_to_visible"`
	Age       Values `json:"text_age"`
	Stale     Values `json:"staleness"`
	Rest      Values `json:"end_to_whole"`

	Posts   int `json:"posts"`
	Edits   int `json:"edits"`
	Appends int `json:"appends"`
	Drafts  int `json:"drafts"`
	Deletes int `json:"deletes"`
	// UpdatesPerAnswer are posts, edits, appends and drafts by answers.
	UpdatesPerAnswer float64 `json:"updates_per_answer"`
	Back             int     `json:"states_back"`  // states that showed less than the one before
	Others           int     `json:"other_states"` // of messages that show no answer
	Limited          int     `json:"rate_limited"`
}

// Report is a platform's part.
type Report struct {
	Measures
	Conversations int  `json:"conversations"`
	Rooms         int  `json:"rooms"`
	Text          Text `json:"text"`
	Use           Use  `json:"limit_use"`

	name string
}

// Process is what a process has used.
type Process struct {
	// NotMeasured says why the figures are missing; "" if they are there.
	NotMeasured string `json:"not_measured,omitempty"`
	// Both says that the bridge and the load share the process.
	Both       bool    `json:"bridge_and_load,omitempty"`
	CPUSeconds float64 `json:"cpu_seconds"`                 // from the first question to the end of the last answer
	CPUStream  float64 `json:"cpu_seconds_while_streaming"` // from the first question to the end of the last stream
	Cores      float64 `json:"cores_while_streaming"`       // CPUStream by that time
	PerChunks  float64 `json:"cpu_ms_per_1000_chunks"`      // CPUSeconds for 1,000 pieces
	PerStream  float64 `json:"cpu_ms_per_1000_chunks_while_streaming"`
	RSSStart   int64   `json:"rss_start_bytes"` // before the first question, after the warm-up
	RSSPeak    int64   `json:"rss_peak_bytes"`
	RSSEnd     int64   `json:"rss_end_bytes"`
	PerTurn    int64   `json:"rss_per_turn_bytes"` // what was added at the peak, by the answers that ran at once
	Turns      int     `json:"turns_at_once"`
	// Growth is by how much resident memory, without that of files, grew in a minute over the last two thirds of the streams' time; nil for a load
	// that was too short to tell. The text of answers that go on is kept by the bridge: TextGrowth is how much of it came
	// in, in a minute.
	Growth     *float64 `json:"rss_growth_bytes_per_minute"`
	TextGrowth float64  `json:"text_bytes_per_minute"`
}

func (g *group) measures(answers int) Measures {
	m := Measures{
		Request: g.request.values(), FirstText: g.firstText.values(), Lag: g.lag.values(), Age: g.age.values(),
		Stale: g.stale.values(), Rest: g.rest.values(), Posts: g.posts, Edits: g.edits, Appends: g.appends,
		Drafts: g.drafts, Deletes: g.deletes, Back: g.back, Others: g.others, Limited: g.limited,
	}
	if answers > 0 {
		m.UpdatesPerAnswer = float64(m.Posts+m.Edits+m.Appends+m.Drafts) / float64(answers)
	}
	return m
}

func (g *group) merge(o *group) {
	g.request.Merge(&o.request)
	g.firstText.Merge(&o.firstText)
	g.lag.Merge(&o.lag)
	g.age.Merge(&o.age)
	g.stale.Merge(&o.stale)
	g.rest.Merge(&o.rest)
	g.posts += o.posts
	g.edits += o.edits
	g.appends += o.appends
	g.drafts += o.drafts
	g.deletes += o.deletes
	g.back += o.back
	g.others += o.others
	g.limited += o.limited
}

func (c *Config) describe() Load {
	return Load{
		Conversations: c.Conversations, Platforms: c.Platforms, ChunksPerSecond: c.ChunksPerSecond, ChunkBytes: c.ChunkBytes,
		DurationSeconds: c.Duration.Seconds(), AnswerSeconds: c.answerTime().Seconds(), RampSeconds: c.Ramp.Seconds(),
		Mode: c.Mode, WarmUp: c.WarmUp, Seed: c.Seed, CPUs: runtime.NumCPU(), GoVersion: runtime.Version(),
		OS: runtime.GOOS + "/" + runtime.GOARCH,
	}
}
