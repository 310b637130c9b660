package faultproxy

import (
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

const cutType = "cut"

// cut is a toxic that passes on so many bytes and then closes the connection.
// Unlike the library's own it goes on swallowing what still comes: otherwise
// whoever sends a longer answer would stay blocked for ever.
type cut struct {
	Bytes int64 `json:"bytes"`
}

// cutState counts the bytes passed on over one connection.
type cutState struct {
	passed int64
}

func (c *cut) NewState() any { return new(cutState) }

func (c *cut) Pipe(stub *toxics.ToxicStub) {
	state := stub.State.(*cutState)
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			data := chunk.Data[:min(int64(len(chunk.Data)), c.Bytes-state.passed)]
			if len(data) > 0 {
				stub.Output <- &stream.StreamChunk{Data: data, Timestamp: chunk.Timestamp}
				state.passed += int64(len(data))
			}
			if state.passed == c.Bytes {
				stub.Close()
				for range stub.Input {
				}
				return
			}
		}
	}
}
