package config

import (
	"fmt"

	"github.com/clickai/bridge/core"
)

// SetText sets a text or a secret of a platform's settings by its key, as a configuration would that holds it.
func SetText(s core.Settings, key, value string) error {
	for _, f := range settingsFields(s) {
		if f.name == key && isText(f.target) {
			f.v.SetString(value)
			return nil
		}
	}
	return fmt.Errorf("the platform has no text %q among its keys", key)
}
