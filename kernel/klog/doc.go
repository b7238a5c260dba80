// Package klog is the kernel's log. It serves both worlds: every function may be called from trap handlers, before the
// runtime starts, and from goroutines; none allocates, blocks or keeps a Go pointer, and the package has no init.
//
// A record is built piecewise in a value and committed by End:
//
//	klog.New(klog.Warn).Str("srat: bad length ").Dec(n).End()
//
// Committed records stay in a ring of the last Slots records (64 KiB) for the console's log command, and those at or below
// the log level go to the serial line through Out.
package klog
