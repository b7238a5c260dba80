package main

import (
	"debug/elf"
	"fmt"
	"strings"
)

// border is the variable of the board behind whose start the image's .bss has no
// memory until it is touched (see bss.go there).
const border = board + ".bssBorder"

// early are the packages whose variables must be there from the start: they are
// used before page faults are served, and to serve them.
var early = []string{"pdac/asm.", "pdac/board/", "pdac/kernel", "runtime.", "internal/runtime/", "internal/cpu.", "internal/bytealg."}

// checkBss makes sure that the linker has put no variable of theirs behind the
// border.
func checkBss(file string) error {
	f, err := elf.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	syms, err := f.Symbols()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := behind(syms); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// behind returns an error if a variable of the early packages lies behind the
// border, or there is none.
func behind(syms []elf.Symbol) error {
	var from uint64
	for _, s := range syms {
		if s.Name == border {
			from = s.Value
		}
	}
	if from == 0 {
		return fmt.Errorf("no symbol %s", border)
	}
	for _, s := range syms {
		if s.Value < from || s.Size == 0 || s.Name == border || elf.ST_TYPE(s.Info) != elf.STT_OBJECT {
			continue
		}
		for _, p := range early {
			if strings.HasPrefix(s.Name, p) {
				return fmt.Errorf("variable %s of %d bytes lies behind %s: too large, or the linker's order has changed", s.Name, s.Size, border)
			}
		}
	}
	return nil
}
