//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// ownGroup does nothing: there are no process groups.
func ownGroup(*exec.Cmd) {}

// peakRSS is not known here.
func peakRSS(*os.ProcessState) float64 { return 0 }
