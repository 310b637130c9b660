package docextracttest

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// knob is one row of the table of knobs.
type knob struct {
	Doc
	set func(s *settings, value string) error
}

// errValue is turned by Set into a message that names the values there are.
var errValue = errors.New("not a value of this knob")

// choice is a knob with a closed list of values, the first the default.
func choice(name, text string, field func(*settings) *string, values ...string) knob {
	return knob{
		Doc{Name: name, Values: strings.Join(values, "|"), Default: values[0], Text: text},
		func(s *settings, value string) error {
			if !slices.Contains(values, value) {
				return errValue
			}
			*field(s) = value
			return nil
		},
	}
}

// toggle is a knob with two values, the first the default; the field is true at
// the value yes.
func toggle(name, text string, field func(*settings) *bool, yes, first, second string) knob {
	return knob{
		Doc{Name: name, Values: first + "|" + second, Default: first, Text: text},
		func(s *settings, value string) error {
			if value != first && value != second {
				return errValue
			}
			*field(s) = value == yes
			return nil
		},
	}
}

// whole is a knob that is a whole number.
func whole(name, fallback, text string, field func(*settings) *int64, least int64) knob {
	return knob{
		Doc{Name: name, Values: "a whole number from " + strconv.FormatInt(least, 10), Default: fallback, Text: text},
		func(s *settings, value string) error {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < least {
				return errValue
			}
			*field(s) = n
			return nil
		},
	}
}

// probability is a knob from 0 to 1.
func probability(name, text string, field func(*settings) *float64) knob {
	return knob{
		Doc{Name: name, Values: "a probability from 0 to 1", Default: "0", Text: text},
		func(s *settings, value string) error {
			p, err := strconv.ParseFloat(value, 64)
			if err != nil || !(p >= 0 && p <= 1) {
				return errValue
			}
			*field(s) = p
			return nil
		},
	}
}

// length is a knob that is a duration; a negative one only where signed.
func length(name, fallback, text string, field func(*settings) *time.Duration, signed bool) knob {
	return knob{
		Doc{Name: name, Values: "a duration such as 20ms or 1h", Default: fallback, Text: text},
		func(s *settings, value string) error {
			d, err := time.ParseDuration(value)
			if err != nil || d < 0 && !signed {
				return errValue
			}
			*field(s) = d
			return nil
		},
	}
}

// seconds is a knob that is a duration of whole seconds, one at least.
func seconds(name, fallback, text string, field func(*settings) *time.Duration) knob {
	return knob{
		Doc{Name: name, Values: "whole seconds such as 5s or 1m", Default: fallback, Text: text},
		func(s *settings, value string) error {
			d, err := time.ParseDuration(value)
			if err != nil || d < time.Second || d%time.Second != 0 {
				return errValue
			}
			*field(s) = d
			return nil
		},
	}
}

// address is a knob that is a URL, or empty.
func address(name, text string, field func(*settings) *string) knob {
	return knob{
		Doc{Name: name, Values: "a URL, or empty", Default: "", Text: text},
		func(s *settings, value string) error {
			if _, err := url.Parse(value); err != nil {
				return errValue
			}
			*field(s) = value
			return nil
		},
	}
}
