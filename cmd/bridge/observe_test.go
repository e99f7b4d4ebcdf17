package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

// scraped is what /metrics says: the values of counters and gauges and the counts of histograms by series, as
// name{label="value",…} with the labels in order.
type scraped map[string]float64

func scrape(t *testing.T, p *process) scraped {
	t.Helper()
	code, body := p.get("/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics = %d\n%s", code, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	all := scraped{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			slices.Sort(labels)
			series := name
			if len(labels) > 0 {
				series += "{" + strings.Join(labels, ",") + "}"
			}
			switch {
			case m.GetHistogram() != nil:
				all[series] = float64(m.GetHistogram().GetSampleCount())
			case m.GetCounter() != nil:
				all[series] = m.GetCounter().GetValue()
			default:
				all[series] = m.GetGauge().GetValue()
			}
		}
	}
	return all
}

// logLine is a line of the log as JSON.
type logLine struct {
	Msg, Level string
	Turn       string `json:"turn_id"`
	App        string `json:"app"`
	Conv       string `json:"conv"`
	raw        string
}

func (p *process) logLines() []logLine {
	p.t.Helper()
	var all []logLine
	for raw := range strings.Lines(p.text()) {
		l := logLine{raw: raw}
		if err := json.Unmarshal([]byte(raw), &l); err != nil {
			p.t.Fatalf("line of the log: %v\n%s", err, raw)
		}
		all = append(all, l)
	}
	return all
}

// said counts the lines that say so.
func (p *process) said(msg string) int {
	return len(slices.DeleteFunc(p.logLines(), func(l logLine) bool { return l.Msg != msg }))
}

// TestMetrics has two questions answered, one failing and one answer liked, and reads what /metrics says of it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	p := runBridge(t, rewritten(t, writeConfig(t, s, clickai.ModeChat, ""), `plan: \w+`, "plan: sandbox"))
	connected(t, s)
	st := stageOn(t, s, "telegram")
	first := ask(t, s, st, "first?")
	ask(t, s, st, "second?")
	s.ClickAI.Script(nil, clickai.Fail(400, "invalid_param", "this is not to be seen in a label"))
	if _, err := st.Platform.Say(t.Context(), sim.Say{Room: st.Room.Room, Thread: st.Room.Thread, Mention: st.Mention, User: st.Person, Text: "third?"}); err != nil {
		t.Fatal(err)
	}
	until(t, "three turns end", func() bool { return p.said("turn finished") == 3 }, p.changed)
	if err := st.Platform.React(t.Context(), first.replies[len(first.replies)-1].Ref, st.Person, "👍"); err != nil {
		t.Fatal(err)
	}
	until(t, "the rating is sent", func() bool { return p.said("rating sent") == 1 }, p.changed)

	got := scrape(t, p)
	look := time.NewTicker(50 * time.Millisecond) // nothing tells when a turn is no longer counted as running
	defer look.Stop()
	for end := time.Now().Add(patience); got["bridge_turns_running"]+got["bridge_conversations_waiting"] > 0 && time.Now().Before(end); got = scrape(t, p) {
		<-look.C
	}
	bot, app := names(t, got, "telegram")
	is := func(want float64, series string) {
		t.Helper()
		series = strings.NewReplacer("BOT", bot, "APP", app).Replace(series)
		if v, ok := got[series]; !ok || v != want {
			t.Errorf("%s = %v (%v), want %v", series, v, ok, want)
		}
	}
	atLeast := func(want float64, series string) {
		t.Helper()
		series = strings.NewReplacer("BOT", bot, "APP", app).Replace(series)
		if v := got[series]; v < want {
			t.Errorf("%s = %v, want at least %v", series, v, want)
		}
	}
	is(3, `bridge_messages_total{bot="BOT",outcome="accepted"}`)
	is(0, `bridge_messages_total{bot="BOT",outcome="denied"}`)
	is(2, `bridge_turns_total{app="APP",bot="BOT",outcome="answered"}`)
	is(1, `bridge_turns_total{app="APP",bot="BOT",outcome="failed"}`)
	is(0, `bridge_turns_total{app="APP",bot="BOT",outcome="left"}`)
	is(1, `bridge_turn_failures_total{app="APP",bot="BOT",reason="error"}`)
	is(1, `bridge_notices_total{bot="BOT",kind="error"}`)
	is(3, `bridge_turn_ask_delay_seconds{bot="BOT"}`)
	is(2, `bridge_turn_first_text_seconds{bot="BOT"}`)
	is(2, `bridge_app_first_text_seconds{app="APP"}`)
	is(3, `bridge_turn_duration_seconds{bot="BOT"}`)
	atLeast(2, `bridge_text_age_seconds{bot="BOT"}`)
	is(1, `bridge_clickai_errors_total{app="APP",code="invalid_param"}`)
	is(3, `bridge_clickai_requests_total{app="APP",endpoint="/v1/chat-messages",method="POST",status="200"}`)
	is(1, `bridge_clickai_requests_total{app="APP",endpoint="/v1/messages/{id}/feedbacks",method="POST",status="200"}`)
	is(3, `bridge_clickai_request_duration_seconds{app="APP",endpoint="/v1/chat-messages",method="POST"}`)
	is(1, `bridge_ratings_total{app="APP",outcome="sent",rating="like"}`)
	is(1, `bridge_bot_connected{bot="BOT",platform="telegram"}`)
	is(0, `bridge_bot_stopped{bot="BOT",platform="telegram"}`)
	is(1, `bridge_bot_connects_total{bot="BOT"}`)
	atLeast(3, `bridge_platform_calls_total{bot="BOT",call="post",result="ok"}`)
	is(0, `bridge_platform_calls_total{bot="BOT",call="post",result="rate_limited"}`)
	atLeast(3, `bridge_platform_call_duration_seconds{bot="BOT",call="post"}`)
	atLeast(3, `bridge_platform_pace_wait_seconds{bot="BOT",priority="urgent"}`)
	is(0, `bridge_turns_running`)
	is(0, `bridge_conversations_waiting`)
	is(0, `bridge_questions_unanswered`)
	is(0, `bridge_question_oldest_age_seconds`)
	is(1, `bridge_store_healthy`)
	atLeast(4096, `bridge_store_size_bytes`)
	atLeast(6, `bridge_store_commit_duration_seconds`)
	atLeast(6, `bridge_store_commit_operations`)
	atLeast(1, `bridge_clickai_plan_requests{app="APP",window="minute"}`)
	used := got[`bridge_clickai_plan_requests{app="`+app+`",window="day"}`] - got[`bridge_clickai_plan_left_requests{app="`+app+`",window="day"}`]
	if used < 4 {
		t.Errorf("%v requests of the day are used, want at least 4", used)
	}
	atLeast(1, `go_goroutines`)
	atLeast(1, `process_open_fds`)
	for series := range maps.Keys(got) {
		for _, id := range []string{st.Room.Room, st.Person, first.turn.User, "not to be seen"} {
			if strings.Contains(series, `"`+id+`"`) || strings.Contains(series, "not to be seen") {
				t.Errorf("%s names %q", series, id)
			}
		}
	}
	p.stop()
}

