// Command archive packs files into a .tar.gz or .zip that is the same, byte for byte, whenever and wherever it is made: names
// in order, one time for all, no owner. It prints the archive's SHA-256 as sha256sum does. tar and zip differ too much
// between systems to give that from a script.
package main

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	out := flag.String("o", "", "archive to write, .tar.gz or .zip")
	folder := flag.String("folder", "", "folder in the archive in which the files stand")
	unix := flag.Int64("time", 0, "time of all files, in seconds since 1970")
	flag.Parse()
	if *out == "" || *folder == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "use: archive -o FILE -folder NAME [-time SECONDS] FILE…")
		os.Exit(2)
	}
	sum, err := write(*out, *folder, time.Unix(*unix, 0).UTC(), flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stdout, "%s  %s\n", sum, filepath.Base(*out))
}

// write packs the files, by their base names, and returns the archive's SHA-256 in hex.
func write(out, folder string, at time.Time, files []string) (sum string, err error) {
	files = slices.SortedFunc(slices.Values(files), func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
	f, err := os.Create(out)
	if err != nil {
		return "", fmt.Errorf("make the archive: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	w := io.MultiWriter(f, hash)
	switch {
	case strings.HasSuffix(out, ".tar.gz"):
		err = writeTar(w, folder, at, files)
	case strings.HasSuffix(out, ".zip"):
		err = writeZip(w, folder, at, files)
	default:
		err = fmt.Errorf("%s is neither .tar.gz nor .zip", out)
	}
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// mode is that of a file in an archive: what it is on this disk does not matter, apart from whether it can be run.
func mode(name string) int64 {
	if base := filepath.Base(name); base == "bridge" || base == "bridge.exe" {
		return 0o755
	}
	return 0o644
}

func writeTar(w io.Writer, folder string, at time.Time, files []string) error {
	zw, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	tw := tar.NewWriter(zw)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(folder, filepath.Base(name)), Size: int64(len(raw)), Mode: mode(name), ModTime: at, Format: tar.FormatUSTAR,
		}
		if err := tw.WriteHeader(h); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := tw.Write(raw); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		return fmt.Errorf("end the archive: %w", err)
	}
	return nil
}

func writeZip(w io.Writer, folder string, at time.Time, files []string) error {
	zw := zip.NewWriter(w)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		h := &zip.FileHeader{Name: path.Join(folder, filepath.Base(name)), Method: zip.Deflate, Modified: at}
		h.SetMode(os.FileMode(mode(name)))
		part, err := zw.CreateHeader(h)
		if err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := part.Write(raw); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("end the archive: %w", err)
	}
	return nil
}
