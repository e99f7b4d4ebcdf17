package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
)

// logLevel is the least important level that is written.
func logLevel(c config.Log) slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return slog.LevelInfo // the configuration has been checked; this is for the zero value
	}
	return level
}

// newLogger writes text on a terminal and JSON elsewhere, unless the configuration says which.
func newLogger(c config.Log, level slog.Leveler, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "text" || c.Format != "json" && isTerminal(w) {
		return slog.New(core.LogHandler(slog.NewTextHandler(w, opts)))
	}
	return slog.New(core.LogHandler(slog.NewJSONHandler(w, opts)))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
