package main

import (
	"encoding/binary"
	"hash/crc32"
	"runtime"
	"sync/atomic"
	"weak"
)

// tree is a node whose sum covers all that is below it.
type tree struct {
	left, right *tree
	payload     []byte
	sum         uint32
}

func (t *tree) check() uint32 {
	if t == nil {
		return 0
	}
	var b [8]byte
	binary.LittleEndian.PutUint32(b[:], t.left.check())
	binary.LittleEndian.PutUint32(b[4:], t.right.check())
	return crc32.Update(crc32.ChecksumIEEE(t.payload), crc32.IEEETable, b[:])
}

func grow(w *worker, depth int) *tree {
	t := &tree{payload: make([]byte, 1+w.IntN(200))}
	for i := range t.payload {
		t.payload[i] = byte(w.Uint32())
	}
	if depth > 0 {
		t.left, t.right = grow(w, depth-1), grow(w, depth-1)
	}
	t.sum = t.check()
	return t
}

// verify checks every node of t.
func (t *tree) verify() bool {
	return t == nil || t.sum == t.check() && t.left.verify() && t.right.verify()
}

// trees keeps a few trees alive, and replaces and verifies them.
func trees(w *worker) func() {
	kept := make([]*tree, scaled(32))
	return func() {
		i := w.IntN(len(kept))
		if !kept[i].verify() {
			bad("trees: checksum of a tree of the heap")
		}
		kept[i] = grow(w, w.IntN(8))
		if w.IntN(64) == 0 {
			_ = make([]byte, 1<<20) // a large object, zeroed
			runtime.GC()
		}
		big := make([]uint64, 1+w.IntN(20_000))
		for j := range big {
			if big[j] != 0 {
				bad("trees: fresh memory holds %#x", big[j])
			}
			big[j] = 0xdead_beef_dead_beef
		}
	}
}

// maps compares a map with an array.
func maps(w *worker) func() {
	const keys = 4096
	m := make(map[string]uint64)
	var mirror [keys]uint64
	var names [keys]string
	for i := range names {
		names[i] = string(binary.AppendUvarint([]byte("key"), uint64(i)*0x9e3779b97f4a7c15))
	}
	return func() {
		for range 500 {
			k := w.IntN(keys)
			if got := m[names[k]]; got != mirror[k] {
				bad("maps: key %d is %d, want %d", k, got, mirror[k])
			}
			if mirror[k] = w.Uint64() & 3; mirror[k] == 0 {
				delete(m, names[k])
			} else {
				m[names[k]] = mirror[k]
			}
		}
		n := 0
		for range m {
			n++
		}
		if n != len(m) {
			bad("maps: %d entries in a map of %d", n, len(m))
		}
	}
}

// cleanups sees to it that what is unreachable is cleaned up, and only that.
func cleanups(w *worker) func() {
	var made, cleaned atomic.Int64
	var kept [16]*tree
	var weaks [16]weak.Pointer[tree]
	return func() {
		for range 50 {
			i := w.IntN(len(kept))
			if kept[i] != nil && weaks[i].Value() != kept[i] {
				bad("cleanups: weak pointer to a live object")
			}
			t := grow(w, 0)
			kept[i], weaks[i] = t, weak.Make(t)
			made.Add(1)
			runtime.AddCleanup(t, func(sum uint32) { cleaned.Add(1) }, t.sum)
		}
		if w.IntN(20) == 0 {
			runtime.GC()
		}
		alive := int64(0)
		for _, t := range kept {
			if t != nil {
				alive++
			}
		}
		if cleaned.Load() > made.Load()-alive {
			bad("cleanups: %d cleanups of %d objects, %d of them alive", cleaned.Load(), made.Load(), alive)
		}
		runtime.KeepAlive(kept)
	}
}
