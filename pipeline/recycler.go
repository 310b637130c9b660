package pipeline

import (
	"math/bits"
	"sync"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

const (
	// Buffers of these sizes are recycled, each rounded up to a power of two.
	smallestClass = 6  // 64 bytes, to which Arrow rounds as well
	largestClass  = 20 // 1 MiB
	// recycledBytes bounds what is kept of buffers that nobody uses.
	recycledBytes = 8 << 20
)

// recycler is an allocator that keeps buffers for the next batch: one batch
// needs much the same as the one before. It is safe for concurrent use.
type recycler struct {
	below memory.Allocator

	mu     sync.Mutex
	free   [largestClass + 1][][]byte
	kept   int  // bytes in free
	closed bool // nothing is kept any more
}

// newRecycler returns a recycler above an allocator, Go's if nil. It must be
// closed.
func newRecycler(below memory.Allocator) *recycler {
	if below == nil {
		below = memory.DefaultAllocator
	}
	return &recycler{below: below}
}

// classOf is the power of two that a buffer of so many bytes is rounded up to.
func classOf(size int) int { return max(smallestClass, bits.Len(uint(max(size, 1)-1))) }

// Allocate implements [memory.Allocator]. The buffer's bytes may be anything.
func (r *recycler) Allocate(size int) []byte {
	class := classOf(size)
	if class > largestClass {
		return r.below.Allocate(size)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.free[class]); n > 0 {
		b := r.free[class][n-1]
		r.free[class][n-1] = nil
		r.free[class] = r.free[class][:n-1]
		r.kept -= len(b)
		return b[:size]
	}
	return r.below.Allocate(1 << class)[:size]
}

// Reallocate implements [memory.Allocator].
func (r *recycler) Reallocate(size int, b []byte) []byte {
	if classOf(size) == classOf(cap(b)) && cap(b) >= size {
		return b[:size]
	}
	fresh := r.Allocate(size)
	copy(fresh, b)
	r.Free(b)
	return fresh
}

// Free implements [memory.Allocator].
func (r *recycler) Free(b []byte) {
	if cap(b) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	class := classOf(cap(b))
	if class > largestClass || cap(b) != 1<<class || r.closed || r.kept+cap(b) > recycledBytes {
		r.below.Free(b[:cap(b)])
		return
	}
	b = b[:cap(b)]
	r.free[class] = append(r.free[class], b)
	r.kept += len(b)
}

// close gives back all that is kept, and what is freed later as it comes.
func (r *recycler) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for class := range r.free {
		for _, b := range r.free[class] {
			r.below.Free(b)
		}
		r.free[class] = nil
	}
	r.kept, r.closed = 0, true
}
