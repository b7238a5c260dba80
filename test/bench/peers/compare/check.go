package main

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"

	"pdac/test/bench/peers/code"
	"pdac/test/bench/peers/measure"
	"pdac/test/bench/peers/table"
)

// The figures of the bare check, in instructions.
const (
	overLoad = "check/over the load" // after the load of the word, to the decision
	inAll    = "check/in all"        // without call and return
)

// runCheck counts the instructions on the way on which a bare check passes.
func runCheck(s *measure.Samples, _ options) error {
	path, err := code.Clean(table.Bare)
	if err != nil {
		return err
	}
	loads, decision := path.Loads(), path.Decision()
	if len(loads) == 0 || decision < loads[len(loads)-1] {
		return fmt.Errorf("no load and decision in %v", path)
	}
	last := loads[len(loads)-1]
	for i, inst := range path {
		mark := ' '
		if i == last {
			mark = '>'
		}
		fmt.Printf("%c %s\n", mark, x86asm.GNUSyntax(inst, 0, nil))
	}
	over := decision - last
	s.Record(overLoad, float64(over))
	s.Record(inAll, float64(decision+1))
	fmt.Printf("%d instructions to the decision, %d of them over the load (>) of the word, %d loads\n", decision+1, over, len(loads))
	return nil
}
