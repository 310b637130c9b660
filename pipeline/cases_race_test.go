//go:build race

package pipeline

// randomCases is fewer under the race detector: the properties use one
// goroutine, and are tested in full without it.
const randomCases = 1_000
