package docextracttest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Doc describes a knob or a fault.
type Doc struct {
	Name    string
	Values  string // what it may be set to
	Default string
	Text    string // what it does, in one line
}

// Knobs are the ways in which a server may behave without being at fault. They
// may be turned at any time; a request sees the values at its beginning.
type Knobs struct {
	table []knob

	mu      sync.Mutex // held while a knob is turned
	values  map[string]string
	current atomic.Pointer[settings]
}

func newKnobs() *Knobs {
	k := &Knobs{table: knobTable(), values: map[string]string{}}
	s := &settings{}
	for _, row := range k.table {
		if err := row.set(s, row.Default); err != nil {
			panic(fmt.Sprintf("docextracttest: the default of knob %s: %v", row.Name, err))
		}
		k.values[row.Name] = row.Default
	}
	k.current.Store(s)
	return k
}

func (k *Knobs) load() *settings { return k.current.Load() }

// Set turns a knob. The error says which names or values there are.
func (k *Knobs) Set(name, value string) error {
	row, ok := k.find(name)
	if !ok {
		return fmt.Errorf("there is no knob %q; there are %s", name, strings.Join(k.names(), ", "))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	next := *k.current.Load()
	if err := row.set(&next, value); err != nil {
		return fmt.Errorf("set knob %s: %q is not %s", name, value, row.Values)
	}
	k.values[name] = value
	k.current.Store(&next)
	return nil
}

// Get returns the value of a knob, and whether there is one of that name.
func (k *Knobs) Get(name string) (value string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	value, ok = k.values[name]
	return value, ok
}

// Names describes all knobs.
func (k *Knobs) Names() []Doc {
	docs := make([]Doc, len(k.table))
	for i, row := range k.table {
		docs[i] = row.Doc
	}
	return docs
}

// String lists the knobs that do not stand at their default, as name=value.
func (k *Knobs) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var turned []string
	for _, row := range k.table {
		if value := k.values[row.Name]; value != row.Default {
			turned = append(turned, row.Name+"="+value)
		}
	}
	return strings.Join(turned, " ")
}

func (k *Knobs) find(name string) (knob, bool) {
	for _, row := range k.table {
		if row.Name == name {
			return row, true
		}
	}
	return knob{}, false
}

func (k *Knobs) names() []string {
	names := make([]string, len(k.table))
	for i, row := range k.table {
		names[i] = row.Name
	}
	return names
}
