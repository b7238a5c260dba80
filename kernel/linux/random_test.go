package linux

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// words of a key or nonce from hexadecimal bytes, little-endian.
func fromHex(t *testing.T, s string, out []uint32) {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil || len(b) != 4*len(out) {
		t.Fatal(s)
	}
	for i := range out {
		out[i] = uint32(b[4*i]) | uint32(b[4*i+1])<<8 | uint32(b[4*i+2])<<16 | uint32(b[4*i+3])<<24
	}
}

// TestChaChaVectors has the block vectors of RFC 8439, section 2.3.2 and appendix A.1.
func TestChaChaVectors(t *testing.T) {
	const zero = "00000000000000000000000000000000"
	for _, c := range []struct {
		key, nonce string
		counter    uint32
		block      string
	}{
		{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "000000090000004a00000000", 1,
			"10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"},
		{zero + zero, zero[:24], 0,
			"76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
		{zero + zero, zero[:24], 1,
			"9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
		{zero + zero[:30] + "01", zero[:24], 1,
			"3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
		{"00ff" + zero[:28] + zero, zero[:24], 2,
			"72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"},
		{zero + zero, "000000000000000000000002", 0,
			"c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c78a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d"},
	} {
		var key chachaKey
		var nonce [3]uint32
		var want, got [16]uint32
		fromHex(t, c.key, key[:])
		fromHex(t, c.nonce, nonce[:])
		fromHex(t, c.block, want[:])
		chachaBlock(&got, &key, c.counter, &nonce)
		if got != want {
			t.Errorf("key %s counter %d: %08x, want %08x", c.key, c.counter, got, want)
		}
	}
}

// fixedEntropy makes the generators repeatable: each call of Entropy gives the next
// number of a sequence.
func fixedEntropy(t *testing.T, ncpu int) (calls *int) {
	calls = new(int)
	old := Entropy
	Entropy = func() (uint64, bool) { *calls++; return uint64(*calls), true }
	t.Cleanup(func() { Entropy = old })
	perCPU = make([]CPUState, ncpu)
	root.key = chachaKey{}
	root.epoch.Store(0)
	return calls
}

func TestRandomKeyErasure(t *testing.T) {
	calls := fixedEntropy(t, 2)
	var a, b, c [32]byte
	Random(0, a[:])
	g := perCPU[0].random
	Random(0, b[:])
	Random(1, c[:])
	if a == b || a == c || b == c {
		t.Error("output repeats")
	}
	if *calls != 8 {
		t.Errorf("%d words of entropy for 2 CPUs, want 8", *calls)
	}
	// Who reads the state after a can tell b, and nothing about a.
	perCPU[0].random = g
	var again [32]byte
	Random(0, again[:])
	if again != b {
		t.Error("the state does not determine what comes next")
	}
	if bytes.Contains(keyBytes(&g.key), a[:8]) {
		t.Error("the state contains what was given out")
	}
}

func keyBytes(k *chachaKey) []byte {
	var b []byte
	for _, w := range k {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	return b
}

func TestRandomReseeds(t *testing.T) {
	calls := fixedEntropy(t, 1)
	var b [4096]byte
	for range rekeyBytes / len(b) {
		Random(0, b[:])
	}
	if *calls != 4 {
		t.Errorf("%d words of entropy before %d bytes, want 4", *calls, rekeyBytes)
	}
	Random(0, b[:1])
	if *calls != 8 {
		t.Errorf("%d words of entropy after, want 8", *calls)
	}

	// A seed changes what comes next, at once and on every CPU.
	out := func(seed []byte) (r [16]byte) {
		fixedEntropy(t, 1)
		Random(0, b[:1])
		if seed != nil {
			SeedFrom(seed)
		}
		Random(0, r[:])
		return r
	}
	none, one, two := out(nil), out([]byte{1}), out(append(make([]byte, 40), 2))
	if none == one || none == two || one == two {
		t.Error("a seed makes no difference")
	}
	if out(nil) != none {
		t.Error("the test is not repeatable")
	}
}

// TestRandomLengths: any length is filled to its end and not beyond, and looks random:
// every bit of every position changes over repetitions.
func TestRandomLengths(t *testing.T) {
	fixedEntropy(t, 1)
	for _, n := range []int{1, 7, 31, 32, 33, 63, 64, 65, 127, 128, 1000, 4096, 5000} {
		var or [5001]byte
		and := bytes.Repeat([]byte{0xff}, n)
		for range 64 {
			var b [5001]byte
			Random(0, b[:n])
			for i := range n {
				or[i] |= b[i]
				and[i] &= b[i]
			}
			if b[n] != 0 {
				t.Fatalf("%d bytes: one too many", n)
			}
		}
		for i := range n {
			if or[i] != 0xff || and[i] != 0 {
				t.Fatalf("byte %d of %d: bits stay %02x, %02x", i, n, or[i], and[i])
			}
		}
	}
}

func TestRandomWithoutHardware(t *testing.T) {
	fixedEntropy(t, 2)
	Entropy = func() (uint64, bool) { return 0, false }
	warned.Store(false)
	log := logged()
	var a, b [32]byte
	Random(0, a[:])
	Random(1, b[:])
	if a == b {
		t.Error("output repeats")
	}
	if got := log(); strings.Count(got, "timing jitter") != 1 {
		t.Errorf("the log says %q", got)
	}
	if jitter() == jitter() {
		t.Error("jitter does not vary")
	}
}

func TestHardwareEntropy(t *testing.T) {
	a, ok := hardwareEntropy()
	if !ok {
		t.Skip("this CPU has neither RDSEED nor RDRAND")
	}
	if b, _ := hardwareEntropy(); a == b {
		t.Errorf("two words of entropy are both %#x", a)
	}
}

func TestGetrandom(t *testing.T) {
	m := bootFiles(t, 1, nil)
	b := make([]byte, 10_000)
	p, n := bytesAt(b)
	m.want(int64(n)-1, nrGetrandom, p, n-1, grndNonblock)
	if b[n-1] != 0 || bytes.Contains(b[:n-1], make([]byte, 8)) {
		t.Error("the buffer is not filled, or too far")
	}
	m.want(0, nrGetrandom, p, 0, 0)
	m.want(einval, nrGetrandom, p, 8, 8)
	m.want(einval, nrGetrandom, p, 8, grndRandom|grndInsecure)
	m.want(efault, nrGetrandom, badAddress, 8, 0)
	for _, c := range perCPU[0].bounce {
		if c != 0 {
			t.Fatal("random bytes stay in the bounce buffer")
		}
	}
}

func BenchmarkRandom32(b *testing.B) {
	perCPU = make([]CPUState, 1)
	var out [32]byte
	for b.Loop() {
		Random(0, out[:])
	}
}
