package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// encode writes a control file: JSON on one line, keys in the order of the
// struct, nothing escaped that need not be.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// errNotCanonical covers unknown, double and differently ordered keys, broken
// text, and whatever else encode would not have written.
var errNotCanonical = errors.New("it is not in the form in which it is written")

// decode reads a control file into v, and accepts only what encode writes.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(v); err != nil {
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	again, err := encode(v)
	if err == nil && !bytes.Equal(again, data) {
		err = errNotCanonical
	}
	return err
}
