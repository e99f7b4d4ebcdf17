// Command generate writes docs/answers.md, see package gallery. It is run at the root of the repository.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/clickai/bridge/internal/gallery"
)

// timeLimit is for the whole run.
const timeLimit = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	doc, err := gallery.Document(ctx)
	if err != nil {
		return err //nolint:wrapcheck // says what was being done
	}
	if err := os.WriteFile(filepath.FromSlash(gallery.Path), []byte(doc), 0o644); err != nil { //nolint:gosec // a page for everybody
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}
