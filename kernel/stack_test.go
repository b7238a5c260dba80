package kernel

import (
	"encoding/binary"
	"testing"
)

func TestFillStack(t *testing.T) {
	var o Options
	o.Parse([]byte(`env.A=1 env.BC="x y" -- one "two three"`))
	const base = 0x7000_0000_0000
	mem := make([]byte, 8192)
	random := [randomBytes]byte{1, 2, 3}
	sp := fillStack(mem, base, "pdac", &o, &random)
	if sp%16 != 0 {
		t.Fatalf("stack pointer %#x is not 16-byte aligned", sp)
	}
	at := sp
	word := func() uint64 {
		v := binary.LittleEndian.Uint64(mem[at-base:])
		at += 8
		return v
	}
	text := func(p uint64) string {
		n := p - base
		for mem[n] != 0 {
			n++
		}
		return string(mem[p-base : n])
	}
	if n := word(); n != 3 {
		t.Fatalf("argc %d, want 3", n)
	}
	for _, want := range []string{"pdac", "one", "two three"} {
		if got := text(word()); got != want {
			t.Errorf("argument %q, want %q", got, want)
		}
	}
	if word() != 0 {
		t.Error("argv is not ended by 0")
	}
	for _, want := range []string{"A=1", "BC=x y"} {
		if got := text(word()); got != want {
			t.Errorf("variable %q, want %q", got, want)
		}
	}
	if word() != 0 {
		t.Error("envp is not ended by 0")
	}
	aux := map[uint64]uint64{}
	for {
		k, v := word(), word()
		if k == atNull {
			break
		}
		aux[k] = v
	}
	if aux[atPagesz] != 4096 || mem[aux[atRandom]-base] != 1 || mem[aux[atRandom]-base+2] != 3 {
		t.Errorf("auxiliary vector %v", aux)
	}
}
