package main

import (
	"reflect"
	"unsafe"
)

// typ is internal/abi.Type as far as the allocator reads it.
type typ struct {
	size, ptrBytes           uintptr
	hash                     uint32
	flag, align, field, kind uint8
	equal                    uintptr
	gcData                   uintptr // which words are pointers
}

//go:linkname newObject reflect.unsafe_New
func newObject(t *typ) unsafe.Pointer

type mixed struct {
	a *int
	b int
	c *int
}

// faultInMalloc makes the allocator itself fault, in the middle of its work, by a
// type whose map of pointers is not there.
func faultInMalloc() {
	t := *(*typ)(reflect.ValueOf(reflect.TypeFor[mixed]()).UnsafePointer())
	t.gcData = 0
	newObject(&t)
}
