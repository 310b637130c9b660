//go:build unix

package submission

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the file for this process until it is closed. It reports whether
// another process has it.
func lock(file *os.File) (taken bool, err error) {
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// syncFolder makes a new file's name durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return journalError(err)
	}
	err = folder.Sync()
	if closed := folder.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return journalError(err)
	}
	return nil
}
