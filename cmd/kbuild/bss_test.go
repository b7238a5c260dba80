package main

import (
	"debug/elf"
	"testing"
)

func TestBehind(t *testing.T) {
	sym := func(name string, at, size uint64) elf.Symbol {
		return elf.Symbol{Name: name, Value: at, Size: size, Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_OBJECT)}
	}
	good := []elf.Symbol{
		sym("pdac/kernel/vm.cpus", 0x1000, 0x1000),
		sym(border, 0x2000, 0x1000),
		sym("crypto/internal/fips140/drbg.memory", 0x3000, 0x10000),
		sym("runtime.end", 0x13000, 0),
		sym("main.pdac/kernel", 0x3000, 16),
	}
	if err := behind(good); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"pdac/kernel/vm.big", "pdac/kernel.big", "pdac/board/qemu-amd64.big", "runtime.big", "internal/cpu.X86"} {
		if behind(append(good[:len(good):len(good)], sym(name, 0x3000, 8))) == nil {
			t.Errorf("%s behind the border passes", name)
		}
	}
	if behind(good[2:]) == nil {
		t.Error("an image without the border passes")
	}
}
