package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	memoryVersion = 1
	memoryLife    = 400 * 24 * time.Hour // longer than any alert is held back
	memoryMost    = 16 << 20             // bytes of a file that is believed
)

// Memory holds when which alert was last sent to whom. Losing it costs a
// repeated alert. It is for one goroutine at a time; of two processes that
// write the same file, the last one wins.
type Memory struct {
	path string // empty: not kept
	sent map[string]time.Time
}

type memoryFile struct {
	Version int                  `json:"v"`
	Sent    map[string]time.Time `json:"sent"`
}

// OpenMemory reads the file, which need not exist. An empty path is a memory
// that is not kept. With an error comes a memory that is empty but works.
func OpenMemory(path string) (*Memory, error) {
	m := &Memory{path: path, sent: map[string]time.Time{}}
	if path == "" {
		return m, nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err == nil && info.Size() > memoryMost {
		err = fmt.Errorf("%s has %d bytes", path, info.Size())
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	var file memoryFile
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err == nil && file.Version != memoryVersion {
		err = fmt.Errorf("%s is of version %d", path, file.Version)
	}
	if err != nil {
		return m, fmt.Errorf("read which alerts were sent: %w", err)
	}
	if file.Sent != nil {
		m.sent = file.Sent
	}
	return m, nil
}

// Due returns the notice with those of its alerts that the webhook was not sent
// within the time before now. scope keeps like-named pipelines apart.
func (m *Memory) Due(scope string, w Webhook, n Notice, now time.Time, within time.Duration) Notice {
	var due []Alert
	for _, a := range n.Alerts {
		at, known := m.sent[memoryKey(scope, w, a)]
		// A time to come is a clock that was set back.
		if !known || at.After(now) || now.Sub(at) >= within {
			due = append(due, a)
		}
	}
	n.Alerts = due
	return n
}

// Sent notes that the webhook was sent the notice.
func (m *Memory) Sent(scope string, w Webhook, n Notice, now time.Time) {
	for _, a := range n.Alerts {
		m.sent[memoryKey(scope, w, a)] = now.UTC()
	}
}

// memoryKey tells neither the webhook's address, which is secret, nor anything
// else.
func memoryKey(scope string, w Webhook, a Alert) string {
	h := sha256.New()
	for _, part := range []string{scope, w.Type, w.URL, a.Key} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Save writes the file, whole or not at all, without what is too old to matter.
func (m *Memory) Save(now time.Time) error {
	if m.path == "" {
		return nil
	}
	for key, at := range m.sent {
		if now.Sub(at) > memoryLife {
			delete(m.sent, key)
		}
	}
	data, err := json.Marshal(memoryFile{Version: memoryVersion, Sent: m.sent})
	if err == nil {
		err = replace(m.path, data)
	}
	if err != nil {
		return fmt.Errorf("note which alerts were sent: %w", err)
	}
	return nil
}

// replace puts the data in the file's place.
func replace(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".alerts-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
