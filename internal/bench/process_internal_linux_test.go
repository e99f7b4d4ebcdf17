package bench

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func TestReadOwnProcess(t *testing.T) {
	before, err := read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	ballast := make([]byte, 64<<20)
	for i := 0; i < len(ballast); i += os.Getpagesize() {
		ballast[i] = byte(i)
	}
	const burn = 100 * time.Millisecond
	for began := processorTime(t); processorTime(t)-began < burn; {
		ballast[began%(64<<20)]++
	}
	after, err := read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(ballast)
	if grew := after.rss - before.rss; grew < 48<<20 || after.peak < after.rss-(1<<20) {
		t.Errorf("resident grew by %d bytes, peak %d; want 64 MiB more", grew, after.peak)
	}
	if grew := after.own - before.own; grew < 48<<20 || after.own > after.rss {
		t.Errorf("memory of its own grew by %d bytes to %d of %d; want 64 MiB more", grew, after.own, after.rss)
	}
	// It is counted in hundredths of a second.
	if used := after.cpu - before.cpu; used < burn-30*time.Millisecond || used > 10*time.Second {
		t.Errorf("processor time grew by %v, want %v at least", used, burn)
	}
}

// processorTime is what the process has used, as the operating system's own call tells.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
