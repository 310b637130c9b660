package docextracttest

import "sync"

// blockJobs is how many jobs are rendered at a time: a page touches two or
// three blocks.
const blockJobs = 64

type block struct {
	once sync.Once // guards the rendering
	data []byte
	ends [blockJobs]uint32
}

// blockCache keeps finished jobs as they are sent, up to a number of bytes; the
// block that came first goes first. It is safe for concurrent use.
type blockCache struct {
	render func(first int) ([]byte, [blockJobs]uint32)
	limit  int64

	mu    sync.RWMutex
	held  int64
	byNum map[int]*block
	order []int // the block numbers in byNum, oldest first, those being rendered left out
}

func newBlockCache(limit int64, render func(int) ([]byte, [blockJobs]uint32)) *blockCache {
	return &blockCache{render: render, limit: limit, byNum: map[int]*block{}}
}

// append appends the job of that number.
func (c *blockCache) append(dst []byte, number int) []byte {
	b := c.get(number / blockJobs)
	i := number % blockJobs
	from := uint32(0)
	if i > 0 {
		from = b.ends[i-1]
	}
	return append(dst, b.data[from:b.ends[i]]...)
}

// get returns a block, rendered by whoever comes first while others wait.
func (c *blockCache) get(n int) *block {
	c.mu.RLock()
	b := c.byNum[n]
	c.mu.RUnlock()
	if b == nil {
		b = c.reserve(n)
	}
	b.once.Do(func() {
		b.data, b.ends = c.render(n * blockJobs)
		c.admit(n, len(b.data))
	})
	return b
}

func (c *blockCache) reserve(n int) *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.byNum[n]
	if b == nil {
		b = &block{}
		c.byNum[n] = b
	}
	return b
}

// admit counts a block that was rendered, and lets the oldest go.
func (c *blockCache) admit(n, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order = append(c.order, n)
	c.held += int64(size)
	for c.held > c.limit && len(c.order) > 1 {
		oldest := c.order[0]
		c.held -= int64(len(c.byNum[oldest].data))
		delete(c.byNum, oldest)
		c.order = c.order[1:]
	}
}
