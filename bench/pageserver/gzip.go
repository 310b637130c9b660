package pageserver

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// packedBytes bounds what a packer keeps.
const packedBytes = 1 << 30

// packer compresses pages and keeps them by their query: a run that is repeated
// asks for the same pages, which then cost nothing.
type packer struct {
	mu   sync.Mutex
	kept map[string][]byte
	size int
}

func newPacker() *packer { return &packer{kept: map[string][]byte{}} }

func (p *packer) pack(query string, body [][]byte) []byte {
	p.mu.Lock()
	packed, ok := p.kept[query]
	p.mu.Unlock()
	if ok {
		return packed
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	// A bytes.Buffer takes everything, so neither call can fail.
	for _, piece := range body {
		_, _ = z.Write(piece)
	}
	_ = z.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size+buf.Len() <= packedBytes {
		p.kept[query] = buf.Bytes()
		p.size += buf.Len()
	}
	return buf.Bytes()
}

func acceptsGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}
