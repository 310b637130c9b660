// Package house holds the rules of this house as tests, so that they are kept
// without anybody having to remember them. It has no code of its own.
//
// Every rule says in its message what to do instead. Every rule is also tried
// on a small bad sample, so that a rule which stopped finding anything is
// noticed. To change who may import whom, change the table in imports_test.go.
package house
