//go:build !race

package pipeline

// randomCases is on how many random cases each property of the table is tested.
const randomCases = 10_000
