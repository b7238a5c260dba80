package linux

import "math/bits"

// The ChaCha20 block function of RFC 8439, section 2.3.

// chachaKey is a 256-bit key as eight little-endian words.
type chachaKey [8]uint32

// chachaBlock makes the 64 bytes of key stream, as little-endian words, that
// belong to key, counter and nonce.
func chachaBlock(out *[16]uint32, key *chachaKey, counter uint32, nonce *[3]uint32) {
	in := [16]uint32{
		0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, // "expand 32-byte k"
		key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
		counter, nonce[0], nonce[1], nonce[2],
	}
	x0, x1, x2, x3 := in[0], in[1], in[2], in[3]
	x4, x5, x6, x7 := in[4], in[5], in[6], in[7]
	x8, x9, x10, x11 := in[8], in[9], in[10], in[11]
	x12, x13, x14, x15 := in[12], in[13], in[14], in[15]
	for range 10 {
		// Columns, then diagonals.
		x0, x4, x8, x12 = quarter(x0, x4, x8, x12)
		x1, x5, x9, x13 = quarter(x1, x5, x9, x13)
		x2, x6, x10, x14 = quarter(x2, x6, x10, x14)
		x3, x7, x11, x15 = quarter(x3, x7, x11, x15)
		x0, x5, x10, x15 = quarter(x0, x5, x10, x15)
		x1, x6, x11, x12 = quarter(x1, x6, x11, x12)
		x2, x7, x8, x13 = quarter(x2, x7, x8, x13)
		x3, x4, x9, x14 = quarter(x3, x4, x9, x14)
	}
	*out = [16]uint32{
		in[0] + x0, in[1] + x1, in[2] + x2, in[3] + x3, in[4] + x4, in[5] + x5, in[6] + x6, in[7] + x7,
		in[8] + x8, in[9] + x9, in[10] + x10, in[11] + x11, in[12] + x12, in[13] + x13, in[14] + x14, in[15] + x15,
	}
}

// quarter is the quarter round of section 2.1.
func quarter(a, b, c, d uint32) (uint32, uint32, uint32, uint32) {
	a += b
	d = bits.RotateLeft32(d^a, 16)
	c += d
	b = bits.RotateLeft32(b^c, 12)
	a += b
	d = bits.RotateLeft32(d^a, 8)
	c += d
	b = bits.RotateLeft32(b^c, 7)
	return a, b, c, d
}