// rewritten changes a configuration file.
func rewritten(t *testing.T, path, pattern, text string) string {
	t.Helper()
	had, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	now := regexp.MustCompile(pattern).ReplaceAll(had, []byte(text))
	if bytes.Equal(had, now) {
		t.Fatalf("the configuration has no %s:\n%s", pattern, had)
	}
	if err := os.WriteFile(path, now, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// stageOn is the first stage on a platform.
func stageOn(t *testing.T, s *standins.Set, platform string) standins.Stage {
	t.Helper()
	all := s.Stages()
	i := slices.IndexFunc(all, func(st standins.Stage) bool { return st.Platform.Name() == platform })
	if i < 0 {
		t.Fatalf("there is no stage on %s", platform)
	}
	return all[i]
}

// names are those of the platform's bot and of its app.
func names(t *testing.T, got scraped, platform string) (bot, app string) {
	t.Helper()
	known := regexp.MustCompile(`^bridge_bot_connected\{bot="([^"]*)",platform="` + platform + `"\}$`)
	asks := regexp.MustCompile(`^bridge_turns_total\{app="([^"]*)",bot="([^"]*)",outcome="answered"\}$`)
	for series := range got {
		if m := known.FindStringSubmatch(series); m != nil {
			bot = m[1]
		}
	}
	for series := range got {
		if m := asks.FindStringSubmatch(series); m != nil && m[2] == bot {
			return bot, m[1]
		}
	}
	t.Fatalf("there are no turns on %s", platform)
	return "", ""
}

// TestOneReferenceForAllOfATurn lets a turn fail in the ways that are logged most, and wants its reference in each line that
// it leaves in the log, and under its answer.
func TestOneReferenceForAllOfATurn(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	p := runBridge(t, rewritten(t, writeConfig(t, s, clickai.ModeChat, ""), `(?m)^http:`, "log: {level: debug, format: json}\nhttp:"))
	connected(t, s)
	st := stageOn(t, s, "telegram")
	s.ClickAI.Faults().Add(sim.Fault{Match: "POST /v1/chat-messages", Times: 1, Status: http.StatusServiceUnavailable, Body: "busy"})
	s.ClickAI.Faults().Add(sim.Fault{Match: "POST /v1/files/upload", Times: 1, Status: http.StatusServiceUnavailable, Body: "busy"})
	s.Telegram.Faults().Add(sim.TooManyRequests("sendMessage", 0, 1))
	s.ClickAI.Script(nil, clickai.Text("A beginning. "), clickai.Fail(500, "internal_server_error", "out of order"))
	say := sim.Say{Room: st.Room.Room, Thread: st.Room.Thread, Mention: st.Mention, User: st.Person, Text: "what now?", Files: []sim.File{{Name: "a.txt", MIME: "text/plain", Data: []byte("text")}}}
	if _, err := st.Platform.Say(t.Context(), say); err != nil {
		t.Fatal(err)
	}
	until(t, "the turn ends", func() bool { return p.said("turn finished") == 1 }, p.changed)
	p.stop()

	id, of := "", map[string]int{}
	for _, l := range p.logLines() {
		if l.App == "" && l.Conv == "" {
			continue // of the bot or the bridge
		}
		of[l.Msg]++
		switch {
		case l.Turn == "":
			t.Errorf("a line of the turn has no turn_id: %s", l.raw)
		case id != "" && l.Turn != id:
			t.Errorf("turn_id %s and %s: %s", id, l.Turn, l.raw)
		case strings.Count(l.raw, `"turn_id"`) != 1:
			t.Errorf("turn_id stands twice: %s", l.raw)
		}
		id = l.Turn
	}
	for _, msg := range []string{"question not answered", "upload failed", "ClickAI reports an error in the answer", "reply not shown, trying again", "turn finished"} {
		if of[msg] == 0 {
			t.Errorf("the turn has not logged %q: %v", msg, of)
		}
	}
	shown := ""
	for _, m := range st.Platform.Messages(st.Room.Room, st.Room.Thread) {
		if m.Bot {
			shown += m.Shown + "\n"
		}
	}
	if id == "" || !strings.Contains(shown, id) {
		t.Errorf("the person does not see the reference %q:\n%s", id, shown)
	}
}

func TestProfiler(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, listen string
		warns        bool
	}{
		{"loopback", "127.0.0.1:0", false},
		{"all addresses", "0.0.0.0:0", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var logged bytes.Buffer
			f, err := startProfiler(t.Context(), tt.listen, slog.New(slog.NewTextHandler(&logged, nil)))
			if err != nil {
				t.Fatal(err)
			}
			_, port, err := net.SplitHostPort(f.addr())
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/debug/pprof/cmdline"} {
				res, err := http.Get("http://127.0.0.1:" + port + path)
				if err != nil {
					t.Fatal(err)
				}
				n, err := io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK || n == 0 || err != nil {
					t.Errorf("%s: %d, %d bytes, %v", path, res.StatusCode, n, err)
				}
			}
			if err := f.close(); err != nil {
				t.Error(err)
			}
			if got := strings.Contains(logged.String(), "level=WARN"); got != tt.warns {
				t.Errorf("warned: %v, want %v\n%s", got, tt.warns, logged.String())
			}
		})
	}
	t.Run("not asked for", func(t *testing.T) {
		f, err := startProfiler(t.Context(), "", slog.New(slog.DiscardHandler))
		if err != nil || f.addr() != "" || f.close() != nil {
			t.Errorf("%v at %q, want nothing", err, f.addr())
		}
	})
}

