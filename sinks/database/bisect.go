package database

import "github.com/apache/arrow/go/v17/arrow"

// Bisect inserts the rows with insert, which takes all of a part or none, and
// leaves out those that make it fail. from is the place of the part's first row.
// reason tells whether an error is a row's
// own, and what to note of it.
func Bisect(rows arrow.Record, insert func(part arrow.Record, from int) error, reason func(error) (string, bool)) ([]Refusal, error) {
	var refused []Refusal
	var halve func(from, to int) error
	halve = func(from, to int) error {
		part := rows.NewSlice(int64(from), int64(to))
		err := insert(part, from)
		part.Release()
		if err == nil {
			return nil
		}
		text, own := reason(err)
		switch {
		case !own:
			return err
		case to-from == 1:
			refused = append(refused, Refusal{from, text})
			return nil
		}
		middle := from + (to-from)/2
		if err := halve(from, middle); err != nil {
			return err
		}
		return halve(middle, to)
	}
	if rows.NumRows() == 0 {
		return nil, nil
	}
	err := halve(0, int(rows.NumRows()))
	return refused, err
}

// Reason returns what to note of an error that is a row's own. It is meant for
// [Bisect].
func Reason(e Engine) func(error) (string, bool) {
	return func(err error) (string, bool) {
		switch classify(e, err) {
		case Exists:
			return ReasonExists, true
		case BadRow:
			return err.Error(), true
		}
		return "", false
	}
}
