package clickai_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/clickai/bridge/clickai"
)

func frames(t testing.TB, r io.Reader, maxLen int) []clickai.Frame {
	t.Helper()
	var got []clickai.Frame
	if err := clickai.DecodeFrames(r, maxLen, func(f clickai.Frame) { got = append(got, f) }); !errors.Is(err, io.EOF) {
		t.Fatalf("DecodeFrames: %v, want EOF", err)
	}
	return got
}

func data(s string) clickai.Frame { return clickai.Frame{Data: s} }

func TestDecoderSplitsEvents(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   string
		want []clickai.Frame
	}{
		{"empty", "", nil},
		{"LF", "data: a\n\ndata: b\n\n", []clickai.Frame{data("a"), data("b")}},
		{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", []clickai.Frame{data("a"), data("b")}},
		{"CR", "data: a\r\rdata: b\r\r", []clickai.Frame{data("a"), data("b")}},
		{"mixed ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", []clickai.Frame{data("a"), data("b"), data("c")}},
		{"without space", "data:a\n\n", []clickai.Frame{data("a")}},
		{"one space only is cut", "data:  a \n\n", []clickai.Frame{data(" a ")}},
		{"several data lines", "data: a\ndata: b\ndata\ndata:\n\n", []clickai.Frame{data("a\nb\n\n")}},
		{"ping without data", "event: ping\n\n", []clickai.Frame{{Name: "ping"}}},
		{"ping with data", "event: ping\ndata: x\n\n", []clickai.Frame{{Name: "ping", Data: "x"}}},
		{"other event without data", "event: done\n\ndata: a\n\n", []clickai.Frame{data("a")}},
		{"empty data", "data:\n\ndata: a\n\n", []clickai.Frame{data("a")}},
		{"name after data", "data: a\nevent: x\n\n", []clickai.Frame{{Name: "x", Data: "a"}}},
		{"name doesn't stick", "event: x\ndata: a\n\ndata: b\n\n", []clickai.Frame{{Name: "x", Data: "a"}, data("b")}},
		{"comments", ": hi\n\n:\ndata: a\n:x\ndata: b\n\n:data: c\n\n", []clickai.Frame{data("a\nb")}},
		{"id, retry and unknown fields", "id: 1\nretry: 5\nfoo: bar\nfoo\ndata: a\n\n", []clickai.Frame{data("a")}},
		{"field name with spaces is unknown", " data: a\ndata : b\n\n", nil},
		{"byte order mark", "\xEF\xBB\xBFdata: a\n\n", []clickai.Frame{data("a")}},
		{"second byte order mark is text", "\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\ndata: b\n\n", []clickai.Frame{data("b")}},
		{"byte order mark alone", "\xEF\xBB\xBF", nil},
		{"byte order mark and torn event", "\xEF\xBB\xBFdata: a", []clickai.Frame{data("a")}},
		{"Unicode line separators are text", "data: a\u2028b\u2029c\u0085d\x0b\x0c\n\n", []clickai.Frame{data("a\u2028b\u2029c\u0085d\x0b\x0c")}},
		{"NUL is text", "data: a\x00b\n\n", []clickai.Frame{data("a\x00b")}},
		{"last blank line missing", "data: a\n\ndata: b\n", []clickai.Frame{data("a"), data("b")}},
		{"last line end missing", "data: a\n\ndata: b", []clickai.Frame{data("a"), data("b")}},
		{"many blank lines", "\n\n\r\r\n\ndata: a\n\n\n\n\n", []clickai.Frame{data("a")}},
		{"long event name is cut", "event: " + strings.Repeat("x", 100) + "\ndata: a\n\n", []clickai.Frame{{Name: strings.Repeat("x", 64), Data: "a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for name, r := range map[string]io.Reader{
				"whole":        strings.NewReader(tt.in),
				"byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
				"with EOF":     iotest.DataErrReader(strings.NewReader(tt.in)),
			} {
				if got := frames(t, r, 1<<20); !slices.Equal(got, tt.want) {
					t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
				}
			}
		})
	}
}

