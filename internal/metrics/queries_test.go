package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	dto "github.com/prometheus/client_model/go"
)

// The queries are read by a tokenizer of our own: Prometheus' parser is part of its server's module, which would bring some
// hundred others into go.mod.

// series is one time series as a query sees it: __name__ among its labels.
type series map[string]string

// scrapedSeries are all series of a bridge on which everything has happened, with those that Prometheus makes itself.
func scrapedSeries(t *testing.T) []series {
	t.Helper()
	all := []series{{"__name__": "up", "job": "bridge", "instance": "x"}}
	for name, f := range gather(t, used(t)) {
		for _, m := range f.GetMetric() {
			suffixes := []string{""}
			if f.GetType() == dto.MetricType_HISTOGRAM {
				suffixes = []string{"_bucket", "_sum", "_count"}
			}
			for _, suffix := range suffixes {
				s := series{"__name__": name + suffix, "job": "bridge", "instance": "x"}
				for _, l := range m.GetLabel() {
					s[l.GetName()] = l.GetValue()
				}
				if suffix == "_bucket" {
					s["le"] = "1"
				}
				all = append(all, s)
			}
		}
	}
	return all
}

var (
	texts     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	selectors = regexp.MustCompile(`\b((?:bridge|go|process)_\w+|up)\b\s*(\{[^}]*\})?`)
	matchers  = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"`)
	groupings = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	words     = regexp.MustCompile(`[A-Za-z_]\w*`)
	legends   = regexp.MustCompile(`\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}`)
)

// known are the words of PromQL that the queries may use beside names of metrics and labels.
var known = []string{
	"sum", "min", "max", "by", "and", "or", "on", "rate", "increase", "histogram_quantile", "__rate_interval", "m", "h", "s",
}

// wrongWith is what is wrong with a query; nil if nothing is.
func wrongWith(query string, all []series) (wrong []string) {
	query = strings.NewReplacer(`"$bot"`, `".*"`, `"$app"`, `".*"`).Replace(query)
	if strings.Count(query, "(") != strings.Count(query, ")") || strings.Count(query, "{") != strings.Count(query, "}") {
		wrong = append(wrong, "brackets do not match")
	}
	labels := map[string]bool{"le": true}
	found := selectors.FindAllStringSubmatch(query, -1)
	if len(found) == 0 {
		wrong = append(wrong, "names no metric")
	}
	for _, sel := range found {
		var matched []series
		for _, s := range all {
			if s["__name__"] == sel[1] {
				matched = append(matched, s)
			}
		}
		if len(matched) == 0 {
			wrong = append(wrong, "there is no "+sel[1])
			continue
		}
		for l := range matched[0] {
			labels[l] = true
		}
		for _, m := range matchers.FindAllStringSubmatch(sel[2], -1) {
			if _, ok := matched[0][m[1]]; !ok {
				wrong = append(wrong, sel[1]+" has no label "+m[1])
				continue
			}
			re, err := regexp.Compile("^(?:" + m[3] + ")$")
			if err != nil {
				wrong = append(wrong, err.Error())
				continue
			}
			matched = slices.DeleteFunc(matched, func(s series) bool {
				hit := s[m[1]] == m[3]
				if strings.Contains(m[2], "~") {
					hit = re.MatchString(s[m[1]])
				}
				return hit == strings.HasPrefix(m[2], "!")
			})
			if len(matched) == 0 {
				wrong = append(wrong, fmt.Sprintf("no series of %s has %s", sel[1], m[0]))
				break
			}
		}
		// Each value of an enumeration is to be one that there is.
		for _, m := range matchers.FindAllStringSubmatch(sel[2], -1) {
			for value := range strings.SplitSeq(m[3], "|") {
				if strings.ContainsAny(value, ".*+") {
					continue
				}
				if !slices.ContainsFunc(all, func(s series) bool { return s["__name__"] == sel[1] && s[m[1]] == value }) {
					wrong = append(wrong, fmt.Sprintf("%s never has %s=%q", sel[1], m[1], value))
				}
			}
		}
	}
	for _, g := range groupings.FindAllStringSubmatch(query, -1) {
		for _, l := range words.FindAllString(g[1], -1) {
			if !labels[l] {
				wrong = append(wrong, "no metric of the query has the label "+l)
			}
		}
	}
	rest := groupings.ReplaceAllString(selectors.ReplaceAllString(query, " "), " ")
	for _, w := range words.FindAllString(texts.ReplaceAllString(rest, " "), -1) {
		if !slices.Contains(known, w) {
			wrong = append(wrong, w+" is no word of PromQL that is known here")
		}
	}
	return wrong
}

