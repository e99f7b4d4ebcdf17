package bench

import (
	"math"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestReadWithoutProc wants to hear that nothing is measured where there is no /proc.
func TestReadWithoutProc(t *testing.T) {
	if _, err := read(os.Getpid()); (err == nil) != (runtime.GOOS == "linux") {
		t.Errorf("on %s: %v", runtime.GOOS, err)
	}
}

func TestReadNoProcess(t *testing.T) {
	if _, err := read(1 << 30); err == nil {
		t.Error("read a process that is not there")
	}
	w := newWatcher(0)
	w.take(time.Second, 7)
	if w.err == nil || w.most != 7 {
		t.Errorf("err = %v, most = %d; want the reason, and the answers counted", w.err, w.most)
	}
}

func TestSlope(t *testing.T) {
	line := func(n int, bytes func(i int) int64) *watcher {
		w := &watcher{}
		for i := range n {
			w.samples = append(w.samples, sample{at: time.Duration(i) * time.Second, own: bytes(i)})
		}
		return w
	}
	tests := []struct {
		name string
		w    *watcher
		want float64
		ok   bool
	}{
		{"flat", line(90, func(int) int64 { return 5 << 20 }), 0, true},
		{"rising", line(90, func(i int) int64 { return int64(i) * 1000 }), 1000, true},
		{"the first third does not count", line(90, func(i int) int64 { return int64(min(i, 30)) << 20 }), 0, true},
		{"noise around a line", line(90, func(i int) int64 { return int64(i)*1000 + int64(i%2)*100 }), 1000, true},
		{"too short", line(20, func(i int) int64 { return int64(i) }), 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tt.w.slope(89 * time.Second)
			if ok != tt.ok || math.Abs(got-tt.want) > 2 {
				t.Errorf("slope = %v, %v; want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestSamplesAreBounded(t *testing.T) {
	w := newWatcher(os.Getpid())
	if w.err != nil {
		t.Logf("not here: %v", w.err)
		return
	}
	for i := range maxSamples + 100 {
		w.take(time.Duration(i)*time.Second, i)
	}
	if len(w.samples) >= maxSamples || len(w.samples) < maxSamples/2 || w.most != maxSamples+99 {
		t.Errorf("%d samples, %d at once", len(w.samples), w.most)
	}
	for i, s := range w.samples[1:] {
		if gap := s.at - w.samples[i].at; gap <= 0 {
			t.Fatalf("sample %d comes %v after the one before", i+1, gap)
		}
	}
}
