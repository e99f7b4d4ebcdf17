package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// envName is the file of secrets beside a configuration.
const envName = ".env"

// EnvFile is the file of secrets that belongs to a configuration.
func EnvFile(config string) string { return filepath.Join(filepath.Dir(config), envName) }

// Free returns an error if one of the files that would be written is there already, or cannot be written for want of a
// folder. It wraps [fs.ErrExist] or [fs.ErrNotExist].
func Free(config string) error {
	dir := filepath.Dir(config)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("the folder %s: %w; make it first", dir, err)
	} else if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if filepath.Base(config) == envName {
		return fmt.Errorf("the configuration cannot be called %s: the secrets are", envName)
	}
	for _, path := range []string{config, EnvFile(config)} {
		switch _, err := os.Lstat(path); {
		case err == nil:
			return taken(path)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("look for %s: %w", path, err)
		}
	}
	return nil
}

func taken(path string) error {
	return fmt.Errorf("%s is there already and is not overwritten: move it away, or name another folder with --config DIR/config.yaml: %w", path, fs.ErrExist)
}

// Write writes the configuration and its .env, each whole or not at all, and none if check refuses them: it is given the path
// of the configuration as written, with its .env beside it. What is there already stays, with an error that wraps [fs.ErrExist].
func Write(config, text, secrets string, check func(path string) error) (err error) {
	dir := filepath.Dir(config)
	draft, err := os.MkdirTemp(dir, ".bridge-init-")
	if err != nil {
		return fmt.Errorf("write %s: %w", config, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(draft)) }()
	from, fromEnv := filepath.Join(draft, filepath.Base(config)), filepath.Join(draft, envName)
	if err := writeSynced(from, text, 0o600); err != nil {
		return err
	}
	if err := writeSynced(fromEnv, secrets, 0o600); err != nil {
		return err
	}
	if err := check(from); err != nil {
		return err
	}
	if err := place(fromEnv, EnvFile(config), secrets); err != nil {
		return err
	}
	if err := place(from, config, text); err != nil {
		return errors.Join(err, os.Remove(EnvFile(config)))
	}
	return nil
}

func writeSynced(path, text string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// place gives a finished file its name, unless that is taken. Renaming would overwrite. A file system without links gets a
// copy.
func place(from, to, text string) error {
	err := os.Link(from, to)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		if err = writeSynced(to, text, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
			return errors.Join(err, os.Remove(to))
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return taken(to)
	}
	return err
}