func TestDecoderLongLines(t *testing.T) {
	t.Parallel()
	const bound = 100_000
	long := strings.Repeat("x", 3*bound)
	fits := strings.Repeat("y", bound)
	tests := []struct {
		name string
		in   string
		want []clickai.Frame
	}{
		{"at the bound", "data: " + fits + "\n\n", []clickai.Frame{data(fits)}},
		{"at the bound, no space", "data:" + fits + "\n\n", []clickai.Frame{data(fits)}},
		{"at the bound, two lines", "data: " + fits[:bound-2] + "\ndata: z\n\n", []clickai.Frame{data(fits[:bound-2] + "\nz")}},
		{"at the bound, with byte order mark", "\xEF\xBB\xBFdata: " + fits[:bound-3] + "\n\n", []clickai.Frame{data(fits[:bound-3])}},
		{
			"one line over", "data: a\n\ndata: " + long + "\n\ndata: b\n\n",
			[]clickai.Frame{data("a"), {Data: long[:200], Dropped: 3*bound + 6}, data("b")},
		},
		{
			"several lines over", "data: " + fits + "\ndata: " + fits + "\ndata: x\n\ndata: b\n\n",
			[]clickai.Frame{{Data: fits[:200], Dropped: 2*bound + 1 + 2}, data("b")},
		},
		{
			"line over after a good one", "data: good\ndata: " + long + "\n\ndata: b\n\n",
			[]clickai.Frame{{Data: "good", Dropped: 3*bound + 6}, data("b")},
		},
		{
			"good line after one over", "data: " + long + "\ndata: good\n\ndata: b\n\n",
			[]clickai.Frame{{Data: long[:200], Dropped: 3*bound + 6 + 5}, data("b")},
		},
		{"comment over", ":" + long + "\ndata: b\n\n", []clickai.Frame{data("b")}},
		{"over at the end", "data: b\n\ndata: " + long, []clickai.Frame{data("b"), {Data: long[:200], Dropped: 3*bound + 6}}},
		{"fits, twice", "data: " + fits + "\n\ndata: " + fits + "\n\n", []clickai.Frame{data(fits), data(fits)}},
		{"fits, and a small one with it", "data: " + fits[:50_000] + "\ndata: z\n\ndata: q\n\n", []clickai.Frame{data(fits[:50_000] + "\nz"), data("q")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for name, r := range map[string]io.Reader{
				"whole":        strings.NewReader(tt.in),
				"byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
				"in halves":    iotest.HalfReader(strings.NewReader(tt.in)),
			} {
				got := frames(t, r, bound)
				if !slices.Equal(got, tt.want) {
					t.Errorf("%s: got %s, want %s", name, brief(got), brief(tt.want))
				}
			}
		})
	}
}

// brief shows frames with their data cut.
func brief(fs []clickai.Frame) string {
	var b strings.Builder
	for _, f := range fs {
		b.WriteString("{" + f.Name + " " + f.Data[:min(len(f.Data), 20)] + "… ")
		b.WriteString(strings.Join([]string{"len", itoa(len(f.Data)), "dropped", itoa(int(f.Dropped))}, " ") + "} ")
	}
	return b.String()
}

// An event is delivered as soon as its last needed byte is there: nothing waits
// for the byte after a CR.
func TestDecoderDoesNotWaitForMore(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n\n", "\r\r", "\r\n\r", "\r\n\n"} {
		r, w := io.Pipe()
		got := make(chan clickai.Frame)
		done := make(chan error, 1)
		go func() {
			done <- clickai.DecodeFrames(r, 1000, func(f clickai.Frame) { got <- f })
		}()
		if _, err := io.WriteString(w, "data: a"+end); err != nil {
			t.Fatal(err)
		}
		if f := <-got; f != data("a") {
			t.Errorf("end %q: got %+v", end, f)
		}
		_ = w.Close()
		if err := <-done; !errors.Is(err, io.EOF) {
			t.Errorf("end %q: %v", end, err)
		}
	}
}

func TestDecoderReadError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var got []clickai.Frame
	in := io.MultiReader(strings.NewReader("data: a\n\ndata: b\ndata: to"), iotest.ErrReader(broken))
	err := clickai.DecodeFrames(in, 1000, func(f clickai.Frame) { got = append(got, f) })
	// The complete line b counts, the torn one doesn't.
	if want := []clickai.Frame{data("a"), data("b")}; !errors.Is(err, broken) || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v; want %+v, %v", got, err, want, broken)
	}
	if err := clickai.DecodeFrames(stuck{}, 1000, func(clickai.Frame) {}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("reader without progress: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// FuzzDecoder checks that the same bytes give the same events however they are
// cut, and that bounds hold.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("data: a\r\n\r\ndata: b\n\n"), uint16(3), uint8(40))
	f.Add([]byte("\xEF\xBB\xBFevent: ping\r\rdata: {\"event\":\"message\"}\n\n"), uint16(1), uint8(255))
	f.Add([]byte("data: "+strings.Repeat("x", 300)+"\ndata: y\n\n:c\n\ndata: z"), uint16(7), uint8(20))
	f.Add([]byte("data\ndata\r\rid:1\ndata:\u2028\n\n"), uint16(2), uint8(3))
	f.Fuzz(func(t *testing.T, in []byte, step uint16, bound uint8) {
		maxLen := int(bound) + 1
		want := frames(t, bytes.NewReader(in), maxLen)
		got := frames(t, &stepReader{b: in, step: int(step)%97 + 1}, maxLen)
		if !slices.Equal(got, want) {
			t.Fatalf("in steps of %d: %+v, whole: %+v", int(step)%97+1, got, want)
		}
		for _, f := range want {
			if f.Dropped == 0 && len(f.Data) > maxLen+1 { // a line without the space may have one more
				t.Fatalf("event of %d bytes over the bound %d", len(f.Data), maxLen)
			}
			if f.Dropped > 0 && len(f.Data) > 200 {
				t.Fatalf("excerpt of %d bytes", len(f.Data))
			}
		}
	})
}

// stepReader gives step bytes at a time.
type stepReader struct {
	b    []byte
	step int
}

func (r *stepReader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b[:min(len(r.b), r.step)])
	r.b = r.b[n:]
	return n, nil
}
