//go:build !failpoint || !unix

package failpoint

// Enabled reports whether failpoints act in this build.
const Enabled = false

// Hit does nothing in this build.
func Hit(string) error { return nil }
