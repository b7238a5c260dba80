package linux

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"pdac/asm"
	"pdac/kernel/klog"
	"pdac/kernel/lockfree"
)

// Random numbers: a generator per CPU, ChaCha20 with fast key erasure (D. J.
// Bernstein, "Fast-key-erasure random-number generators", 2017). Each request
// makes a block of 64 bytes: 32 replace the generator's key before anything is
// given out, so that who reads the state later learns nothing of the past; the
// other 32 are the answer, or the key of the stream that is the answer.
//
// The per-CPU keys come from one root key under a lock, which entropy is mixed
// into; a CPU takes a new one after rekeyBytes of output, and when the root's
// epoch says that entropy came in. Mixing xors 32 bytes of input into the key
// and replaces the key by ChaCha20 of it: entropy once in is never lost, and
// input that an attacker chooses does no harm to a key that he does not know.

const rekeyBytes = 1 << 20 // of output from one key of the root

// Nonces: what a block is for.
const (
	randomMix   = 1
	randomKey   = 2
	randomErase = 3
)

// root is the key that everything comes from.
var root struct {
	lock  lockfree.SpinLock
	epoch atomic.Uint32 // rises with every SeedFrom
	key   chachaKey     // under lock
}

// generator is a CPU's own. Only that CPU touches it, with interrupts off.
type generator struct {
	key   chachaKey
	epoch uint32 // 1 + that of the root when the key was taken; 0: none was
	left  int    // bytes until the next one
}

// Entropy returns 64 bits of the hardware's random source, or false if there is
// none. It is replaced only before the first use, by a test or a board that
// has a better source.
var Entropy func() (uint64, bool) = hardwareEntropy

// SeedFrom mixes b into the random numbers of all CPUs: what virtio-rng or a
// loader gave. It never makes them worse.
func SeedFrom(b []byte) {
	root.lock.Lock()
	for len(b) > 0 {
		var in chachaKey
		for i := range min(len(b), 32) {
			in[i/4] |= uint32(b[i]) << (8 * (i % 4))
		}
		mixRoot(&in)
		b = b[min(len(b), 32):]
	}
	root.epoch.Add(1)
	root.lock.Unlock()
}

// seedFromUser is a write to /dev/random: the first bytes of it, as many as make
// a difference, are mixed in.
func seedFromUser(p, n uint64) int64 {
	var b [64]byte
	part := b[:min(n, uint64(len(b)))]
	if len(part) > 0 && !copyIn(unsafe.Pointer(&b), p, uint64(len(part))) {
		return efault
	}
	SeedFrom(part)
	return int64(n)
}

// mixRoot is called with root.lock held.
func mixRoot(in *chachaKey) {
	for i := range in {
		root.key[i] ^= in[i]
	}
	var block [16]uint32
	nonce := [3]uint32{randomMix}
	chachaBlock(&block, &root.key, 0, &nonce)
	copy(root.key[:], block[:8])
}

// Random fills b with random bytes.
//
// Preconditions: below the runtime, on cpu, after InitFiles.
func Random(cpu int, b []byte) {
	var s stream
	s.start(cpu, len(b))
	s.fill(b)
	s = stream{}
}

// stream is the answer to one request: blocks of a key used once.
type stream struct {
	key   chachaKey
	count uint32
	short bool // the key itself is the answer
}

// start takes a key for n bytes from the CPU's generator.
func (s *stream) start(cpu, n int) {
	g := &perCPU[cpu].random
	if g.left <= 0 || g.epoch != root.epoch.Load()+1 {
		g.rekey()
	}
	g.left -= n
	var block [16]uint32
	nonce := [3]uint32{randomErase}
	chachaBlock(&block, &g.key, 0, &nonce)
	copy(g.key[:], block[:8])
	copy(s.key[:], block[8:])
	s.count, s.short = 0, n <= 32
	clear(block[:])
}

