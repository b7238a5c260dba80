package asm

import (
	"sync"
	"testing"
	"unsafe"
)

func TestZeroPages(t *testing.T) {
	_, _, ecx, _ := CPUID(1, 0)
	hasAVX := ecx&(1<<27) != 0 && XGETBV()&6 == 6
	for _, avx := range []bool{false, true} {
		if avx && !hasAVX {
			continue
		}
		AVX = avx
		for n := 1; n <= 3; n++ {
			b := make([]byte, 5*4096)
			for i := range b {
				b[i] = 0xff
			}
			base := uintptr(unsafe.Pointer(&b[0]))
			from := int((base+4095)&^4095 - base)
			ZeroPages(base+uintptr(from), uintptr(n))
			for i, v := range b {
				inside := i >= from && i < from+n*4096
				if (v == 0) != inside {
					t.Fatalf("avx %v, %d pages: byte %d of range [%d,%d) is %#x", avx, n, i, from, from+n*4096, v)
				}
			}
		}
	}
	AVX = false
}

func TestRDTSCAdvances(t *testing.T) {
	a := RDTSC()
	for range 1000 {
		Pause()
	}
	if b := RDTSC(); b <= a {
		t.Fatalf("RDTSC went from %d to %d", a, b)
	}
}

func TestRandomNumbersDiffer(t *testing.T) {
	_, _, ecx, _ := CPUID(1, 0)
	if ecx&(1<<30) == 0 {
		t.Skip("this CPU has no RDRAND")
	}
	a, ok1 := RDRAND()
	b, ok2 := RDRAND()
	if ok1 && ok2 && a == b {
		t.Fatalf("RDRAND gave %#x twice", a)
	}
}

func TestGoroutineNames(t *testing.T) {
	self := Goroutine()
	if self == 0 || Goroutine() != self {
		t.Fatalf("goroutine is %#x, then %#x", self, Goroutine())
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if Goroutine() == self {
			t.Error("two goroutines have one name")
		}
	})
	wg.Wait()
}
