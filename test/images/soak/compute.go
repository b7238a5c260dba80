package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
)

// chain keeps its values in vector registers through a loop without calls,
// which only a signal can preempt. Conversions keep the compiler from fusing.
//
//go:noinline
func chain(n int) uint64 {
	a, b, c, d, e, f := 1.0, 1.1, 1.2, 1.3, 1.4, 1.5
	g, h, i, j, k, l := 0.6, 0.7, 0.8, 0.9, 0.11, 0.12
	for range n {
		a, b = math.FMA(a, 0.999, float64(b*1e-3)), float64(b*0.998)+float64(a*1e-3)
		c, d = math.FMA(c, 0.997, float64(d*1e-3)), float64(d*0.996)+float64(c*1e-3)
		e, f = math.FMA(e, 0.995, float64(f*1e-3)), float64(f*0.994)+float64(e*1e-3)
		g, h = math.FMA(g, 0.993, float64(h*1e-3))+float64(a*1e-3), float64(h*0.992)+float64(g*1e-3)
		i, j = math.FMA(i, 0.991, float64(j*1e-3))+float64(c*1e-3), float64(j*0.990)+float64(i*1e-3)
		k, l = math.FMA(k, 0.989, float64(l*1e-3))+float64(e*1e-3), float64(l*0.988)+float64(k*1e-3)
	}
	sum := uint64(0)
	for _, v := range [...]float64{a, b, c, d, e, f, g, h, i, j, k, l} {
		sum = sum*31 + math.Float64bits(v)
	}
	return sum
}

// Results of chain, computed where nothing else ran.
var chainResults = []struct {
	n    int
	want uint64
}{{500, 0x86c726f5a0bbf1bc}, {5_000, 0xac6bb788f8031d4a}, {30_000, 0xe0568af2e2c1fbbe}}

func floats(w *worker) func() {
	return func() {
		c := chainResults[w.IntN(len(chainResults))]
		if got := chain(c.n); got != c.want {
			bad("float: chain of %d is %#x, want %#x", c.n, got, c.want)
		}
	}
}

// hashes hashes a quarter of a megabyte, in blocks that differ from time to time.
func hashes(w *worker) func() {
	data := make([]byte, 1<<18)
	for i := range data {
		data[i] = byte(i * i >> 8)
	}
	const want = "35dd8be9d2948161bc1b8329cf3e30e9eba143b3341883a20c4b593728c1c511"
	return func() {
		h := sha256.New()
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+w.IntN(1<<16))
			h.Write(rest[:n])
			rest = rest[n:]
		}
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
			bad("hash: %s, want %s", got, want)
		}
	}
}

// copies moves, compares and clears memory, which the runtime does in vector
// registers, and with the direction flag set where the places overlap.
func copies(w *worker) func() {
	const size = 1 << 18
	a, b := make([]byte, size), make([]byte, size)
	return func() {
		for i := range a {
			a[i] = byte(w.Uint32())
		}
		copy(b, a)
		if !bytes.Equal(a, b) {
			bad("copy: a copy differs")
		}
		n := w.IntN(size / 2)
		shift := w.IntN(4096)
		copy(b[shift:], b[:n]) // overlapping
		for i := range n {
			if b[shift+i] != a[i] {
				bad("copy: byte %d of %d, moved by %d, is %#x, want %#x", i, n, shift, b[shift+i], a[i])
			}
		}
		clear(b[:n])
		for i, v := range b[:n] {
			if v != 0 {
				bad("copy: byte %d of %d cleared is %#x", i, n, v)
			}
		}
		b[n] = 1
		if i := bytes.IndexByte(b[:n+1], 1); i != n {
			bad("copy: the 1 is found at %d, not at %d", i, n)
		}
	}
}
