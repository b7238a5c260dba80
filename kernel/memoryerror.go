//go:build pdac

package kernel

import _ "unsafe" // go:linkname

// memoryError is what the runtime panics with for a nil dereference.
//
//go:linkname memoryError runtime.memoryError
var memoryError error
