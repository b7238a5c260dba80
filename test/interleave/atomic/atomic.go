// Package atomic stands in for sync/atomic where an interleaver decides whose turn it is at each access to shared memory. Only one
// goroutine runs at a time, so that the accesses themselves are plain ones.
//
// World: host tests.
package atomic

// Step is called before each access.
var Step = func() {}

type integer interface {
	~int32 | ~uint32 | ~int64 | ~uint64
}

// Word is what all the types of sync/atomic are here.
type Word[T integer] struct{ v T }

type (
	Int32  struct{ Word[int32] }
	Uint32 struct{ Word[uint32] }
	Int64  struct{ Word[int64] }
	Uint64 struct{ Word[uint64] }
)

func (w *Word[T]) Load() T                    { return load(&w.v) }
func (w *Word[T]) Store(v T)                  { store(&w.v, v) }
func (w *Word[T]) Add(d T) T                  { return swap(&w.v, func(v T) T { return v + d }) + d }
func (w *Word[T]) And(mask T) T               { return swap(&w.v, func(v T) T { return v & mask }) }
func (w *Word[T]) Or(mask T) T                { return swap(&w.v, func(v T) T { return v | mask }) }
func (w *Word[T]) Swap(v T) T                 { return swap(&w.v, func(T) T { return v }) }
func (w *Word[T]) CompareAndSwap(o, n T) bool { return cas(&w.v, o, n) }

func load[T integer](p *T) T {
	Step()
	return *p
}

func store[T integer](p *T, v T) {
	Step()
	*p = v
}

func swap[T integer](p *T, f func(T) T) (old T) {
	Step()
	old = *p
	*p = f(old)
	return old
}

func cas[T integer](p *T, o, n T) bool {
	Step()
	if *p != o {
		return false
	}
	*p = n
	return true
}

// The functions of sync/atomic that the kernel uses.

func LoadUint32(p *uint32) uint32                      { return load(p) }
func LoadUint64(p *uint64) uint64                      { return load(p) }
func StoreUint32(p *uint32, v uint32)                  { store(p, v) }
func StoreUint64(p *uint64, v uint64)                  { store(p, v) }
func CompareAndSwapUint32(p *uint32, o, n uint32) bool { return cas(p, o, n) }
func CompareAndSwapUint64(p *uint64, o, n uint64) bool { return cas(p, o, n) }

func SwapUint32(p *uint32, v uint32) uint32 { return swap(p, func(uint32) uint32 { return v }) }
