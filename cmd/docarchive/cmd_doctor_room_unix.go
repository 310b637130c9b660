//go:build unix

package main

import "golang.org/x/sys/unix"

// leastRoom is about what a run of large windows may need on a disk.
const leastRoom = 1 << 30

// room notes how much is free where a folder is, or will be.
func (d *doctor) room(area, dir string) {
	var s unix.Statfs_t
	if err := unix.Statfs(nearest(dir), &s); err != nil {
		d.warn(area, "room", "see that there is enough", "%v", err)
		return
	}
	free := int64(s.Bavail) * int64(s.Bsize)
	if free < leastRoom {
		d.warn(area, "room", "make room: windows of many jobs need more", "%s are free", bytesText(free))
		return
	}
	d.ok(area, "room", "%s are free", bytesText(free))
}
