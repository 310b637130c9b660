// Package image is about the container image: how it is built without Docker,
// and what has to hold for it. It has no code of its own but tests.
package image
