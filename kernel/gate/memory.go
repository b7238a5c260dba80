package gate

import (
	"unsafe"

	"pdac/kernel/space"
)

// Memory that is free of pointers, and whose pages can be sent in messages. It belongs to the space
// of the goroutine that maps or receives it, and is unmapped when that ends. It is not collected.
//
// What was unmapped or sent away faults, which ends the program unless it has set
// debug.SetPanicOnFault.

// maxMap is the most that one call maps, in bytes.
const maxMap = 1 << 40

// MemoryMap maps n bytes of zeroed memory, rounded up to whole pages of 4096. id has Create.
//
// Errors: of id; *ArgumentError; ErrNoSpace; ErrMemory.
func MemoryMap(id ID, n int) ([]byte, error) {
	if n < 1 || n > maxMap {
		return nil, memoryMap.bad("n", "1 to 1<<40 bytes")
	}
	t, _, err := enter(memoryMap, id)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	owner := space.Get()
	if !alive(Space(owner)) {
		return nil, memoryMap.fail(ErrNoSpace)
	}
	b, err := addresses.obtain((uintptr(n)+pageSize-1)&^(pageSize-1), owner)
	return b, memoryMap.fail(err)
}

// MemoryUnmap unmaps whole pages that the caller's space has mapped, or received. id has Delete.
//
// Errors: of id; *ArgumentError.
func MemoryUnmap(id ID, b []byte) error {
	t, _, err := enter(memoryUnmap, id)
	if err != nil {
		return err
	}
	defer t.Release()
	if !addresses.release(addressOf(b), uintptr(len(b)), space.Get()) {
		return memoryUnmap.bad("b", "whole pages that the caller's space has mapped")
	}
	return nil
}

// MemoryBytes returns the memory of a range of pages that the caller's space has mapped, or received
// in a message. id has Read.
//
// Errors: of id; *ArgumentError.
func MemoryBytes(id ID, r Range) ([]byte, error) {
	t, _, err := enter(memoryBytes, id)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	if !addresses.has(r.At, r.Len, space.Get()) {
		return nil, memoryBytes.bad("r", "whole pages that the caller's space has mapped")
	}
	return memory(r.At, r.Len), nil
}

// RangeOf returns the range of mapped memory, to be put into a message.
func RangeOf(b []byte) Range { return Range{At: addressOf(b), Len: uintptr(len(b))} }

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// Memory is what the caller's space has.
type Memory struct {
	Areas int
	Bytes uint64
}

// MemoryInfo tells what the caller's space has mapped and received. id has Read.
func MemoryInfo(id ID) (Memory, error) {
	t, _, err := enter(memoryInfo, id)
	if err != nil {
		return Memory{}, err
	}
	defer t.Release()
	areas, bytes := addresses.usage(space.Get())
	return Memory{Areas: areas, Bytes: uint64(bytes)}, nil
}
