package crashtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Health is what a bridge holds at a time.
type Health struct {
	After      time.Duration // since it was first looked at
	Resident   int64         // bytes that the process holds in memory for itself
	Mapped     int64         // bytes in memory of files: the binary and the store, whose pages the system can take back
	Heap       int64         // bytes that are in use after a collection
	Goroutines int
	Files      int // open ones, with connections
}

// String is a line of a table.
func (h Health) String() string {
	const mega = 1 << 20
	return fmt.Sprintf("%8v  resident %5.1f MB and %5.1f MB of files  heap %4.1f MB  goroutines %3d  open files %3d", h.After.Round(time.Second),
		float64(h.Resident)/mega, float64(h.Mapped)/mega, float64(h.Heap)/mega, h.Goroutines, h.Files)
}

// Doctor looks at a bridge that runs with --pprof.
type Doctor struct {
	Log  string // of the bridge, which says where its profiles are
	addr string
	from time.Time
	Seen []Health
}

const lookTime = 10 * time.Second

// Look notes how the bridge is. It needs /proc.
func (d *Doctor) Look(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if d.addr == "" {
		if err := d.find(); err != nil {
			return err
		}
		d.from = time.Now()
	}
	h := Health{After: time.Since(d.from)}
	heap, err := d.number(ctx, "heap?gc=1&debug=1", regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)`))
	if err != nil {
		return err
	}
	goroutines, err := d.number(ctx, "goroutine?debug=1", regexp.MustCompile(`^goroutine profile: total (\d+)`))
	if err != nil {
		return err
	}
	h.Heap, h.Goroutines = heap, int(goroutines)
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return fmt.Errorf("look at the bridge: %w", err)
	}
	for name, to := range map[string]*int64{"RssAnon": &h.Resident, "RssFile": &h.Mapped} {
		kilo, err := match(status, regexp.MustCompile(`(?m)^`+name+`:\s+(\d+) kB`))
		if err != nil {
			return err
		}
		*to = kilo << 10
	}
	open, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return fmt.Errorf("look at the bridge: %w", err)
	}
	h.Files = len(open)
	d.Seen = append(d.Seen, h)
	return nil
}

// find reads in the log where the profiles are.
func (d *Doctor) find() error {
	f, err := os.Open(d.Log)
	if err != nil {
		return fmt.Errorf("look for the profiles: %w", err)
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewScanner(f)
	for in.Scan() {
		var line struct{ Pprof string }
		if json.Unmarshal(in.Bytes(), &line) == nil && line.Pprof != "" {
			d.addr = line.Pprof
			return nil
		}
	}
	return errors.Join(errors.New("the log does not say where the profiles are"), in.Err())
}

var errNoNumber = errors.New("no such number")

func match(text []byte, what *regexp.Regexp) (int64, error) {
	found := what.FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("%v: %w", what, errNoNumber)
	}
	n, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%v: %w", what, err)
	}
	return n, nil
}

// maxProfile bounds what is read of a profile, in bytes.
const maxProfile = 16 << 20

func (d *Doctor) number(ctx context.Context, profile string, what *regexp.Regexp) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.addr+"/debug/pprof/"+profile, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("ask for a profile: %w", err)
	}
	resp, err := (&http.Client{Timeout: lookTime}).Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask for a profile: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxProfile))
	if err != nil {
		return 0, fmt.Errorf("read a profile: %w", err)
	}
	return match(text, what)
}

// Ends are the medians of what was seen in the second and in the last tenth of the time: in the first one caches fill.
func (d *Doctor) Ends() (first, last Health) {
	if len(d.Seen) == 0 {
		return first, last
	}
	whole := d.Seen[len(d.Seen)-1].After
	part := func(from, to time.Duration) []Health {
		var all []Health
		for _, h := range d.Seen {
			if h.After >= from && h.After <= to {
				all = append(all, h)
			}
		}
		return all
	}
	early := part(whole/10, whole/5)
	if len(early) == 0 {
		early = d.Seen[:1]
	}
	return median(early), median(part(whole-whole/10, whole))
}

func median(all []Health) Health {
	middle := func(of func(Health) int64) int64 {
		var n []int64
		for _, h := range all {
			n = append(n, of(h))
		}
		slices.Sort(n)
		return n[len(n)/2]
	}
	return Health{
		After:      all[0].After,
		Resident:   middle(func(h Health) int64 { return h.Resident }),
		Mapped:     middle(func(h Health) int64 { return h.Mapped }),
		Heap:       middle(func(h Health) int64 { return h.Heap }),
		Goroutines: int(middle(func(h Health) int64 { return int64(h.Goroutines) })),
		Files:      int(middle(func(h Health) int64 { return int64(h.Files) })),
	}
}
