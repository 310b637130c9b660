// Package failpoint makes the program die, halt or fail at a step of the commit
// protocol, for tests.
//
// Without the build tag failpoint, [Hit] is empty and compiled away. With it, on
// Unix, the environment says what happens:
//
//	DOCARCHIVE_FAILPOINT=NAME=ACTION[:N][,…]
//	DOCARCHIVE_FAILPOINT_LOG=FILE
//
// NAME is one of [Names], or * for all of them together. ACTION is kill, term or
// stop, which send that signal to the process itself, or error, or sleep. N is
// the number of the hit that acts, from 1 and by default 1; with a decimal point
// it is the probability with which any hit acts. Every hit adds a line with its
// name to FILE, and one that acts a line with NAME=ACTION before it does.
package failpoint
