//go:build pdac

package space

import _ "unsafe" // go:linkname

// Get returns the calling goroutine's space.
//
//go:linkname Get runtime.getSpace
func Get() uint32

// Set moves the calling goroutine to another space. Goroutines that it started stay
// where they are.
//
//go:linkname Set runtime.setSpace
func Set(space uint32)

// Offsets is the running program's. Constant.
//
//go:linkname Offsets runtime.spaceOffsets
var Offsets Layout
