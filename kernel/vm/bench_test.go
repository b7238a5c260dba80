package vm

import (
	"fmt"
	"testing"

	"pdac/kernel/numa"
)

// bootBench has an allocator that costs next to nothing and zeroes nothing, so
// that the figures are this package's own. Pages are given out in address order.
func bootBench(b *testing.B, mode HugeMode) {
	const frames = 1 << 15 // 128 MiB
	boot(b, 1, frames, mode)
	list := make([]uint32, 0, frames)
	for f := uint32(frames - 1); f >= 1024; f-- {
		list = append(list, f)
	}
	machine.Alloc = func(int, numa.Policy, uint64, bool) (uint32, bool) {
		f := list[len(list)-1]
		list = list[:len(list)-1]
		return f, true
	}
	machine.Free = func(_ int, f uint32, _ bool) { list = append(list, f) }
	machine.Zero = func(f uint32, _ bool) {} // pages are never written, and tables come back empty
	machine.InvalidatePage = func(uint64) {}
	machine.FlushAll = func() {}
}

func BenchmarkFault4K(b *testing.B) {
	const n = 64 << 20
	bootBench(b, HugeNever)
	b.ResetTimer()
	b.StopTimer()
	for done := 0; done < b.N; {
		at, _ := Map(0, 0, n, 3, anon)
		b.StartTimer()
		for va := at; va < at+n && done < b.N; va, done = va+PageSize, done+1 {
			if Fault(0, va, CodeWrite) != Done {
				b.Fatal("fault")
			}
		}
		b.StopTimer()
		Unmap(0, at, n)
	}
}

func BenchmarkUnmapPerPage(b *testing.B) {
	const n = 64 << 20
	bootBench(b, HugeNever)
	b.ResetTimer()
	b.StopTimer()
	for done := 0; done < b.N; done += n / PageSize {
		at, _ := Map(0, 0, n, 3, anon)
		for va := at; va < at+n; va += PageSize {
			Fault(0, va, CodeWrite)
		}
		b.StartTimer()
		Unmap(0, at, n)
		b.StopTimer()
	}
}

func BenchmarkMapUnmap(b *testing.B) {
	for _, areas := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(areas), func(b *testing.B) {
			bootBench(b, HugeNever)
			for i := range areas {
				Map(0, UserMin+uint64(i)*2*PageSize, PageSize, 3, anon|MapFixed)
			}
			for b.Loop() {
				at, _ := Map(0, 0, PageSize, 1, anon)
				Unmap(0, at, PageSize)
			}
		})
	}
}
