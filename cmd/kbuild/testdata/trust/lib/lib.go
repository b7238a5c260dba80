// Package lib is a library that reaches.
package lib

import "unsafe"

// Size is a word's.
const Size = unsafe.Sizeof(uintptr(0))
