//go:build race

package pipeline_test

// sweepStride is by how much the number of the call grows that is made to fail.
// The race detector looks at how goroutines meet, which is the same in all tries.
const sweepStride = 17
