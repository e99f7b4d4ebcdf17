package bench

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Bridge is a running bridge under load.
type Bridge struct {
	// PID of its process; 0 if it is not known: then processor and memory are not measured.
	PID int
	// Ended is closed when the bridge has ended by itself; nil: it is not known.
	Ended <-chan struct{}
	// Stop ends it and returns what went wrong.
	Stop func() error
}

// reading is what a process has used up to now.
type reading struct {
	cpu  time.Duration
	rss  int64 // bytes
	own  int64 // bytes of rss that are no files, such as the store, which is mapped
	peak int64 // bytes, since the process began
}

// errNotMeasured is for systems without /proc.
var errNotMeasured = errors.New("not measured: there is no /proc here")

// userHz is the unit of times in /proc: 1/100 s on every architecture that Go's Linux ports run on.
// Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html and sysconf(_SC_CLK_TCK)
const userHz = 100

// read asks /proc for a process.
// Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func read(pid int) (r reading, err error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/"
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		if _, gone := os.Stat("/proc/self/stat"); gone != nil {
			return r, errNotMeasured
		}
		return r, fmt.Errorf("read what process %d uses: %w", pid, err)
	}
	// The name stands in parentheses and may hold anything; fields are counted from behind it.
	rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return r, fmt.Errorf("read what process %d uses: %q is too short", pid, stat)
	}
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return r, fmt.Errorf("read what process %d uses: %w", pid, err)
		}
		r.cpu += time.Duration(n) * time.Second / userHz
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return r, fmt.Errorf("read what process %d uses: %w", pid, err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		n, err := strconv.ParseInt(kib, 10, 64)
		if err != nil {
			continue
		}
		switch name {
		case "VmRSS":
			r.rss = n << 10
		case "RssAnon":
			r.own = n << 10
		case "VmHWM":
			r.peak = n << 10
		}
	}
	return r, nil
}

// sample is one reading within the load.
type sample struct {
	at      time.Duration
	own     int64
	running int
}

// maxSamples bounds the samples kept; when there are as many, every second one is dropped, and the time between is doubled.
const maxSamples = 4096

// watcher follows a process.
type watcher struct {
	pid     int
	err     error // why nothing is measured
	start   reading
	end     reading
	peak    int64
	most    int // answers that ran at once
	samples []sample
	every   int // one of so many samples is kept
	n       int
}

func newWatcher(pid int) *watcher {
	w := &watcher{pid: pid, every: 1}
	if pid == 0 {
		w.err = errors.New("not measured: the bridge's process is not known")
		return w
	}
	w.start, w.err = read(pid)
	return w
}

// take reads once; running is how many answers run now.
func (w *watcher) take(at time.Duration, running int) {
	w.most = max(w.most, running)
	if w.err != nil {
		return
	}
	r, err := read(w.pid)
	if err != nil {
		return // it has ended; what ended it is told elsewhere
	}
	w.end = r
	w.peak = max(w.peak, r.rss)
	if w.n++; w.n%w.every != 0 {
		return
	}
	w.samples = append(w.samples, sample{at: at, own: r.own, running: running})
	if len(w.samples) == maxSamples {
		for i := range maxSamples / 2 {
			w.samples[i] = w.samples[2*i]
		}
		w.samples, w.every = w.samples[:maxSamples/2], w.every*2
	}
}

// leastSamples are needed to tell growth from noise.
const leastSamples = 20

// slope is by how many bytes a second resident memory of its own grew over the last two thirds of a time, by least squares; false for
// too few samples.
func (w *watcher) slope(until time.Duration) (perSecond float64, ok bool) {
	var xs, ys []float64
	for _, s := range w.samples {
		if s.at >= until/3 && s.at <= until {
			xs, ys = append(xs, s.at.Seconds()), append(ys, float64(s.own))
		}
	}
	if len(xs) < leastSamples {
		return 0, false
	}
	var mx, my float64
	for i := range xs {
		mx, my = mx+xs[i], my+ys[i]
	}
	mx, my = mx/float64(len(xs)), my/float64(len(xs))
	var num, den float64
	for i := range xs {
		num += (xs[i] - mx) * (ys[i] - my)
		den += (xs[i] - mx) * (xs[i] - mx)
	}
	if den == 0 {
		return 0, false
	}
	return num / den, true
}
