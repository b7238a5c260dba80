package kernel

import "unsafe"

// Auxiliary vector (Linux, uapi/linux/auxvec.h).
const (
	atNull   = 0
	atPagesz = 6
	atSecure = 23
	atRandom = 25
)

const randomBytes = 16

// fillStack writes what the program finds on its first stack (System V ABI for
// AMD64, section 3.4.1): argc, argv, environment, auxiliary vector; the strings
// above. mem is the stack's memory and base its address. It returns the stack
// pointer. The strings and 16 random bytes come from the caller.
func fillStack(mem []byte, base uint64, name string, o *Options, random *[randomBytes]byte) (sp uint64) {
	top := len(mem)
	put := func(b []byte) uint64 {
		top -= len(b) + 1
		copy(mem[top:], b)
		mem[top+len(b)] = 0
		return base + uint64(top)
	}
	var argv, env [maxWords]uint64
	argv[0] = put(unsafe.Slice(unsafe.StringData(name), len(name)))
	for i, w := range o.args[:o.nargs] {
		argv[i+1] = put(o.bytes(w))
	}
	for i, w := range o.env[:o.nenv] {
		env[i] = put(o.bytes(w))
	}
	seed := put(random[:])

	aux := [...]uint64{atPagesz, 4096, atRandom, seed, atSecure, 0, atNull, 0}
	words := 1 + (o.nargs + 2) + (o.nenv + 1) + len(aux)
	top = (top - 8*words) &^ 15
	at := top
	word := func(v uint64) {
		for i := range 8 {
			mem[at+i] = byte(v >> (8 * i))
		}
		at += 8
	}
	word(uint64(o.nargs + 1))
	for _, p := range argv[:o.nargs+1] {
		word(p)
	}
	word(0)
	for _, p := range env[:o.nenv] {
		word(p)
	}
	word(0)
	for _, v := range aux {
		word(v)
	}
	return base + uint64(top)
}
