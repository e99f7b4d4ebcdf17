package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// scrapes is a history of two texts in Prometheus' format, ten seconds apart.
func scrapes(t *testing.T, texts ...string) *history {
	t.Helper()
	h := &history{}
	for i, text := range texts {
		all, err := parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		h.add(time.Duration(i)*10*time.Second, all)
	}
	return h
}

const (
	first = `# TYPE bridge_turns_total counter
bridge_turns_total{bot="a",outcome="answered"} 10
bridge_turns_total{bot="a",outcome="failed"} 1
bridge_turns_total{bot="b",outcome="answered"} 5
# TYPE bridge_age_seconds histogram
bridge_age_seconds_bucket{bot="a",le="1"} 0
bridge_age_seconds_bucket{bot="a",le="2"} 0
bridge_age_seconds_bucket{bot="a",le="+Inf"} 0
bridge_age_seconds_sum{bot="a"} 0
bridge_age_seconds_count{bot="a"} 0
# TYPE bridge_left gauge
bridge_left{app="x"} 30
# TYPE bridge_all gauge
bridge_all{app="x"} 40
`
	second = `# TYPE bridge_turns_total counter
bridge_turns_total{bot="a",outcome="answered"} 30
bridge_turns_total{bot="a",outcome="failed"} 1
bridge_turns_total{bot="b",outcome="answered"} 10
# TYPE bridge_age_seconds histogram
bridge_age_seconds_bucket{bot="a",le="1"} 2
bridge_age_seconds_bucket{bot="a",le="2"} 10
bridge_age_seconds_bucket{bot="a",le="+Inf"} 10
bridge_age_seconds_sum{bot="a"} 14
bridge_age_seconds_count{bot="a"} 10
# TYPE bridge_left gauge
bridge_left{app="x"} 10
# TYPE bridge_all gauge
bridge_all{app="x"} 40
`
)

func TestQueries(t *testing.T) {
	t.Parallel()
	h := scrapes(t, first, second)
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{`bridge_left`, []string{`app="x",10`}},
		{`bridge_left / bridge_all`, []string{`app="x",0.25`}},
		{`min(bridge_left{app=~"$app"} / bridge_all{app=~"$app"})`, []string{`0.25`}},
		{`sum by (bot) (rate(bridge_turns_total[$__rate_interval]))`, []string{`bot="a",2`, `bot="b",0.5`}},
		{`sum by (outcome) (increase(bridge_turns_total{bot=~"a|b",outcome!="failed"}[5m]))`, []string{`outcome="answered",25`}},
		{`rate(bridge_age_seconds_count[1m])`, []string{`bot="a",1`}},
		{`histogram_quantile(0.6, sum by (bot, le) (rate(bridge_age_seconds_bucket[1m])))`, []string{`bot="a",1.5`}},
		{`bridge_left{app="y"}`, nil},
	} {
		q, err := parseQuery(tt.query)
		if err != nil {
			t.Errorf("%s: %v", tt.query, err)
			continue
		}
		var got []string
		for _, s := range q(h, 1) {
			got = append(got, fmt.Sprintf("%s%.4g", s.key(nameLabel), s.value))
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s = %q, want %q", tt.query, got, tt.want)
		}
	}
	for _, wrong := range []string{`sum(`, `a b`, `rate(x)`, `{`, `x{y="z"`, `histogram_quantile(x, y)`, `a § b`} {
		if _, err := parseQuery(wrong); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

// TestPicture draws the whole dashboard: each of its queries can be read, and the picture is XML.
func TestPicture(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../deploy/grafana/bridge.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	picture, err := draw(d, scrapes(t, first, second))
	if err != nil {
		t.Fatal(err)
	}
	for dec := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range d.Panels {
		if !strings.Contains(string(picture), ">"+strings.ReplaceAll(p.Title, "'", "&#39;")+"<") {
			t.Errorf("there is no panel %q", p.Title)
		}
	}
	if !strings.Contains(string(picture), ">answered<") {
		t.Error("the turns are not drawn")
	}
}
