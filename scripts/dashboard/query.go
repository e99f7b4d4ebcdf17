package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	nameLabel = "__name__"
	window    = 10 // scrapes that a range goes back
)

// sample is one series at one time.
type sample struct {
	labels map[string]string
	value  float64
}

// as is a copy under another name.
func (s sample) as(name string, v float64) sample {
	labels := maps.Clone(s.labels)
	labels[nameLabel] = name
	return sample{labels, v}
}

// key stands for the labels but those left out.
func (s sample) key(without ...string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(s.labels)) {
		if !slices.Contains(without, k) {
			fmt.Fprintf(&b, "%s=%q,", k, s.labels[k])
		}
	}
	return b.String()
}

// history is what was scraped.
type history struct {
	times []time.Duration
	rows  []map[string]sample // by key
}

func (h *history) add(at time.Duration, all []sample) {
	row := make(map[string]sample, len(all))
	for _, s := range all {
		row[s.key()] = s
	}
	h.times, h.rows = append(h.times, at), append(h.rows, row)
}

// query is a parsed expression: its value at the i-th scrape.
type query func(h *history, i int) []sample

var tokens = regexp.MustCompile(`\s*("(?:[^"\\]|\\.)*"|=~|!~|!=|[A-Za-z_$][\w$]*|\d+(?:\.\d+)?(?:e\d+|[smhd])?|[-(){}\[\],/*=])`)

var isName = regexp.MustCompile(`^[a-z_]+$`)

// parseQuery reads the part of PromQL that the dashboard uses: selectors, rate, increase, sum and min with by,
// histogram_quantile, and a division.
func parseQuery(text string) (q query, err error) {
	p := &queryParser{}
	for len(strings.TrimSpace(text)) > 0 {
		m := tokens.FindStringSubmatch(text)
		if m == nil || !strings.HasPrefix(text, m[0]) {
			return nil, fmt.Errorf("query: what is %q?", text)
		}
		p.rest = append(p.rest, m[1])
		text = text[len(m[0]):]
	}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(queryError)
			if !ok {
				panic(r)
			}
			err = errors.New("query: " + string(e))
		}
	}()
	q = p.expression()
	if len(p.rest) > 0 {
		p.fail()
	}
	return q, nil
}

type queryError string

type queryParser struct{ rest []string }

func (p *queryParser) fail() { panic(queryError(fmt.Sprintf("unexpected %q", p.rest))) }

func (p *queryParser) peek() string {
	if len(p.rest) == 0 {
		return ""
	}
	return p.rest[0]
}

func (p *queryParser) next() string {
	t := p.peek()
	if t == "" {
		p.fail()
	}
	p.rest = p.rest[1:]
	return t
}

func (p *queryParser) want(t string) {
	if p.peek() != t {
		p.fail()
	}
	p.next()
}

func (p *queryParser) expression() query {
	left := p.term()
	for p.peek() == "/" {
		p.next()
		left = divide(left, p.term())
	}
	return left
}

func (p *queryParser) term() query {
	switch word := p.next(); word {
	case "sum", "min":
		var by []string
		if p.peek() == "by" {
			p.next()
			p.want("(")
			for p.peek() != ")" {
				if by = append(by, p.next()); p.peek() == "," {
					p.next()
				}
			}
			p.next()
		}
		p.want("(")
		of := p.expression()
		p.want(")")
		return aggregate(word, by, of)
	case "rate", "increase":
		p.want("(")
		sel := p.selector(p.next())
		p.want("[")
		p.next()
		p.want("]")
		p.want(")")
		return over(sel, word == "rate")
	case "histogram_quantile":
		p.want("(")
		at, err := strconv.ParseFloat(p.next(), 64)
		if err != nil {
			p.fail()
		}
		p.want(",")
		of := p.expression()
		p.want(")")
		return quantile(at, of)
	default:
		return p.selector(word)
	}
}

