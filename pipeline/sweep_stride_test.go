//go:build !race

package pipeline_test

// sweepStride is by how much the number of the call grows that is made to fail:
// all have their turn.
const sweepStride = 1
