package main

import "testing"

func TestSoftLimitFollowsTheContainer(t *testing.T) {
	for container, want := range map[string]int64{
		"": memoryLimit, "max\n": memoryLimit, "1073741824\n": memoryLimit, "201326592\n": 144 << 20, "67108864\n": leastLimit,
	} {
		if got := softLimit(container); got != want {
			t.Errorf("softLimit(%q) = %d, want %d", container, got, want)
		}
	}
}
