// Package crash prints the kernel's crash dump (docs/CRASH.md), on a machine of which nothing can be relied on any more. It
// serves the world below the runtime, and may be called from above: no function allocates, waits or writes memory other than
// its stack and a few words of its own.
package crash
