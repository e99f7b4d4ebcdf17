package playground

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// once is a body that must not be read again after its end, as a request's body once its answer has begun.
type once struct {
	r    io.Reader
	over bool
}

func (o *once) Read(p []byte) (int, error) {
	if o.over {
		return 0, errors.New("read after its end")
	}
	n, err := o.r.Read(p)
	o.over = errors.Is(err, io.EOF)
	return n, err
}

func (o *once) Close() error { return nil }

func TestPeek(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name  string
		size  int
		shown bool
	}{{"nothing", 0, true}, {"short", 100, true}, {"as long as may be", maxBody, true}, {"longer", maxBody + 1, false}, {"much longer", 3 * maxBody, false}} {
		t.Run(x.name, func(t *testing.T) {
			text := strings.Repeat("x", x.size)
			var body io.ReadCloser = &once{r: strings.NewReader(text)}
			head, err := peek(&body)
			if err != nil || (head != nil) != x.shown || x.shown && string(head) != text {
				t.Errorf("%d bytes are shown, %v", len(head), err)
			}
			if got, err := io.ReadAll(body); err != nil || string(got) != text {
				t.Errorf("%d bytes pass, %v; want %d", len(got), err, x.size)
			}
		})
	}
}