// selector reads name{label="value",…}. Variables of the dashboard match all.
func (p *queryParser) selector(name string) query {
	if !isName.MatchString(name) {
		p.fail()
	}
	var match []func(sample) bool
	if p.peek() == "{" {
		for p.next(); p.peek() != "}"; {
			label, op, quoted := p.next(), p.next(), p.next()
			text, err := strconv.Unquote(quoted)
			if err != nil {
				p.fail()
			}
			if strings.HasPrefix(text, "$") {
				text = ".*"
			}
			if !strings.Contains(op, "~") {
				text = regexp.QuoteMeta(text)
			}
			re := regexp.MustCompile("^(?:" + text + ")$")
			match = append(match, func(s sample) bool { return re.MatchString(s.labels[label]) != strings.HasPrefix(op, "!") })
			if p.peek() == "," {
				p.next()
			}
		}
		p.next()
	}
	return func(h *history, i int) []sample {
		var found []sample
		for _, s := range h.rows[i] {
			if s.labels[nameLabel] == name && !slices.ContainsFunc(match, func(ok func(sample) bool) bool { return !ok(s) }) {
				found = append(found, s)
			}
		}
		return found
	}
}

// over is by how much counters grow, in the window or a second.
func over(sel query, perSecond bool) query {
	return func(h *history, i int) []sample {
		from := max(i-window, 0)
		took := (h.times[i] - h.times[from]).Seconds()
		if took == 0 {
			return nil
		}
		now := sel(h, i)
		for j, s := range now {
			grown := s.value - h.rows[from][s.key()].value // a series that is new begins at 0
			if perSecond {
				grown /= took
			}
			now[j].value = grown
		}
		return now
	}
}

func aggregate(how string, by []string, of query) query {
	return func(h *history, i int) []sample {
		groups := map[string]sample{}
		for _, s := range of(h, i) {
			g := sample{labels: map[string]string{}, value: s.value}
			for _, l := range by {
				g.labels[l] = s.labels[l]
			}
			if had, ok := groups[g.key()]; ok {
				g.value += had.value
				if how == "min" {
					g.value = min(had.value, s.value)
				}
			}
			groups[g.key()] = g
		}
		return slices.Collect(maps.Values(groups))
	}
}

func divide(a, b query) query {
	return func(h *history, i int) []sample {
		by := map[string]float64{}
		for _, s := range b(h, i) {
			by[s.key(nameLabel)] = s.value
		}
		var out []sample
		for _, s := range a(h, i) {
			if v, ok := by[s.key(nameLabel)]; ok {
				out = append(out, sample{s.labels, s.value / v})
			}
		}
		return out
	}
}

// quantile interpolates within a bucket, as https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
// says.
func quantile(at float64, of query) query {
	return func(h *history, i int) []sample {
		type bucket struct{ le, count float64 }
		groups, first := map[string][]bucket{}, map[string]sample{}
		for _, s := range of(h, i) {
			le, err := strconv.ParseFloat(s.labels["le"], 64)
			if err != nil {
				continue
			}
			k := s.key("le", nameLabel)
			groups[k] = append(groups[k], bucket{le, s.value})
			first[k] = s
		}
		var out []sample
		for k, buckets := range groups {
			slices.SortFunc(buckets, func(a, b bucket) int { return int(math.Copysign(1, a.le-b.le)) })
			total := buckets[len(buckets)-1].count
			if total <= 0 {
				continue
			}
			labels := maps.Clone(first[k].labels)
			delete(labels, "le")
			rank, low := at*total, bucket{}
			for _, b := range buckets {
				if b.count >= rank {
					v := low.le
					if !math.IsInf(b.le, 1) && b.count > low.count {
						v += (b.le - low.le) * (rank - low.count) / (b.count - low.count)
					}
					out = append(out, sample{labels, v})
					break
				}
				low = b
			}
		}
		return out
	}
}