// unknownLabels tells which labels of a text are in none of a query's metrics.
func unknownLabels(text, query string, all []series) (unknown []string) {
	for _, l := range legends.FindAllStringSubmatch(text, -1) {
		ok := false
		for _, sel := range selectors.FindAllStringSubmatch(query, -1) {
			ok = ok || slices.ContainsFunc(all, func(s series) bool { _, has := s[l[1]]; return has && s["__name__"] == sel[1] })
		}
		if !ok {
			unknown = append(unknown, l[1])
		}
	}
	return unknown
}

// TestWrongQueriesAreSeen has the tokenizer look at queries that are wrong.
func TestWrongQueriesAreSeen(t *testing.T) {
	t.Parallel()
	all := scrapedSeries(t)
	for _, tt := range []struct{ name, query, want string }{
		{"right", `sum by (bot) (rate(bridge_turns_total{outcome=~"failed|unshown"}[5m])) > 1`, ""},
		{"right with a variable", `bridge_turns_total{bot=~"$bot"}`, ""},
		{"no such metric", `rate(bridge_turn_total[5m])`, "no bridge_turn_total"},
		{"histogram without its suffix", `rate(bridge_text_age_seconds[5m])`, "no bridge_text_age_seconds"},
		{"no such label", `bridge_turns_total{room="x"}`, "no label room"},
		{"no such value", `bridge_turns_total{outcome="broken"}`, `outcome="broken"`},
		{"no such value in a list", `bridge_turns_total{outcome=~"failed|broken"}`, `outcome="broken"`},
		{"grouped by a label that is not there", `sum by (room) (bridge_turns_total)`, "label room"},
		{"unknown function", `summ(bridge_turns_running)`, "summ"},
		{"bracket", `sum(bridge_turns_running`, "brackets"},
		{"nothing", `1 > 0`, "no metric"},
	} {
		got := strings.Join(wrongWith(tt.query, all), "; ")
		if tt.want == "" && got != "" || tt.want != "" && !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.UnmarshalWithOptions(raw, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	all := scrapedSeries(t)
	seen := map[string]bool{}
	duration := regexp.MustCompile(`^([1-9]\d*[smh])?$`)
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || seen[r.Alert] {
				t.Errorf("alert %q has no name, or another has it", r.Alert)
			}
			seen[r.Alert] = true
			for _, w := range wrongWith(r.Expr, all) {
				t.Errorf("%s: %s", r.Alert, w)
			}
			if !duration.MatchString(r.For) {
				t.Errorf("%s: for %q is no duration", r.Alert, r.For)
			}
			if s := r.Labels["severity"]; s != "critical" && s != "warning" {
				t.Errorf("%s: severity %q", r.Alert, s)
			}
			for _, a := range []string{"summary", "description", "action"} {
				if len(r.Annotations[a]) < 15 {
					t.Errorf("%s has no %s", r.Alert, a)
				}
				text := strings.ReplaceAll(r.Annotations[a], "{{ $value |", "")
				for _, l := range unknownLabels(text, r.Expr, all) {
					t.Errorf("%s: %s names the label %s, which its query has not", r.Alert, a, l)
				}
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d alerts", len(seen))
	}
}

// panel is one of a dashboard.
type panel struct {
	ID          int
	Type, Title string
	Description string
	GridPos     struct{ H, W, X, Y int }
	Panels      []panel
	Targets     []struct{ RefID, Expr, LegendFormat string }
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../deploy/grafana/bridge.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID, Title string
		Panels     []panel
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || d.Title == "" {
		t.Error("the dashboard has no uid or no title")
	}
	all := scrapedSeries(t)
	var rows []string
	ids := map[int]bool{}
	taken := map[[2]int]int{} // cells of the grid
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: id %d is another's too", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok || x >= 24 {
					t.Errorf("%s lies over panel %d, or out of the grid", p.Title, other)
				}
				taken[[2]int{x, y}] = p.ID
			}
		}
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q lacks a title, a description or a query", p.ID, p.Title)
		}
		for _, q := range p.Targets {
			for _, w := range wrongWith(q.Expr, all) {
				t.Errorf("%s: %s: %s", p.Title, q.Expr, w)
			}
			for _, l := range unknownLabels(q.LegendFormat, q.Expr, all) {
				t.Errorf("%s: the legend names the label %s, which its query has not", p.Title, l)
			}
		}
	}
	if want := []string{"Health", "Turns", "Freshness", "Platforms", "ClickAI", "Store and process"}; !slices.Equal(rows, want) {
		t.Errorf("rows %v, want %v", rows, want)
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		m := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`).FindStringSubmatch(v.Definition)
		if m == nil || len(wrongWith(m[1]+`{`+m[2]+`=~".*"}`, all)) > 0 {
			t.Errorf("variable %s: %s", v.Name, v.Definition)
		}
	}
}
