package pipeline

import (
	"fmt"
	"time"
)

// Window is the half-open slice [Start, End) of created_at. Its bounds are
// whole UTC days or hours and never depend on when a run happens.
type Window struct {
	Start, End time.Time
}

const day = 24 * time.Hour

// WindowAt returns the window of the given size that holds t. Sizes are counted
// from the Unix epoch, so that every run cuts time in the same places.
func WindowAt(t time.Time, size time.Duration) Window {
	t = t.UTC()
	into := t.Sub(time.Unix(0, 0)) % size
	if into < 0 {
		into += size
	}
	start := t.Add(-into)
	return Window{Start: start, End: start.Add(size)}
}

// Windows returns the windows of the given size that touch [from, to), oldest
// first.
func Windows(from, to time.Time, size time.Duration) []Window {
	var all []Window
	for w := WindowAt(from, size); w.Start.Before(to); w = (Window{Start: w.End, End: w.End.Add(size)}) {
		all = append(all, w)
	}
	return all
}

// Name is the window's start as it stands in file names: 20261122, or
// 20261122T0600 where the start is not midnight or the window is shorter than a
// day.
func (w Window) Name() string {
	if w.Start.Equal(w.Start.Truncate(day)) && w.End.Sub(w.Start) >= day {
		return w.Start.Format("20060102")
	}
	return w.Start.Format("20060102T1504")
}

// Contains reports whether t lies in the window.
func (w Window) Contains(t time.Time) bool {
	return !t.Before(w.Start) && t.Before(w.End)
}

// Empty reports whether no time lies in the window.
func (w Window) Empty() bool { return !w.Start.Before(w.End) }

func (w Window) String() string {
	return fmt.Sprintf("[%s, %s)", w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339))
}

// ParseWindow returns the window of the given size that bears the name.
func ParseWindow(name string, size time.Duration) (Window, error) {
	for _, layout := range []string{"20060102", "20060102T1504"} {
		if start, err := time.Parse(layout, name); err == nil {
			if w := (Window{Start: start, End: start.Add(size)}); w.Name() == name {
				return w, nil
			}
		}
	}
	return Window{}, fmt.Errorf("%q is not the name of a window of %v", name, size)
}
