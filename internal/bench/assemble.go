package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// result puts together what was seen.
func (l *load) result(m *measured) *Result {
	r := &Result{Load: l.cfg.describe(), Platforms: map[string]Report{}}
	r.Load.InProcess, r.Load.Pieces = l.cfg.Shared, int(l.pieces.Load())
	r.Load.TookSeconds = (m.ended - m.began).Seconds()
	total := &group{}
	answers := 0
	for i, g := range l.groups {
		name := g.platform.Name()
		rep := l.report(g)
		rep.name, rep.Conversations, rep.Rooms = name, len(l.crowds[i].convs), l.crowds[i].people.Rooms
		r.Platforms[name] = rep
		r.Text.add(rep.Text)
		answers += rep.Text.Answers
		total.merge(g)
	}
	r.Text.Twice = int(l.twice.Load())
	r.All, r.Limited = total.measures(answers), total.limited
	r.against(l.set.Violations())
	r.Bridge = l.process(m, m.bridge, m.bridgeCPU)
	r.Bridge.Both = l.cfg.Shared
	r.Generator = l.process(m, m.own, m.ownCPU)
	r.Generator.Both = l.cfg.Shared
	var late Histogram
	for _, w := range l.wheels {
		late.Merge(&w.late)
	}
	r.Late = late.values()
	r.Problems = r.problems()
	return r
}

// against sorts what the stand-ins have listed; what was over a rate limit is counted elsewhere.
func (r *Result) against(list []string) {
	const most = 20
	for _, v := range list {
		if !strings.Contains(v, "429") && !strings.Contains(v, "Too Many Requests") {
			r.Violations++
		}
		if len(r.Against) < most {
			r.Against = append(r.Against, v)
		}
	}
}

// report is the part of one platform.
func (l *load) report(g *group) Report {
	var rep Report
	first, last := never, never
	var spans []span
	chats := map[string]*[2]time.Duration{}
	private := map[string]bool{}
	for _, a := range l.answers {
		if a.group != g || a.warm {
			continue
		}
		a.settle()
		rep.Text.verify(a, g.platform.Find)
		if a.first == never || a.last == never {
			continue
		}
		if first == never || a.first < first {
			first = a.first
		}
		last = max(last, a.last)
		spans = append(spans, span{took: max(a.last-a.first, 0)})
		room := a.conv.say.Room
		if c := chats[room]; c != nil {
			c[0], c[1] = min(c[0], a.first), max(c[1], a.last)
		} else {
			chats[room] = &[2]time.Duration{a.first, a.last}
		}
		private[room] = a.conv.private
	}
	rep.Measures = g.measures(rep.Text.Answers)
	all := max(last-first, 0)
	switch g.platform.Name() {
	case "slack":
		rep.Use = slackUse(l.set.Slack.Limits(), g, all)
	case "discord":
		rep.Use = discordUse(l.set.Discord.Limits(), g, spans, all)
	case "telegram":
		var rooms []span
		for room, c := range chats {
			rooms = append(rooms, span{took: max(c[1]-c[0], 0), private: private[room]})
		}
		slices.SortFunc(rooms, func(a, b span) int { return cmp.Compare(a.took, b.took) })
		rep.Use = telegramUse(g, rooms, all)
	}
	return rep
}

// process is what one of the processes used.
func (l *load) process(m *measured, w *watcher, streamCPU time.Duration) Process {
	p := Process{Turns: w.most}
	if w.err != nil {
		p.NotMeasured = w.err.Error()
		return p
	}
	streams := m.streamed - m.began
	p.CPUSeconds, p.CPUStream = (w.end.cpu - w.start.cpu).Seconds(), (streamCPU - w.start.cpu).Seconds()
	if streams > 0 {
		p.Cores = p.CPUStream / streams.Seconds()
		p.TextGrowth = float64(l.pieces.Load()) * float64(l.cfg.ChunkBytes) / streams.Minutes()
	}
	if n := float64(l.pieces.Load()); n > 0 {
		p.PerChunks, p.PerStream = p.CPUSeconds*1e6/n, p.CPUStream*1e6/n
	}
	p.RSSStart, p.RSSEnd, p.RSSPeak = w.start.rss, w.end.rss, max(w.peak, w.start.rss)
	if w.end.peak > w.start.peak {
		p.RSSPeak = w.end.peak // reached in this time, between two samples perhaps
	}
	if w.most > 0 {
		p.PerTurn = (p.RSSPeak - p.RSSStart) / int64(w.most)
	}
	if slope, ok := w.slope(min(streams, l.cfg.Duration)); ok {
		slope *= 60
		p.Growth = &slope
	}
	return p
}

// problems say why a run failed.
func (r *Result) problems() []string {
	var all []string
	add := func(n int, what string) {
		if n > 0 {
			all = append(all, fmt.Sprintf("%s: %d", what, n))
		}
	}
	add(r.Text.Lost, "chunks lost")
	add(r.Text.Missing, "chunks missing at the end of an answer")
	add(r.Text.Doubled, "chunks shown twice")
	add(r.Text.Disordered, "chunks out of order")
	add(r.Text.Altered, "answers that read otherwise than they were sent")
	add(r.Text.Mixed, "answers with text of others")
	add(r.Text.Unanswered, "questions that did not reach ClickAI")
	add(r.Text.Twice, "questions asked twice")
	add(r.Text.CutOff, "streams cut by the bridge")
	add(r.Text.Unfinished, "answers not shown whole in time")
	add(r.Limited, "calls over a rate limit (429)")
	add(r.Violations, "calls against the documentation")
	return all
}
