// Package locks keeps docs/LOCKS.md: every spin lock of the kernel is in its
// table, and every line of the table is a lock. It is host code.
package locks
