package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// A run's memory is mostly batches in the making. Up to the limit the heap may
// be twice what is in use, beyond it memory is worth more than time. The limit
// is a soft one: what needs more gets it, but memory that was freed goes back to
// the system. A container's own limit counts where it is tighter. All give way
// to GOGC and GOMEMLIMIT.
const (
	gcPercent   = 100
	memoryLimit = 150 << 20
	// leastLimit is about what is in use at any time: below it the collector
	// would never rest.
	leastLimit = 96 << 20
)

// limitFile is where a container finds the most memory that it may use.
const limitFile = "/sys/fs/cgroup/memory.max"

// softLimit is the memory limit in a container that may use what the text says,
// a number of bytes or max. A quarter of it is left to what the heap does not
// count: the program itself, and the files that are being written.
func softLimit(container string) int64 {
	most, err := strconv.ParseInt(strings.TrimSpace(container), 10, 64)
	if err != nil {
		return memoryLimit
	}
	return min(memoryLimit, max(leastLimit, most/4*3))
}

// thrifty sets the garbage collector to save memory; undo sets it back.
func (a *app) thrifty() (undo func()) {
	undo = func() {}
	if _, set := a.getenv("GOGC"); !set {
		was := debug.SetGCPercent(gcPercent)
		undo = func() { debug.SetGCPercent(was) }
	}
	if _, set := a.getenv("GOMEMLIMIT"); !set {
		text, _ := os.ReadFile(limitFile) // there is none outside a container
		was, percent := debug.SetMemoryLimit(softLimit(string(text))), undo
		undo = func() {
			debug.SetMemoryLimit(was)
			percent()
		}
	}
	return undo
}
