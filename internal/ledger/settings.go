package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/adteco/docarchive/internal/store"
)

// Settings are what may never change in a pipeline once it has an archive.
type Settings struct {
	Window time.Duration // size of its windows
	First  time.Time     // what its first run began with; a later start does not forget it
}

// settingsFile is the form in which settings are stored.
type settingsFile struct {
	Version int       `json:"v"`
	Window  string    `json:"window"`
	First   time.Time `json:"first"`
}

const settingsVersion = 1

// Settings records a pipeline's settings on its first run and returns them, and
// on later ones returns what was recorded then. Another size of windows is a
// [SettingsError].
func (l *Ledger) Settings(ctx context.Context, pipelineName string, s Settings) (Settings, error) {
	if err := checkName("pipeline", pipelineName); err != nil {
		return Settings{}, err
	}
	s.First = s.First.UTC()
	data, err := encode(settingsFile{Version: settingsVersion, Window: s.Window.String(), First: s.First})
	if err != nil {
		return Settings{}, err
	}
	err = l.store.PutIfAbsent(ctx, settingsKey(pipelineName), data)
	if err == nil {
		return s, nil
	}
	if !errors.Is(err, store.ErrExists) {
		return Settings{}, fmt.Errorf("settings of pipeline %s: %w", pipelineName, err)
	}
	was, err := l.SettingsOf(ctx, pipelineName)
	if err == nil && was.Window != s.Window {
		err = &SettingsError{Pipeline: pipelineName, Was: was, Is: s}
	}
	return was, err
}

func settingsKey(pipelineName string) string { return settingsDir + pipelineName + jsonSuffix }

// SettingsOf returns a pipeline's settings, or zero ones before its first run.
func (l *Ledger) SettingsOf(ctx context.Context, pipelineName string) (Settings, error) {
	if err := checkName("pipeline", pipelineName); err != nil {
		return Settings{}, err
	}
	key := settingsKey(pipelineName)
	data, err := l.store.Get(ctx, key, smallFile)
	if err != nil {
		if _, err = l.absent(ctx, err); err != nil {
			err = fmt.Errorf("settings of pipeline %s: %w", pipelineName, err)
		}
		return Settings{}, err
	}
	var file settingsFile
	err = decode(data, &file)
	if file.Version > settingsVersion {
		return Settings{}, &VersionError{Key: key, Found: file.Version, Known: settingsVersion}
	}
	if err != nil {
		return Settings{}, damaged(key, "%v", err)
	}
	size, err := time.ParseDuration(file.Window)
	if err != nil {
		return Settings{}, damaged(key, "%v", err)
	}
	return Settings{Window: size, First: file.First}, nil
}
