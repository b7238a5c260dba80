//go:build !liburcu || !cgo

package liburcu

import "pdac/test/bench/peers/readside"

// ReadSides returns nothing: built without liburcu.
func ReadSides() []readside.Kind { return nil }

// Graces returns nothing: built without liburcu.
func Graces() []readside.Grace { return nil }
