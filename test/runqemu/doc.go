// Package runqemu tests scripts/run-qemu.sh on the host, with a stand-in for
// QEMU where a run is needed. It serves neither world of the kernel.
package runqemu
