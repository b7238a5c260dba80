package asm

import "unsafe"

// Pointer makes a pointer of the address of memory that the garbage collector
// does not manage: the kernel's own, a device's registers, a program's argument.
func Pointer(a uint64) unsafe.Pointer { return unsafe.Add(nil, a) }
