package gallery_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clickai/bridge/internal/gallery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// root is the repository, seen from this package.
const root = "../.."

// TestDocument makes the document anew and compares it with the one that is there.
func TestDocument(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	want, err := gallery.Document(ctx)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(gallery.Path)))
	if err != nil {
		t.Fatalf("%v; run: %s", err, gallery.Command)
	}
	if got := string(raw); got != want {
		line, is, should := firstDifference(got, want)
		t.Errorf("%s is out of date from line %d on; run: %s\n is     %s\n should %s", gallery.Path, line, gallery.Command, is, should)
	}
}

// firstDifference is the first line, from 1, in which two texts differ.
func firstDifference(a, b string) (n int, inA, inB string) {
	for n = 1; ; n++ {
		inA, a, _ = strings.Cut(a, "\n")
		inB, b, _ = strings.Cut(b, "\n")
		if inA != inB || a == "" && b == "" {
			return n, inA, inB
		}
	}
}

// TestCommand holds the Makefile and the document's own words together.
func TestCommand(t *testing.T) {
	t.Parallel()
	target, ok := strings.CutPrefix(gallery.Command, "make ")
	if !ok {
		t.Fatalf("%q is no target of the Makefile", gallery.Command)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(makefile), "\n"+target+": ") {
		t.Errorf("the Makefile has no target %s", target)
	}
}