// fill gives the next len(b) bytes of the answer; only the last piece may be other
// than a multiple of 64.
func (s *stream) fill(b []byte) {
	var block [16]uint32
	for len(b) > 0 {
		if s.short {
			copy(block[:], s.key[:])
		} else {
			var nonce [3]uint32
			chachaBlock(&block, &s.key, s.count, &nonce)
			s.count++
		}
		n := min(len(b), len(block)*4)
		for i := range n {
			b[i] = byte(block[i/4] >> (8 * (i % 4)))
		}
		b = b[n:]
	}
	clear(block[:])
}

// rekey gives the generator a key of its own, after new entropy went into the root.
func (g *generator) rekey() {
	var in chachaKey
	gather(&in)
	root.lock.Lock()
	mixRoot(&in)
	var block [16]uint32
	nonce := [3]uint32{randomKey}
	chachaBlock(&block, &root.key, 0, &nonce)
	copy(root.key[:], block[:8])
	copy(g.key[:], block[8:])
	g.epoch = root.epoch.Load() + 1
	root.lock.Unlock()
	g.left = rekeyBytes
	clear(block[:])
}

// gather collects 256 bits from the hardware, and from jitter where there is none.
func gather(in *chachaKey) {
	for i := 0; i < len(in); i += 2 {
		v, ok := Entropy()
		if !ok {
			v = jitter()
			if warned.CompareAndSwap(false, true) {
				klog.New(klog.Warn).Str("random: no RDSEED or RDRAND: seeding from timing jitter, which is weak").End()
			}
		}
		in[i], in[i+1] = uint32(v), uint32(v>>32)
	}
}

var warned atomic.Bool

// Tries before a hardware source counts as absent: Intel asks for 10 of RDRAND
// (SDM volume 1, 7.3.17.1), while RDSEED runs dry easily.
const (
	seedTries = 64
	randTries = 10
)

func hardwareEntropy() (uint64, bool) {
	if last, _, _, _ := asm.CPUID(0, 0); last >= 7 {
		if _, ebx, _, _ := asm.CPUID(7, 0); ebx>>18&1 != 0 {
			for range seedTries {
				if v, ok := asm.RDSEED(); ok {
					return v, true
				}
				asm.Pause()
			}
		}
	}
	if _, _, ecx, _ := asm.CPUID(1, 0); ecx>>30&1 != 0 {
		for range randTries {
			if v, ok := asm.RDRAND(); ok {
				return v, true
			}
		}
	}
	return 0, false
}

// jitter folds the times that short waits take. The little that varies in each
// is spread over the word by a rotation of an odd number of bits.
func jitter() (v uint64) {
	last := asm.RDTSC()
	for range 512 {
		for range 1 + v&7 {
			asm.Pause()
		}
		now := asm.RDTSC()
		v = bits.RotateLeft64(v, 11) ^ (now-last)*0x9e3779b97f4a7c15
		last = now
	}
	return v ^ last
}

// Flags of getrandom(2).
const (
	grndNonblock = 1
	grndRandom   = 2
	grndInsecure = 4
)

// maxRandom is the most that one call gives, as on Linux.
const maxRandom = 1<<25 - 1

// sysGetrandom never waits: there is always a seed of some kind.
func sysGetrandom(cpu int, buf, n, flags uint64) int64 {
	if flags&^(grndNonblock|grndRandom|grndInsecure) != 0 || flags&(grndRandom|grndInsecure) == grndRandom|grndInsecure {
		return einval
	}
	return randomToUser(cpu, buf, n)
}

// randomToUser writes n random bytes at buf, through the CPU's bounce buffer.
func randomToUser(cpu int, buf, n uint64) int64 {
	n = min(n, maxRandom)
	var s stream
	s.start(cpu, int(n))
	bounce := &perCPU[cpu].bounce
	done := uint64(0)
	for done < n {
		chunk := bounce[:min(n-done, uint64(len(bounce)))]
		s.fill(chunk)
		if !copyOut(buf+done, unsafe.Pointer(&chunk[0]), uint64(len(chunk))) {
			break
		}
		done += uint64(len(chunk))
	}
	s = stream{}
	clear(bounce[:min(n, uint64(len(bounce)))])
	if done == 0 && n != 0 {
		return efault
	}
	return int64(done)
}
