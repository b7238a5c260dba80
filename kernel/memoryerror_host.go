//go:build !pdac

package kernel

// memoryError is nil in programs of the host, whose linker keeps the runtime's to
// itself (kbuild gives -checklinkname=0).
var memoryError error
