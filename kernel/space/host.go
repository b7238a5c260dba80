//go:build !pdac

package space

import (
	"context"
	"runtime/pprof"
	"strconv"
	"unsafe"
)

// On the host, where the runtime is as it was installed, a profiling label stands for
// the space: goroutines inherit it, AfterFunc and cleanups don't. That is enough for
// tests; it does not survive pprof.Do, and other labels don't survive Set.

const label = "pdac.space"

// Get returns the calling goroutine's space, None if it was never set.
func Get() uint32 {
	if l := (*labels)(getLabels()); l != nil {
		for _, p := range l.list {
			if p.key == label {
				n, _ := strconv.ParseUint(p.value, 10, 32)
				return uint32(n)
			}
		}
	}
	return None
}

// Set moves the calling goroutine to another space. Goroutines that it started stay
// where they are.
func Set(space uint32) {
	value := strconv.FormatUint(uint64(space), 10)
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(label, value)))
}

// labels is internal/runtime/pprof/label.Set.
type labels struct {
	list []struct{ key, value string }
}

//go:linkname getLabels runtime/pprof.runtime_getProfLabel
func getLabels() unsafe.Pointer

// Offsets is made up, for tests with a g and an m of their own.
var Offsets = Layout{M: 8, Space: 16, G0: 8, Gsignal: 16}