// TestProfilesOfARun starts the bridge with --pprof.
func TestProfilesOfARun(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	path := writeConfig(t, s, clickai.ModeChat, "")
	p := startProcess(t, os.Args[0], path, "--pprof", "127.0.0.1:0")
	connected(t, s)
	var line struct{ Pprof string }
	for raw := range strings.Lines(p.text()) {
		if err := json.Unmarshal([]byte(raw), &line); err == nil && line.Pprof != "" {
			break
		}
	}
	res, err := http.Get("http://" + line.Pprof + "/debug/pprof/heap?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("profiles: %d", res.StatusCode)
	}
	if code, _ := p.get("/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("http.listen serves profiles: %d", code)
	}
	p.stop()
	if code, _, errs := command(t, nil, "run", "--config", path, "--pprof", "nowhere"); code != 1 || !strings.Contains(errs, "--pprof nowhere") {
		t.Errorf("exit %d, %q; want to hear of --pprof", code, errs)
	}
}

// TestTraces runs the bridge with a collector in its environment.
func TestTraces(t *testing.T) { // not in parallel: the environment is everyone's
	var mu sync.Mutex
	var got []string
	names := map[string]int{}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var req tracepb.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(raw, &req)
		}
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, req.String())
		for _, rs := range req.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				for _, span := range ss.GetSpans() {
					names[span.GetName()]++
				}
			}
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	s := startSet(t, standins.Options{})
	p := runBridge(t, writeConfig(t, s, clickai.ModeChat, ""))
	connected(t, s)
	st := stageOn(t, s, "telegram")
	ex := ask(t, s, st, "what is traced of this?")
	until(t, "the turn ends", func() bool { return p.said("turn finished") == 1 }, p.changed)
	p.stop()

	mu.Lock()
	defer mu.Unlock()
	if names["turn"] != 1 || names["queue"] != 1 || names["ask"] != 1 || names["show"] != 1 {
		t.Errorf("spans %v", names)
	}
	all := strings.Join(got, "\n")
	id := ""
	for _, l := range p.logLines() {
		if l.Msg == "turn finished" {
			id = l.Turn
		}
	}
	for _, want := range []string{id, "POST /v1/chat-messages", "first text visible", "answered"} {
		if want == "" || !strings.Contains(all, want) {
			t.Errorf("no span says %q:\n%s", want, all)
		}
	}
	for _, not := range []string{"what is traced", lastLetters(ex.turn.Answer, 40), st.Person, ex.turn.User, st.Room.Room, ex.turn.ConversationID} {
		if not != "" && strings.Contains(all, not) {
			t.Errorf("a span says %q:\n%s", not, all)
		}
	}
}
