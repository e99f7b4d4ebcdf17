package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// entry is a file in an archive.
type entry struct {
	name, text string
	mode       int64
	at         time.Time
}

// TestSameBytes packs the same files twice, at different times, with other rights and in another order.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	want := []entry{
		{"bridge_v1/LICENSE", "licence", 0o644, at},
		{"bridge_v1/README.md", "read me", 0o644, at},
		{"bridge_v1/bridge", "binary", 0o755, at},
	}
	tests := []struct {
		kind string
		read func(t *testing.T, raw []byte) []entry
	}{
		{"tar.gz", readTar},
		{"zip", readZip},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			pack := func(mode os.FileMode, order ...string) (string, []byte) {
				dir := t.TempDir()
				var files []string
				for _, name := range order {
					text := map[string]string{"LICENSE": "licence", "README.md": "read me", "bridge": "binary"}[name]
					file := filepath.Join(dir, name)
					if err := os.WriteFile(file, []byte(text), mode); err != nil {
						t.Fatal(err)
					}
					files = append(files, file)
				}
				out := filepath.Join(dir, "bridge_v1."+tt.kind)
				sum, err := write(out, "bridge_v1", at, files)
				if err != nil {
					t.Fatal(err)
				}
				raw, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				return sum, raw
			}
			sum, raw := pack(0o600, "bridge", "README.md", "LICENSE")
			_, again := pack(0o755, "LICENSE", "bridge", "README.md")
			if !bytes.Equal(raw, again) {
				t.Error("two archives of the same files differ")
			}
			if want := sha256.Sum256(raw); sum != hex.EncodeToString(want[:]) {
				t.Errorf("sum is %s, want %x", sum, want)
			}
			if diff := cmp.Diff(want, tt.read(t, raw), cmp.AllowUnexported(entry{})); diff != "" {
				t.Errorf("archive (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherKind(t *testing.T) {
	t.Parallel()
	if _, err := write(filepath.Join(t.TempDir(), "bridge.rar"), "bridge", time.Time{}, nil); err == nil {
		t.Error("an archive of an unknown kind was made")
	}
}

func readTar(t *testing.T, raw []byte) (all []entry) {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(zr)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s has an owner", h.Name)
		}
		all = append(all, entry{h.Name, string(text), h.Mode, h.ModTime.UTC()})
	}
}

func readZip(t *testing.T, raw []byte) (all []entry) {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{f.Name, string(text), int64(f.Mode()), f.Modified.UTC()})
	}
	return all
}
