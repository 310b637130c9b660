//go:build linux

package main

import (
	"os"
	"strconv"
	"testing"
)

// TestCrash kills, stops and doubles the real program, and looks each time
// whether anything is lost, there twice or damaged.
func TestCrash(t *testing.T) {
	binary := crashBinary(t)
	for name, test := range map[string]func(t *testing.T, binary string){
		"killed":                      testKilled,
		"terminated":                  testTerminated,
		"frozen":                      testFrozen,
		"two at once":                 testTwo,
		"four at once, Redis emptied": testFourWithRedis,
		"workers, Redis":              testShards,
		"workers, no Redis":           testShardsApart,
		"a worker is missing":         testShardMissing,
		"rebuild killed":              testRebuildKilled,
		"rebuild terminated":          testRebuildTerminated,
		"resubmit killed":             testResubmitKilled,
		"release killed":              testReleaseKilled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, binary)
		})
	}
}

// fromEnvironment is how much of a test is done: more by an environment
// variable.
func fromEnvironment(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
