package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/internal/control"
	"github.com/clickai/bridge/store"
)

func (p *program) restoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the store, while no bridge runs",
		Long: "Check FILE, which bridge backup has made, and put a copy of it in the place of the store. A store that is there is replaced\n" +
			"only with --force, and kept beside the new one as .bak. A bridge that runs must be stopped first.",
		Args: oneFile,
	}
	path := p.configFlag(cmd)
	force := cmd.Flags().Bool("force", false, "replace the store if there is one; the old one is kept as .bak")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		if client, err := control.Dial(cmd.Context(), c.Store.Path); err == nil {
			return fmt.Errorf("restore: the bridge runs (process %d) and holds %s: stop it first", client.Hello().PID, c.Store.Path)
		}
		bar := p.newProgress("restoring")
		done, err := store.Restore(cmd.Context(), args[0], c.Store.Path, store.RestoreOptions{Replace: *force, Progress: bar.show})
		bar.end()
		switch {
		case errors.Is(err, store.ErrExists):
			return fmt.Errorf("%w: give --force to replace it; it is kept beside the new one", err)
		case errors.Is(err, store.ErrNotStore):
			return fmt.Errorf("%s is not a bridge store, or damaged: name a file that bridge backup has made; nothing was replaced", args[0])
		case err != nil:
			return err
		}
		out := cmd.OutOrStdout()
		fmt.Fprintf(out, "%s: %s restored from %s, checked\n", c.Store.Path, bytesText(done.Size), args[0])
		if done.Kept != "" {
			_, err = fmt.Fprintf(out, "the store that was there is now %s\n", done.Kept)
		}
		return err
	}
	return cmd
}
