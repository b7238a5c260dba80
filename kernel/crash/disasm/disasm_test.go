package disasm

import (
	"reflect"
	"testing"
)

func target() {}

func TestLine(t *testing.T) {
	for _, c := range []struct {
		code []byte
		want string
	}{
		{[]byte{0x48, 0x89, 0x41, 0x18, 0xcc}, "MOVQ AX, 0x18(CX)"},
		{[]byte{0xc3}, "RET"},
		{[]byte{0x0f, 0x0b}, "UD2"},
		{[]byte{0x06}, ""},
		{[]byte{0x48}, ""},
		{nil, ""},
	} {
		if got := Line(0x1000, c.code); got != c.want {
			t.Errorf("% x: %q, want %q", c.code, got, c.want)
		}
	}
}

func TestLineNamesTarget(t *testing.T) {
	pc := uint64(reflect.ValueOf(target).Pointer())
	if got, want := Line(pc-5, []byte{0xe8, 0, 0, 0, 0}), "CALL pdac/kernel/crash/disasm.target(SB)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
